"""Refunds: whole or part, never more than was charged, and the fee is not given back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

Control = Callable[..., Any]


def test_a_full_refund_gives_everything_back_but_the_fee(
    client: stripe.StripeClient, paid: Any, receiver: Any, control: Control
) -> None:
    refund = client.v1.refunds.create(
        {
            "payment_intent": paid.payment_intent.id,
            "reason": "requested_by_customer",
            "metadata": {"refund": "1"},
            "expand": ["balance_transaction"],
        }
    )
    assert (refund.amount, refund.status, refund.reason) == (3000, "succeeded", "requested_by_customer")
    movement: Any = refund.balance_transaction
    assert (movement.amount, movement.fee, movement.net, movement.type) == (-3000, 0, -3000, "refund")
    charge = client.v1.charges.retrieve(paid.payment_intent.latest_charge.id, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded, charge.status) == (3000, True, "succeeded")
    assert charge.refunds and [r.id for r in charge.refunds.data] == [refund.id]
    assert sum(m.net for m in client.v1.balance_transactions.list().data) == -70
    assert control("idle")["idle"]
    assert receiver.types[5:] == [
        "charge.refunded",
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
    ]
    refunded = receiver.events[5]["data"]
    assert refunded["previous_attributes"] == {"amount_refunded": 0, "refunded": False}


def test_parts_add_up_to_the_charge_and_no_further(client: stripe.StripeClient, paid: Any) -> None:
    charge_id = paid.payment_intent.latest_charge.id
    client.v1.refunds.create({"charge": charge_id, "amount": 1000})
    assert client.v1.charges.retrieve(charge_id).refunded is False
    with pytest.raises(stripe.InvalidRequestError, match=r"€20\.01.*€20\.00") as refusal:
        client.v1.refunds.create({"charge": charge_id, "amount": 2001})
    assert refusal.value.param == "amount"
    client.v1.refunds.create({"charge": charge_id, "amount": 2000})
    charge = client.v1.charges.retrieve(charge_id)
    assert (charge.amount_refunded, charge.refunded) == (3000, True)
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.refunds.create({"charge": charge_id})
    assert again.value.code == "charge_already_refunded"
    assert [r.amount for r in client.v1.refunds.list({"charge": charge_id}).data] == [2000, 1000]


def test_refunds_at_once_never_exceed_the_charge(client: stripe.StripeClient, paid: Any) -> None:
    charge_id = paid.payment_intent.latest_charge.id

    def refund(_: int) -> bool:
        try:
            client.v1.refunds.create({"charge": charge_id, "amount": 700})
        except stripe.InvalidRequestError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(refund, range(6))) == [False, False, True, True, True, True]
    assert client.v1.charges.retrieve(charge_id).amount_refunded == 2800


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_of_nothing_is_refused(client: stripe.StripeClient, paid: Any, amount: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"charge": paid.payment_intent.latest_charge.id, "amount": amount})
    assert refusal.value.param == "amount"


def test_a_refund_needs_one_payment_that_was_made(
    client: stripe.StripeClient, fee: Any, paid: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/decline")
    declined = client.v1.charges.list({"limit": 1}).data[0]
    wrong: list[Any] = [
        {},
        {"charge": paid.payment_intent.latest_charge.id, "payment_intent": paid.payment_intent.id},
        {"charge": "ch_unknown"},
        {"payment_intent": "pi_unknown"},
        {"charge": declined.id},
        {"payment_intent": declined.payment_intent},
    ]
    for params in wrong:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.refunds.create(params)
    assert client.v1.refunds.list().data == []


def test_the_provider_can_refund_by_itself(client: stripe.StripeClient, paid: Any, control: Control) -> None:
    refund = control(f"charges/{paid.payment_intent.latest_charge.id}/refund", amount=500)
    assert refund["amount"] == 500
    [event] = client.v1.events.list({"type": "charge.refunded"}).data
    assert event.request and event.request.id is None
    assert control(f"charges/{paid.payment_intent.latest_charge.id}/refund")["amount"] == 2500
    assert control(f"charges/{paid.payment_intent.latest_charge.id}/refund")["http_status"] == 400


@pytest.fixture
def refund(client: stripe.StripeClient, paid: Any) -> Callable[..., Any]:
    """`refund(1000)` of the paid charge through the API, all of it when no amount is given."""

    def create(amount: int | None = None) -> Any:
        wanted: Any = {"charge": paid.payment_intent.latest_charge.id} | ({"amount": amount} if amount else {})
        return client.v1.refunds.create(wanted)

    return create


def test_a_refund_can_fail_after_it_had_succeeded(
    client: stripe.StripeClient, refund: Any, receiver: Any, control: Control
) -> None:
    refund(500)
    failing = refund(1000)
    assert failing.status == "succeeded"
    control("idle")
    before = len(receiver.got)
    for _ in range(2):
        control(f"refunds/{failing.id}/fail", reason="lost_or_stolen_card")
    control("idle")
    assert receiver.types[before:] == ["refund.updated", "charge.refund.updated", "refund.failed"]
    after: Any = client.v1.refunds.retrieve(failing.id, {"expand": ["failure_balance_transaction"]})
    assert (after.status, after.failure_reason) == ("failed", "lost_or_stolen_card")
    assert (after.failure_balance_transaction.type, after.failure_balance_transaction.net) == ("refund_failure", 1000)
    charge = client.v1.charges.retrieve(after.charge)
    assert (charge.amount_refunded, charge.refunded) == (500, False)
    assert sum(m.net for m in client.v1.balance_transactions.list().data) == 3000 - 70 - 500


def test_what_came_back_can_be_refunded_again(client: stripe.StripeClient, refund: Any, control: Control) -> None:
    control(f"refunds/{refund().id}/fail")
    again = refund()
    assert client.v1.charges.retrieve(again.charge).refunded is True
    assert control(f"refunds/{again.id}/fail", reason="mood")["http_status"] == 400


@pytest.mark.parametrize(
    ("fate", "first", "later"), [("pending", "pending", "succeeded"), ("fail", "succeeded", "failed")]
)
def test_a_refund_can_be_answered_days_later(
    client: stripe.StripeClient, refund: Any, control: Control, fate: str, first: str, later: str
) -> None:
    control("faults", refunds=fate)
    refund_id = refund(1000).id
    assert client.v1.refunds.retrieve(refund_id).status == first
    control("clock", offset=4 * 86_400)
    assert client.v1.refunds.retrieve(refund_id).status == first
    control("clock", offset=6 * 86_400)
    assert client.v1.refunds.retrieve(refund_id).status == later


def test_a_pending_refund_counts_against_the_charge_and_can_fail(
    client: stripe.StripeClient, refund: Any, control: Control
) -> None:
    control("faults", refunds="pending")
    waiting = refund(2000)
    assert (waiting.status, waiting.pending_reason) == ("pending", "processing")
    with pytest.raises(stripe.InvalidRequestError):
        refund(1001)
    control(f"refunds/{waiting.id}/fail")
    control("clock", offset=6 * 86_400)
    assert client.v1.refunds.retrieve(waiting.id).status == "failed"
    assert refund(3000).status == "pending"


def test_only_a_refund_that_waits_for_the_payer_can_be_canceled(
    client: stripe.StripeClient, refund: Any, control: Control
) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.cancel(refund(500).id)
    control("faults", refunds="requires_action")
    waiting = refund(1000)
    assert waiting.status == "requires_action"
    assert client.v1.refunds.cancel(waiting.id).status == "canceled"
    assert client.v1.charges.retrieve(waiting.charge).amount_refunded == 500
    other = refund(700)
    assert control(f"refunds/{other.id}/arrive")["status"] == "succeeded"


def test_a_refund_can_be_named_later(client: stripe.StripeClient, refund: Any) -> None:
    made = refund(500)
    named = client.v1.refunds.update(made.id, {"metadata": {"refund": "9"}})
    assert named.metadata and named.metadata["refund"] == "9"
