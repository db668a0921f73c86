"""Payouts: each is exactly a set of balance transactions, and none of them is paid out twice."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from demo.simulator.server import Simulator

Control = Callable[..., Any]
DAY = 86_400


@pytest.fixture
def sell(client: stripe.StripeClient, fee: Any, control: Control) -> Callable[[], Any]:
    """A paid fee of 30.00; its charge."""

    def pay() -> Any:
        session = client.v1.checkout.sessions.create(fee)
        control(f"checkouts/{session.id}/pay")
        return client.v1.charges.list({"limit": 1}).data[0]

    return pay


def made_of(client: stripe.StripeClient, payout_id: str) -> dict[str, int]:
    """The balance transactions of a payout but its own: id and net."""
    movements = client.v1.balance_transactions.list({"payout": payout_id, "limit": 100}).data
    [own] = [movement for movement in movements if movement.type == "payout"]
    assert (own.source, own.net) == (payout_id, -client.v1.payouts.retrieve(payout_id).amount)
    return {movement.id: movement.net for movement in movements if movement.type != "payout"}


def test_a_payout_is_the_sum_of_what_was_available(
    client: stripe.StripeClient, sell: Any, control: Control, receiver: Any
) -> None:
    first, second = sell(), sell()
    client.v1.refunds.create({"charge": first.id, "amount": 1000})
    control("clock", offset=4 * DAY)
    late = sell()
    control("idle")
    before = len(receiver.got)
    payout = client.v1.payouts.retrieve(control("payouts")["id"])
    assert (payout.amount, payout.status, payout.automatic) == (2 * 2930 - 1000, "in_transit", True)
    assert sum(made_of(client, payout.id).values()) == payout.amount
    charges = [client.v1.charges.retrieve(charge.id).balance_transaction for charge in (first, second)]
    assert set(charges) < made_of(client, payout.id).keys()
    assert client.v1.charges.retrieve(late.id).balance_transaction not in made_of(client, payout.id)
    assert payout.reconciliation_status == "completed"
    control("clock", offset=7 * DAY)
    assert client.v1.payouts.retrieve(payout.id).status == "paid"
    control("idle")
    assert receiver.types[before:] == ["payout.created", "payout.reconciliation_completed", "payout.paid"]


def test_nothing_is_paid_out_twice(client: stripe.StripeClient, sell: Any, control: Control) -> None:
    sell()
    control("clock", offset=4 * DAY)
    first = control("payouts")["id"]
    assert control("payouts") == {}
    sell()
    control("clock", offset=8 * DAY)
    second = control("payouts")["id"]
    assert not made_of(client, first).keys() & made_of(client, second).keys()
    assert [payout.id for payout in client.v1.payouts.list().data] == [second, first]


def test_a_payout_is_negative_when_more_went_than_came(
    client: stripe.StripeClient, sell: Any, control: Control
) -> None:
    charge = sell()
    control("clock", offset=4 * DAY)
    control("payouts")
    control(f"charges/{charge.id}/dispute")
    payout = client.v1.payouts.retrieve(control("payouts")["id"])
    assert (payout.amount, sum(made_of(client, payout.id).values())) == (-5000, -5000)


def test_a_failed_payout_comes_back_and_is_in_the_next_one(
    client: stripe.StripeClient, sell: Any, control: Control, receiver: Any
) -> None:
    sell()
    control("clock", offset=4 * DAY)
    first = control("payouts")["id"]
    for _ in range(2):
        control(f"payouts/{first}/fail")
    failed: Any = client.v1.payouts.retrieve(first, {"expand": ["failure_balance_transaction"]})
    back = failed.failure_balance_transaction
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert (back.type, back.net, back.source) == ("payout_failure", 2930, first)
    control("clock", offset=8 * DAY)
    assert client.v1.payouts.retrieve(first).status == "failed"
    second = control("payouts")["id"]
    assert made_of(client, second) == {back.id: 2930}
    control("idle")
    assert receiver.types.count("payout.failed") == 1


def test_a_payout_can_fail_after_it_was_paid(client: stripe.StripeClient, sell: Any, control: Control) -> None:
    sell()
    control("clock", offset=4 * DAY)
    payout_id = control("payouts")["id"]
    assert control(f"payouts/{payout_id}/arrive")["status"] == "paid"
    assert control(f"payouts/{payout_id}/fail")["status"] == "failed"


@pytest.mark.parametrize("schedule", ["daily", "weekly", "monthly"])
def test_payouts_leave_by_themselves_on_their_days(
    client: stripe.StripeClient, sell: Any, control: Control, schedule: str
) -> None:
    control("payouts/schedule", schedule=schedule)
    charge = sell()
    control("clock", offset=35 * DAY)
    [payout] = client.v1.payouts.list().data
    left = datetime.fromtimestamp(payout.created, UTC)
    assert payout.created - charge.created > 2 * DAY
    assert {"daily": True, "weekly": left.weekday() == 0, "monthly": left.day == 1}[schedule]
    assert sum(made_of(client, payout.id).values()) == payout.amount == 2930


def test_all_payouts_together_are_all_that_was_available(
    client: stripe.StripeClient, simulator: Simulator, sell: Any, control: Control
) -> None:
    control("payouts/schedule", schedule="daily")
    for day in range(0, 20, 2):
        control("clock", offset=day * DAY)
        charge = sell()
        if day % 3 == 0:
            control(f"charges/{charge.id}/refund", amount=700)
        if day % 8 == 0:
            control(f"charges/{charge.id}/dispute")
    control("clock", offset=30 * DAY)
    payouts = client.v1.payouts.list({"limit": 100}).data
    inside = [movement for payout in payouts for movement in made_of(client, payout.id).items()]
    everything = client.v1.balance_transactions.list({"limit": 100}).auto_paging_iter()
    assert dict(inside) == {movement.id: movement.net for movement in everything if movement.type != "payout"}
    assert len(inside) == len(dict(inside))
    assert {payout.status for payout in payouts} == {"paid"}


def test_the_transactions_of_an_unknown_payout_are_refused(client: stripe.StripeClient, control: Control) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.balance_transactions.list({"payout": "po_unknown"})
    assert refusal.value.param == "payout"
    assert control("payouts/schedule", schedule="sometimes")["http_status"] == 400
    assert control("payouts", currency="gbp")["http_status"] == 400
