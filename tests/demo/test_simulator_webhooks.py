"""Webhooks as Stripe's own library verifies them: signed, retried, and misbehaving when told to."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from demo.simulator.server import SIGNING_KEY, Simulator

Control = Callable[..., Any]


def verify(delivery: tuple[bytes, str], key: str = SIGNING_KEY) -> stripe.Event:
    body, signature = delivery
    return stripe.Webhook.construct_event(body, signature, key)


def test_stripes_library_accepts_every_signature(paid: Any, receiver: Any) -> None:
    events = [verify(delivery) for delivery in receiver.got]
    [completed] = [event for event in events if event.type == "checkout.session.completed"]
    assert completed.data.object["id"] == paid.id
    assert completed.api_version == stripe.api_version
    assert completed.livemode is False


def test_a_changed_body_or_another_secret_is_refused(paid: Any, receiver: Any) -> None:
    body, signature = receiver.got[0]
    for delivery, key in [
        ((body.replace(b"3000", b"1"), signature), SIGNING_KEY),
        ((body, signature), "whsec_other"),
    ]:
        with pytest.raises(stripe.SignatureVerificationError):
            verify(delivery, key)


def test_the_signature_is_of_real_time_when_the_providers_clock_is_moved(
    client: stripe.StripeClient, control: Control, receiver: Any
) -> None:
    control("clock", offset=20 * 86_400)
    client.v1.customers.create()
    control("idle")
    event = verify(receiver.got[0])
    assert event.created > time.time() + 19 * 86_400


def test_an_unanswered_event_is_sent_again_until_it_is_taken(
    client: stripe.StripeClient, receiver: Any, simulator: Simulator, control: Control
) -> None:
    receiver.answers = [500, 404, 302, 503]
    client.v1.customers.create()
    assert control("idle")["idle"]
    assert len(receiver.got) == 5
    assert len({event["id"] for event in receiver.events}) == 1
    [delivery] = requests.get(f"{simulator.url}/_control/deliveries", timeout=10).json()["data"]
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("delivered", 5, 200)
    assert (delivery["event"], delivery["type"]) == (receiver.events[0]["id"], "customer.created")


def test_a_receiver_that_is_down_gets_the_event_when_it_is_up(
    client: stripe.StripeClient, receiver: Any, simulator: Simulator, control: Control
) -> None:
    address, simulator.webhooks.url = simulator.webhooks.url, "http://127.0.0.1:9/down"
    client.v1.customers.create()
    assert control("idle", timeout=0.1) == {"idle": False, "pending": 1}
    simulator.webhooks.url = address
    assert control("idle")["idle"]
    assert receiver.types == ["customer.created"]


def test_every_event_can_come_several_times(client: stripe.StripeClient, control: Control, receiver: Any) -> None:
    control("faults", duplicate=15)
    client.v1.customers.create()
    assert control("idle")["idle"]
    assert len(receiver.got) == 15
    assert len({event["id"] for event in receiver.events}) == 1


def test_events_can_come_in_any_order(client: stripe.StripeClient, fee: Any, control: Control, receiver: Any) -> None:
    control("faults", shuffle=True, duplicate=4)
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/pay")
    assert control("idle")["idle"]
    in_order = [event.type for event in client.v1.events.list().data][::-1]
    assert sorted(receiver.types) == sorted(in_order * 4)
    assert receiver.types != [kind for kind in in_order for _ in range(4)]


def test_events_can_be_lost_while_the_list_still_has_them(
    client: stripe.StripeClient, control: Control, receiver: Any, simulator: Simulator
) -> None:
    control("faults", drop=True)
    client.v1.customers.create()
    assert control("idle")["idle"]
    assert receiver.got == []
    assert [event.type for event in client.v1.events.list().data] == ["customer.created"]
    [delivery] = requests.get(f"{simulator.url}/_control/deliveries?state=dropped", timeout=10).json()["data"]
    assert delivery["attempts"] == 0


def test_events_can_be_late(client: stripe.StripeClient, control: Control, receiver: Any) -> None:
    control("faults", delay=0.3)
    asked = time.time()
    client.v1.customers.create()
    assert control("idle", timeout=0.1)["idle"] is False
    assert receiver.got == []
    assert control("idle")["idle"]
    assert len(receiver.got) == 1 and time.time() - asked >= 0.3


def test_events_can_be_signed_with_another_secret_until_it_is_put_right(
    client: stripe.StripeClient, control: Control, receiver: Any
) -> None:
    control("faults", sign_with="whsec_other")
    receiver.answers = [400] * 1000  # as a site does that knows only the right secret
    client.v1.customers.create()
    while not receiver.got:
        time.sleep(0.01)
    control("faults", sign_with=None)
    before = len(receiver.got)
    while len(receiver.got) < before + 2:  # one signed wrongly may have been on its way
        time.sleep(0.01)
    receiver.answers = []
    assert control("idle")["idle"]
    with pytest.raises(stripe.SignatureVerificationError):
        verify(receiver.got[0])
    assert verify(receiver.got[0], "whsec_other").type == verify(receiver.got[-1]).type == "customer.created"


def test_events_can_come_from_the_wrong_mode(client: stripe.StripeClient, control: Control, receiver: Any) -> None:
    control("faults", wrong_mode=True)
    client.v1.customers.create()
    assert control("idle")["idle"]
    assert verify(receiver.got[0]).livemode is True
    assert client.v1.events.list().data[0].livemode is False


def test_events_come_one_by_one_unless_told_otherwise(
    client: stripe.StripeClient, fee: Any, control: Control, receiver: Any
) -> None:
    receiver.seconds = 0.03
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/pay")
    assert control("idle")["idle"]
    assert receiver.most_at_once == 1
    control("faults", parallel=4, duplicate=4)
    client.v1.customers.create()
    assert control("idle")["idle"]
    assert 1 < receiver.most_at_once <= 4


def test_an_event_can_be_delivered_many_times_at_once(
    simulator: Simulator, client: stripe.StripeClient, paid: Any, control: Control, receiver: Any
) -> None:
    [event] = client.v1.events.list({"type": "checkout.session.completed"}).data
    before = len(receiver.got)
    receiver.seconds = 0.05
    receiver.answers = [500]
    answer = control(f"events/{event.id}/deliver", times=15, parallel=True)
    assert sorted(answer["statuses"]) == [200] * 14 + [500]
    assert [e["id"] for e in receiver.events[before:]] == [event.id] * 15
    assert receiver.most_at_once > 1
    url = f"{simulator.url}/_control/deliveries?event={event.id}"
    states = [delivery["state"] for delivery in requests.get(url, timeout=10).json()["data"]]
    assert sorted(states) == ["delivered"] * 15 + ["failed"]
    assert control("idle") == {"idle": True, "pending": 0}
    assert control("events/evt_unknown/deliver")["http_status"] == 404
    assert control(f"events/{event.id}/deliver", times=0)["http_status"] == 400


def test_without_an_address_nothing_is_sent_and_everything_is_kept(
    client: stripe.StripeClient, simulator: Simulator, control: Control, receiver: Any
) -> None:
    simulator.webhooks.url = None
    client.v1.customers.create()
    assert control("idle") == {"idle": True, "pending": 0}
    [event] = client.v1.events.list().data
    assert control(f"events/{event.id}/deliver")["errors"] == ["no webhook address"]
