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
