"""Subscriptions on the simulator: what begins them, what time does to them, what ends them."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from demo.simulator.periods import boundary_after
from tests.demo.billing import DAY, Billing, day


def test_a_subscription_with_a_trial_is_charged_when_the_trial_ends(billing: Billing) -> None:
    trial_end = billing.account.now() + 20 * DAY
    begun = billing.subscribe(trial_end=trial_end, off_session=True, metadata={"person": "7"})
    assert (begun.status, begun.trial_end, begun.billing_cycle_anchor) == ("trialing", trial_end, trial_end)
    item = begun["items"].data[0]
    assert (item.current_period_end, item.price.unit_amount) == (trial_end, 3000)
    [nothing] = billing.invoices(begun)
    assert (nothing.status, nothing.amount_due, nothing.billing_reason) == ("paid", 0, "subscription_create")
    assert billing.api.charges.list().data == []
    billing.days(20 + 1 / 24)
    now = billing.again(begun)
    assert now.status == "active"
    item = now["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (
        trial_end,
        boundary_after(trial_end, YEAR, trial_end),
    )
    [charge] = billing.api.charges.list().data
    assert (charge.amount, charge.status, charge.created) == (3000, "succeeded", trial_end + 3600)
    paid = billing.invoices(begun)[1]
    assert (paid.status, paid.amount_paid, paid.billing_reason) == ("paid", 3000, "subscription_cycle")


def test_a_subscription_without_a_trial_is_charged_at_once(billing: Billing) -> None:
    begun = billing.subscribe()
    assert begun.status == "active"
    assert [charge.amount for charge in billing.api.charges.list().data] == [3000]
    assert billing.types("invoice.", "customer.subscription") == [
        "invoice.created",
        "customer.subscription.created",
        "invoice.finalized",
        "invoice.paid",
        "customer.subscription.updated",
        "invoice.payment_succeeded",
    ]


def test_a_subscription_whose_first_payment_fails_is_incomplete_and_expires_in_a_day(billing: Billing) -> None:
    begun = billing.subscribe(billing.customer("declined_later"))
    assert begun.status == "incomplete"
    assert [invoice.status for invoice in billing.invoices(begun)] == ["open"]
    billing.days(1)
    assert billing.again(begun).status == "incomplete_expired"
    assert [invoice.status for invoice in billing.invoices(begun)] == ["void"]


def test_a_subscription_may_be_refused_when_it_cannot_be_paid_at_once(billing: Billing) -> None:
    with pytest.raises(stripe.CardError):
        billing.subscribe(billing.customer("declined_later"), payment_behavior="error_if_incomplete")
    assert billing.api.subscriptions.list({"status": "all"}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        billing.subscribe(billing.customer(None))


def test_each_thing_happens_at_its_own_instant_when_a_year_passes(billing: Billing) -> None:
    begun = billing.subscribe(trial_end=billing.account.now() + 40 * DAY)
    start = begun.trial_end - 40 * DAY
    billing.days(45)
    upcoming, warned = billing.told("invoice.upcoming", "customer.subscription.trial_will_end")
    assert (upcoming.created - start, warned.created - start) == (33 * DAY, 37 * DAY)
    assert upcoming.data.object["amount_due"] == 3000
    created, finalized, paid = billing.told("invoice.created", "invoice.finalized", "invoice.paid")[-3:]
    assert [event.created - start for event in (created, finalized, paid)] == [
        40 * DAY,
        40 * DAY + 3600,
        40 * DAY + 3600,
    ]
    billing.days(2 * 366)
    assert [day(invoice.created) for invoice in billing.invoices(begun)[1:]] == [
        day(boundary) for boundary in (start + 40 * DAY, years(start + 40 * DAY, 1), years(start + 40 * DAY, 2))
    ]
    instants = [event.created for event in billing.told()]
    assert instants == sorted(instants)


def test_the_control_page_moves_time_and_webhooks_come_in_its_order(
    billing: Billing, control: Any, receiver: Any
) -> None:
    begun = billing.subscribe(trial_end=billing.account.now() + 10 * DAY)
    control("clock", add=12 * DAY)
    assert control("idle")["idle"]
    assert billing.again(begun).status == "active"
    instants = [event["created"] for event in receiver.events]
    assert instants == sorted(instants)
    assert receiver.types.index("invoice.upcoming") < receiver.types.index("customer.subscription.trial_will_end")
    assert receiver.types[-2:] == ["invoice.payment_succeeded", "charge.updated"]


def test_a_trial_that_ends_within_three_days_is_announced_at_once(billing: Billing) -> None:
    billing.subscribe(trial_end=billing.account.now() + 2 * DAY)
    assert billing.types("customer.subscription.") == [
        "customer.subscription.created",
        "customer.subscription.trial_will_end",
    ]


def test_moving_the_end_of_the_trial_moves_the_next_charge(billing: Billing) -> None:
    begun = billing.subscribe(trial_end=billing.account.now() + 10 * DAY)
    moved: Any = {"trial_end": begun.trial_end + 30 * DAY, "proration_behavior": "none"}
    later = billing.api.subscriptions.update(begun.id, moved)
    assert (later.status, later["items"].data[0].current_period_end) == ("trialing", moved["trial_end"])
    billing.days(39)
    assert billing.api.charges.list().data == []
    billing.days(2)
    assert [charge.created for charge in billing.api.charges.list().data] == [moved["trial_end"] + 3600]


def test_an_active_subscription_is_moved_by_a_trial_without_a_charge(billing: Billing) -> None:
    begun = billing.subscribe()
    billing.days(10)
    until = billing.account.now() + 100 * DAY
    moved = billing.api.subscriptions.update(begun.id, {"trial_end": until, "proration_behavior": "none"})
    assert (moved.status, moved.billing_cycle_anchor) == ("trialing", until)
    assert [invoice.total for invoice in billing.invoices(begun)] == [3000, 0]
    billing.days(101)
    assert [invoice.total for invoice in billing.invoices(begun)] == [3000, 0, 3000]


def test_ending_the_trial_now_charges_now(billing: Billing) -> None:
    begun = billing.subscribe(trial_end=billing.account.now() + 10 * DAY)
    active = billing.api.subscriptions.update(begun.id, {"trial_end": "now", "proration_behavior": "none"})
    assert active.status == "active"
    assert [charge.amount for charge in billing.api.charges.list().data] == [3000]


def test_a_new_price_without_proration_counts_from_the_next_period(billing: Billing) -> None:
    begun = billing.subscribe(trial_end=billing.account.now() + 10 * DAY)
    billing.days(20)
    change: Any = {
        "items": [{"id": begun["items"].data[0].id, "price_data": billing.price(5000)}],
        "proration_behavior": "none",
    }
    changed = billing.api.subscriptions.update(begun.id, change)
    assert changed["items"].data[0].price.unit_amount == 5000
    billing.days(366)
    assert [invoice.total for invoice in billing.invoices(begun)] == [0, 3000, 5000]


def test_a_new_price_is_prorated_unless_that_is_refused(billing: Billing) -> None:
    begun = billing.subscribe(interval="month")
    end = begun["items"].data[0].current_period_end
    billing.days(15)
    change: Any = {"items": [{"id": begun["items"].data[0].id, "price_data": billing.price(6000, "month")}]}
    billing.api.subscriptions.update(begun.id, change)
    whole, rest = end - begun.created, end - billing.account.now()
    credit, extra = sorted(item.amount for item in billing.api.invoice_items.list({"customer": begun.customer}).data)
    assert abs(credit + 3000 * rest / whole) <= 1 and abs(extra - 6000 * rest / whole) <= 1
    billing.days(17)
    assert billing.invoices(begun)[1].total == 6000 + credit + extra


def test_cancelling_at_the_end_of_the_period_can_be_undone(billing: Billing) -> None:
    begun = billing.subscribe()
    leaving = billing.api.subscriptions.update(begun.id, {"cancel_at_period_end": True})
    assert (leaving.status, leaving.cancel_at_period_end) == ("active", True)
    assert leaving.cancel_at == leaving["items"].data[0].current_period_end
    staying = billing.api.subscriptions.update(begun.id, {"cancel_at_period_end": False})
    assert (staying.cancel_at, staying.canceled_at) == (None, None)
    billing.api.subscriptions.update(begun.id, {"cancel_at_period_end": True})
    billing.days(366)
    ended = billing.again(begun)
    assert (ended.status, ended.ended_at) == ("canceled", leaving.cancel_at)
    assert ended.cancellation_details.reason == "cancellation_requested"
    assert len(billing.invoices(begun)) == 1
    assert billing.types("customer.subscription.deleted", "invoice.upcoming") == ["customer.subscription.deleted"]


def test_cancelling_ends_a_subscription_at_once_and_only_once(billing: Billing) -> None:
    begun = billing.subscribe(trial_end=billing.account.now() + 10 * DAY)
    ended = billing.api.subscriptions.cancel(begun.id)
    assert (ended.status, ended.ended_at) == ("canceled", ended.canceled_at)
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        billing.api.subscriptions.cancel(begun.id)
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        billing.api.subscriptions.update(begun.id, {"cancel_at_period_end": True})
    billing.days(20)
    assert billing.api.charges.list().data == []


def test_a_list_leaves_out_what_was_cancelled_unless_asked(billing: Billing) -> None:
    customer = billing.customer()
    running, ended = (billing.subscribe(customer) for _ in range(2))
    billing.api.subscriptions.cancel(ended.id)
    found = {
        status: [s.id for s in billing.api.subscriptions.list({"customer": customer, "status": status}).data]
        for status in ("all", "active", "canceled", "ended", "past_due")
    }
    assert found == {
        "all": [ended.id, running.id],
        "active": [running.id],
        "canceled": [ended.id],
        "ended": [ended.id],
        "past_due": [],
    }
    assert [s.id for s in billing.api.subscriptions.list({"customer": customer}).data] == [running.id]


def test_metadata_is_merged_and_an_empty_value_takes_its_key_away(billing: Billing) -> None:
    begun = billing.subscribe(metadata={"person": "7", "tier": "basic"})
    changed = billing.api.subscriptions.update(begun.id, {"metadata": {"tier": "", "term": "3"}})
    assert changed.metadata.to_dict() == {"person": "7", "term": "3"}
    event = billing.told("customer.subscription.updated")[-1]
    assert event.data.previous_attributes.to_dict() == {"metadata": {"person": "7", "tier": "basic"}}


def test_a_paused_subscription_writes_invoices_and_collects_none(billing: Billing) -> None:
    begun = billing.subscribe(interval="month")
    paused = billing.api.subscriptions.update(begun.id, {"pause_collection": {"behavior": "void"}})
    assert paused.pause_collection.behavior == "void"
    billing.days(32)
    assert [invoice.status for invoice in billing.invoices(begun)] == ["paid", "void"]
    billing.api.subscriptions.update(begun.id, {"pause_collection": ""})
    billing.days(31)
    assert [invoice.status for invoice in billing.invoices(begun)] == ["paid", "void", "paid"]


def test_deleting_a_customer_ends_what_they_subscribed_to(billing: Billing) -> None:
    begun = billing.subscribe()
    assert billing.api.customers.delete(begun.customer).deleted is True
    assert billing.api.customers.retrieve(begun.customer).deleted is True
    assert begun.customer not in [customer.id for customer in billing.api.customers.list().data]
    assert billing.again(begun).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        billing.subscribe(begun.customer)


def test_a_method_of_somebody_else_is_refused(billing: Billing) -> None:
    customer, other = billing.customer(), billing.customer()
    method = billing.method(other)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        billing.subscribe(customer, default_payment_method=method)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        billing.api.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})


def test_a_detached_method_is_nobodys_default_any_more(billing: Billing) -> None:
    customer = billing.customer(None)
    method = billing.method(customer)
    billing.api.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    begun = billing.subscribe(customer, default_payment_method=method)
    billing.api.payment_methods.detach(method)
    assert billing.again(begun).default_payment_method is None
    after = billing.api.customers.retrieve(customer)
    assert after.invoice_settings and after.invoice_settings.default_payment_method is None
    assert billing.api.payment_methods.list({"customer": customer}).data == []


def test_a_year_of_a_hundred_members_passes_in_a_moment(billing: Billing) -> None:
    customer = billing.customer()
    for number in range(100):
        params: Any = {"trial_period_days": 5 + number % 60}
        billing.subscribe(customer, **params)
    before = time.thread_time()
    billing.days(366)
    assert time.thread_time() - before < 1
    assert len(list(billing.api.charges.list({"limit": 100}).auto_paging_iter())) >= 100


YEAR = {"interval": "year", "interval_count": 1}
MONTH = {"interval": "month", "interval_count": 1}


def years(moment: int, count: int) -> int:
    return boundary_after(moment, {"interval": "year", "interval_count": count}, moment)


@pytest.mark.parametrize(
    ("anchor", "recurring", "moment", "expected"),
    [
        ("2027-01-31", MONTH, "2027-01-31", "2027-02-28"),
        ("2027-01-31", MONTH, "2027-02-28", "2027-03-31"),
        ("2028-01-31", MONTH, "2028-01-31", "2028-02-29"),
        ("2028-02-29", YEAR, "2028-02-29", "2029-02-28"),
        ("2028-02-29", YEAR, "2031-03-01", "2032-02-29"),
        ("2027-12-15", MONTH, "2027-12-15", "2028-01-15"),
        ("2027-03-01", {"interval": "week", "interval_count": 2}, "2027-03-01", "2027-03-15"),
        ("2027-03-01", {"interval": "day", "interval_count": 1}, "2027-03-05", "2027-03-06"),
        ("2027-08-31", {"interval": "month", "interval_count": 6}, "2027-09-01", "2028-02-29"),
    ],
)
def test_periods_keep_the_day_they_began_on(anchor: str, recurring: Any, moment: str, expected: str) -> None:
    at = [int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) for text in (anchor, moment)]
    assert day(boundary_after(at[0], recurring, at[1])) == expected
