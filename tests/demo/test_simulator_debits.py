"""SEPA direct debits: agreed to on the page, answered by the bank days later, returned weeks later."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

Control = Callable[..., Any]
DAY = 86_400
AGREED = ["payment_intent.created", "charge.pending", "payment_intent.processing", "checkout.session.completed"]


@pytest.fixture
def debit(client: stripe.StripeClient, fee: Any, control: Control) -> Callable[[str], Any]:
    """`debit("debit_fails")` is a checkout paid in that way, with its charge expanded."""

    def agree(way: str = "debit") -> Any:
        session = client.v1.checkout.sessions.create(fee)
        assert control(f"checkouts/{session.id}/{way}")["id"] == session.id
        return client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})

    return agree


def test_a_debit_that_was_agreed_to_is_complete_and_not_paid(debit: Any, control: Control, receiver: Any) -> None:
    session = debit()
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    intent = session.payment_intent
    charge = intent.latest_charge
    assert (intent.status, intent.amount_received, charge.status, charge.paid) == ("processing", 0, "pending", False)
    assert (charge.balance_transaction, charge.failure_code) == (None, None)
    assert charge.payment_method_details.sepa_debit.last4 == "7890"
    control("idle")
    assert receiver.types == AGREED


@pytest.mark.parametrize(("days", "status"), [(4, "unpaid"), (5, "paid")])
def test_the_money_arrives_after_five_days(
    client: stripe.StripeClient, debit: Any, control: Control, days: int, status: str
) -> None:
    session = debit()
    control("clock", offset=days * DAY)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == status


def test_a_debit_that_arrives_is_paid_and_its_fee_is_known(
    client: stripe.StripeClient, debit: Any, control: Control, receiver: Any
) -> None:
    session = debit()
    control(f"charges/{session.payment_intent.latest_charge.id}/arrive")
    control("idle")
    assert receiver.types[4:] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
        "charge.updated",
    ]
    path = "payment_intent.latest_charge.balance_transaction"
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": [path]})
    intent: Any = after.payment_intent
    movement = intent.latest_charge.balance_transaction
    assert (after.payment_status, intent.status, intent.amount_received) == ("paid", "succeeded", 3000)
    assert (movement.type, movement.reporting_category) == ("payment", "charge")
    assert (movement.amount, movement.fee, movement.net) == (3000, 35, 2965)


def test_a_debit_that_fails_days_later_is_told_with_its_reason(
    client: stripe.StripeClient, debit: Any, control: Control, receiver: Any
) -> None:
    session = debit("debit_fails")
    control("clock", offset=6 * DAY)
    control("idle")
    assert receiver.types == [
        *AGREED,
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    after: Any = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    intent = after.payment_intent
    assert (after.status, after.payment_status, intent.status) == ("complete", "unpaid", "requires_payment_method")
    assert (intent.latest_charge.status, intent.latest_charge.failure_code) == ("failed", "insufficient_funds")
    assert intent.last_payment_error.code == "insufficient_funds"
    assert client.v1.balance_transactions.list().data == []


def test_a_bank_answers_once(client: stripe.StripeClient, debit: Any, control: Control) -> None:
    charge = debit("debit_fails").payment_intent.latest_charge
    for act in ("arrive", "arrive", "fail"):
        assert control(f"charges/{charge.id}/{act}")["status"] == "succeeded"
    control("clock", offset=6 * DAY)
    assert client.v1.charges.retrieve(charge.id).status == "succeeded"
    assert len(client.v1.balance_transactions.list().data) == 1


def test_a_debit_on_its_way_cannot_be_refunded(client: stripe.StripeClient, debit: Any) -> None:
    session = debit()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": session.payment_intent.id})


def test_a_refunded_debit_goes_back_as_a_payment_refund(
    client: stripe.StripeClient, debit: Any, control: Control
) -> None:
    charge = debit().payment_intent.latest_charge
    control(f"charges/{charge.id}/arrive")
    refund: Any = client.v1.refunds.create({"charge": charge.id, "expand": ["balance_transaction"]})
    assert (charge.id[:3], refund.id[:4]) == ("py_", "pyr_")
    assert (refund.balance_transaction.type, refund.balance_transaction.amount) == ("payment_refund", -3000)


def test_a_debit_returned_weeks_later_is_a_dispute_lost_from_the_beginning(
    client: stripe.StripeClient, debit: Any, control: Control, receiver: Any
) -> None:
    session = debit()
    charge = session.payment_intent.latest_charge
    control("clock", offset=40 * DAY)
    control("idle")
    before = len(receiver.got)
    control(f"charges/{charge.id}/return")
    control("idle")
    assert receiver.types[before:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]
    [dispute] = client.v1.disputes.list({"charge": charge.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("lost", "debit_not_authorized", 3000)
    assert [movement.net for movement in dispute.balance_transactions] == [-5000]
    assert client.v1.charges.retrieve(charge.id).disputed is True


def test_its_mandate_can_be_read(client: stripe.StripeClient, debit: Any) -> None:
    charge = debit().payment_intent.latest_charge
    mandate = client.v1.mandates.retrieve(charge.payment_method_details.sepa_debit.mandate)
    assert (mandate.status, mandate.payment_method) == ("active", charge.payment_method)


def test_only_what_the_account_offers_can_be_used(client: stripe.StripeClient, fee: Any, control: Control) -> None:
    control("payment-methods", card=True)
    session = client.v1.checkout.sessions.create(fee)
    assert session.payment_method_types == ["card"]
    assert session.url
    page = requests.get(session.url, timeout=10).text
    assert "SEPA" not in page and "by card" in page
    assert control(f"checkouts/{session.id}/debit")["http_status"] == 400
    control("payment-methods", sepa_debit=True)
    page = requests.get(client.v1.checkout.sessions.create(fee).url or "", timeout=10).text
    assert "SEPA" in page and "by card" not in page
    assert control("payment-methods")["http_status"] == 400
