"""Disputes: the money goes with the fee, and comes back when the dispute is won."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

Control = Callable[..., Any]


@pytest.fixture
def charge_id(paid: Any) -> str:
    found: str = paid.payment_intent.latest_charge.id
    return found


def nets(dispute: Any) -> list[int]:
    return [movement.net for movement in dispute.balance_transactions]


def test_an_opened_dispute_takes_the_money_and_the_fee(
    client: stripe.StripeClient, paid: Any, charge_id: str, control: Control, receiver: Any
) -> None:
    control(f"charges/{charge_id}/dispute")
    [dispute] = client.v1.disputes.list({"payment_intent": paid.payment_intent.id}).data
    assert (dispute.status, dispute.amount, dispute.charge) == ("needs_response", 3000, charge_id)
    [movement] = dispute.balance_transactions
    assert (movement.type, movement.reporting_category, movement.source) == ("adjustment", "dispute", dispute.id)
    assert (movement.amount, movement.fee, movement.net) == (-3000, 2000, -5000)
    assert client.v1.balance_transactions.retrieve(movement.id).net == -5000
    assert client.v1.charges.retrieve(charge_id).disputed is True
    control("idle")
    assert receiver.types[5:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


def test_a_won_dispute_brings_the_money_back_but_not_the_fee(
    client: stripe.StripeClient, charge_id: str, control: Control, receiver: Any
) -> None:
    dispute_id = control(f"charges/{charge_id}/dispute")["id"]
    submitted = client.v1.disputes.update(dispute_id, {"evidence": {"uncategorized_text": "A member since 2024."}})
    assert (submitted.status, submitted.evidence_details.submission_count) == ("under_review", 1)
    control(f"disputes/{dispute_id}/won")
    dispute = client.v1.disputes.retrieve(dispute_id)
    assert (dispute.status, nets(dispute)) == ("won", [-5000, 3000])
    control("idle")
    assert receiver.types[7:] == [
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    assert sum(m.net for m in client.v1.balance_transactions.list().data) == 3000 - 70 - 2000


def test_a_lost_dispute_moves_nothing_more(
    client: stripe.StripeClient, charge_id: str, control: Control, receiver: Any
) -> None:
    dispute_id = control(f"charges/{charge_id}/dispute")["id"]
    control(f"disputes/{dispute_id}/lost")
    assert (client.v1.disputes.retrieve(dispute_id).status, nets(client.v1.disputes.retrieve(dispute_id))) == (
        "lost",
        [-5000],
    )
    control("idle")
    assert receiver.types[7:] == ["charge.dispute.closed"]


def test_giving_in_is_losing(client: stripe.StripeClient, charge_id: str, control: Control) -> None:
    dispute_id = control(f"charges/{charge_id}/dispute")["id"]
    assert client.v1.disputes.close(dispute_id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(dispute_id)


def test_an_inquiry_moves_no_money_and_is_closed(
    client: stripe.StripeClient, charge_id: str, control: Control, receiver: Any
) -> None:
    dispute_id = control(f"charges/{charge_id}/inquire")["id"]
    assert client.v1.disputes.retrieve(dispute_id).status == "warning_needs_response"
    control(f"disputes/{dispute_id}/close")
    dispute = client.v1.disputes.retrieve(dispute_id)
    assert (dispute.status, dispute.is_charge_refundable, nets(dispute)) == ("warning_closed", True, [])
    control("idle")
    assert receiver.types[5:] == ["charge.dispute.created", "charge.dispute.closed"]


def test_an_inquiry_can_become_a_dispute(
    client: stripe.StripeClient, charge_id: str, control: Control, receiver: Any
) -> None:
    dispute_id = control(f"charges/{charge_id}/inquire")["id"]
    control(f"disputes/{dispute_id}/review")
    control(f"disputes/{dispute_id}/escalate")
    dispute = client.v1.disputes.retrieve(dispute_id)
    assert (dispute.status, nets(dispute)) == ("needs_response", [-5000])
    control("idle")
    assert receiver.types[6:] == [
        "charge.dispute.updated",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]


def test_a_lost_dispute_can_be_appealed_and_won_in_a_status_few_know(
    client: stripe.StripeClient, charge_id: str, control: Control
) -> None:
    dispute_id = control(f"charges/{charge_id}/dispute")["id"]
    control(f"disputes/{dispute_id}/lost")
    control(f"disputes/{dispute_id}/appeal")
    assert client.v1.disputes.retrieve(dispute_id).status == "appeal_under_review"
    control(f"disputes/{dispute_id}/won")
    assert nets(client.v1.disputes.retrieve(dispute_id)) == [-5000, 3000]


def test_a_dispute_can_be_about_a_part(client: stripe.StripeClient, charge_id: str, control: Control) -> None:
    dispute = control(f"charges/{charge_id}/dispute", amount=1000, reason="duplicate")
    assert (dispute["amount"], dispute["reason"]) == (1000, "duplicate")
    assert nets(client.v1.disputes.retrieve(dispute["id"])) == [-3000]


@pytest.mark.parametrize(("act", "refundable"), [("won", True), ("lost", False), (None, False)])
def test_a_charge_that_was_taken_back_cannot_be_refunded_too(
    client: stripe.StripeClient, charge_id: str, control: Control, act: str | None, refundable: bool
) -> None:
    dispute_id = control(f"charges/{charge_id}/dispute")["id"]
    if act:
        control(f"disputes/{dispute_id}/{act}")
    if refundable:
        assert client.v1.refunds.create({"charge": charge_id}).status == "succeeded"
    else:
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.refunds.create({"charge": charge_id})
        assert refusal.value.code == "charge_disputed"


def test_a_charge_under_inquiry_can_be_refunded(client: stripe.StripeClient, charge_id: str, control: Control) -> None:
    control(f"charges/{charge_id}/inquire")
    assert client.v1.refunds.create({"charge": charge_id}).status == "succeeded"


def test_evidence_can_be_staged_and_is_handed_in_once(
    client: stripe.StripeClient, charge_id: str, control: Control
) -> None:
    dispute_id = control(f"charges/{charge_id}/dispute")["id"]
    staged = client.v1.disputes.update(
        dispute_id, {"evidence": {"product_description": "Membership"}, "submit": False, "metadata": {"payment": "7"}}
    )
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    handed_in = client.v1.disputes.update(dispute_id, {"evidence": {"service_date": "2026-01-01"}})
    assert (handed_in.status, handed_in.evidence.product_description) == ("under_review", "Membership")
    assert handed_in.metadata["payment"] == "7"
    with pytest.raises(stripe.InvalidRequestError, match="submitted already"):
        client.v1.disputes.update(dispute_id, {"evidence": {"service_date": "2026-01-02"}})


def test_what_cannot_happen_is_refused(client: stripe.StripeClient, charge_id: str, control: Control) -> None:
    assert control("charges/ch_unknown/dispute")["http_status"] == 404
    assert control(f"charges/{charge_id}/dispute", reason="mood")["http_status"] == 400
    assert control(f"charges/{charge_id}/dispute", amount=3001)["http_status"] == 400
    dispute_id = control(f"charges/{charge_id}/dispute")["id"]
    assert control(f"charges/{charge_id}/dispute")["http_status"] == 400
    for act in ("appeal", "close", "escalate"):
        assert control(f"disputes/{dispute_id}/{act}")["http_status"] == 400
    control(f"disputes/{dispute_id}/won")
    for act in ("won", "lost", "review"):
        assert control(f"disputes/{dispute_id}/{act}")["http_status"] == 400
    assert nets(client.v1.disputes.retrieve(dispute_id)) == [-5000, 3000]
