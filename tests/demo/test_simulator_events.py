"""The event list, which heals lost webhooks: pages, filters, cursors."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

Control = Callable[..., Any]


@pytest.fixture
def customers(client: stripe.StripeClient, control: Control) -> list[str]:
    """Seven customers made ten seconds after each other; newest first."""
    ids = []
    for seconds in range(0, 70, 10):
        control("clock", offset=seconds)
        ids.append(client.v1.customers.create().id)
    return ids[::-1]


def about(events: Any) -> list[str]:
    return [event.data.object["id"] for event in events]


def test_events_come_newest_first_in_pages(client: stripe.StripeClient, customers: list[str]) -> None:
    first = client.v1.events.list({"limit": 3})
    assert (about(first.data), first.has_more) == (customers[:3], True)
    second = client.v1.events.list({"limit": 3, "starting_after": first.data[-1].id})
    assert (about(second.data), second.has_more) == (customers[3:6], True)
    third = client.v1.events.list({"limit": 3, "starting_after": second.data[-1].id})
    assert (about(third.data), third.has_more) == (customers[6:], False)
    assert about(client.v1.events.list({"limit": 2}).auto_paging_iter()) == customers


def test_pages_can_be_read_backwards(client: stripe.StripeClient, customers: list[str]) -> None:
    events = client.v1.events.list({"limit": 100}).data
    page = client.v1.events.list({"limit": 3, "ending_before": events[5].id})
    assert (about(page.data), page.has_more) == (customers[2:5], True)
    page = client.v1.events.list({"limit": 3, "ending_before": events[2].id})
    assert (about(page.data), page.has_more) == (customers[:2], False)


def test_events_are_found_by_when_they_happened(client: stripe.StripeClient, customers: list[str]) -> None:
    created = client.v1.events.list({"limit": 100}).data[3].created
    counts = {("gte", 0): 4, ("gt", 0): 3, ("lte", 0): 4, ("lt", 0): 3, ("gte", 1): 3, ("gte", 999): 0}
    for (bound, shift), count in counts.items():
        wanted: Any = {"created": {bound: created + shift}}
        assert len(client.v1.events.list(wanted).data) == count, (bound, shift)
    between: Any = {"created": {"gt": created - 15, "lt": created + 15}}
    assert about(client.v1.events.list(between).data) == customers[2:5]


def test_events_are_found_by_type(client: stripe.StripeClient, paid: Any) -> None:
    assert [e.type for e in client.v1.events.list({"type": "charge.succeeded"}).data] == ["charge.succeeded"]
    some = client.v1.events.list({"types": ["checkout.session.completed", "charge.succeeded", "payout.paid"]})
    assert [e.type for e in some.data] == ["checkout.session.completed", "charge.succeeded"]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.list({"type": "charge.succeeded", "types": ["charge.failed"]})


def test_an_event_keeps_the_object_as_it_was(client: stripe.StripeClient, paid: Any) -> None:
    client.v1.refunds.create({"payment_intent": paid.payment_intent.id})
    [succeeded] = client.v1.events.list({"type": "charge.succeeded"}).data
    assert client.v1.events.retrieve(succeeded.id).data.object["amount_refunded"] == 0
    assert client.v1.charges.retrieve(succeeded.data.object["id"]).amount_refunded == 3000


def test_an_event_names_the_request_that_caused_it(client: stripe.StripeClient, paid: Any) -> None:
    refund = client.v1.refunds.create(
        {"payment_intent": paid.payment_intent.id}, {"idempotency_key": "payment-7-refund"}
    )
    [event] = client.v1.events.list({"type": "refund.created"}).data
    assert event.request
    assert event.request.idempotency_key == "payment-7-refund"
    assert event.request.id == refund.last_response.headers["Request-Id"]
    [paid_event] = client.v1.events.list({"type": "checkout.session.completed"}).data
    assert paid_event.request and paid_event.request.id is None


def test_an_event_counts_the_webhooks_still_to_be_sent(
    client: stripe.StripeClient, control: Control, receiver: Any
) -> None:
    control("faults", delay=30)
    client.v1.customers.create()
    assert client.v1.events.list().data[0].pending_webhooks == 1
    control("retry")
    assert control("idle")["idle"]
    assert client.v1.events.list().data[0].pending_webhooks == 0


def test_events_older_than_thirty_days_are_gone_from_the_list(client: stripe.StripeClient, control: Control) -> None:
    client.v1.customers.create()
    control("clock", offset=30 * 86_400 - 60)
    assert len(client.v1.events.list().data) == 1
    control("clock", offset=30 * 86_400 + 60)
    assert client.v1.events.list().data == []


def test_a_wrong_page_is_refused(client: stripe.StripeClient) -> None:
    wrong: list[Any] = [
        {"limit": 0},
        {"limit": 101},
        {"starting_after": "evt_unknown"},
        {"starting_after": "evt_1", "ending_before": "evt_2"},
        {"created": {"since": 1}},
    ]
    for params in wrong:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.events.list(params)
