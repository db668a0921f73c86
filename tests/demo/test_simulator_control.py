"""The control page for a person, and its JSON for tests."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from demo.simulator.server import Simulator

Control = Callable[..., Any]


def form(simulator: Simulator, path: str, **fields: str) -> requests.Response:
    """What a button on the control page sends."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{simulator.url}/_control/{path}"
    return requests.post(url, data=fields, headers=headers, allow_redirects=False, timeout=10)


def state(simulator: Simulator) -> Any:
    return requests.get(f"{simulator.url}/_control/state", timeout=10).json()


def test_the_page_shows_what_happened_and_what_can_be_done(
    simulator: Simulator, client: stripe.StripeClient, fee: Any, paid: Any
) -> None:
    empty = requests.get(f"{simulator.url}/_control", timeout=10)
    assert empty.status_code == 200
    client.v1.checkout.sessions.create(fee | {"client_reference_id": "payment-8"})
    page = requests.get(f"{simulator.url}/_control", timeout=10).text
    for text in ("payment-7", "payment-8", "€30.00", "checkout.session.completed", "delivered, answer 200"):
        assert text in page
    for address in (f"charges/{paid.payment_intent.latest_charge.id}/refund", "/clock", "/faults", "/expire"):
        assert address in page


def test_the_page_of_an_untouched_simulator_says_so(simulator: Simulator) -> None:
    assert "No checkout yet." in requests.get(f"{simulator.url}/_control", timeout=10).text


def test_buttons_do_and_come_back_to_the_page(
    simulator: Simulator, client: stripe.StripeClient, fee: Any, receiver: Any, control: Control
) -> None:
    paid, left = (client.v1.checkout.sessions.create(fee) for _ in range(2))
    assert form(simulator, f"checkouts/{paid.id}/pay").headers["Location"] == "/_control#checkouts"
    assert form(simulator, f"checkouts/{left.id}/expire").status_code == 303
    [charge] = client.v1.charges.list().data
    form(simulator, f"charges/{charge.id}/refund", amount="")
    assert client.v1.charges.retrieve(charge.id).refunded is True
    control("idle")
    before = len(receiver.got)
    [event] = client.v1.events.list({"type": "checkout.session.completed"}).data
    form(simulator, f"events/{event.id}/deliver")
    assert [e["id"] for e in receiver.events[before:]] == [event.id]


def test_a_person_sets_what_becomes_of_a_subscription_after_its_last_retry(simulator: Simulator) -> None:
    page = requests.get(f"{simulator.url}/_control", timeout=10).text
    assert '<option value="cancel" selected>is cancelled</option>' in page
    assert form(simulator, "retries", then="unpaid").headers["Location"] == "/_control#customers"
    assert '<option value="unpaid" selected>' in requests.get(f"{simulator.url}/_control", timeout=10).text
    assert form(simulator, "retries", then="forgive").status_code == 400


def test_the_page_leads_to_what_member_desk_and_treasurer_see(simulator: Simulator, receiver: Any) -> None:
    page = requests.get(f"{simulator.url}/_control", timeout=10).text
    for path in ("/", "/scan", "/treasury"):
        assert re.search(rf'href="http://127\.0\.0\.1:\d+{path}"', page), path


def test_a_form_sets_all_faults_and_json_only_those_it_names(simulator: Simulator, control: Control) -> None:
    form(simulator, "faults", drop="on", duplicate="3", delay="1.5", parallel="2", slow="0")
    assert state(simulator)["faults"] == {
        "drop": True,
        "duplicate": 3,
        "delay": 1.5,
        "parallel": 2,
        "shuffle": False,
        "sign_with": None,
        "slow": 0.0,
        "late_fees": 0.0,
        "wrong_mode": False,
        "refunds": "succeed",
    }
    control("faults", drop=False)
    assert state(simulator)["faults"]["duplicate"] == 3
    form(simulator, "faults", shuffle="on", duplicate="1")
    faults = state(simulator)["faults"]
    assert (faults["drop"], faults["shuffle"], faults["duplicate"], faults["delay"]) == (False, True, 1, 0.0)


def test_the_clock_moves_forward_and_back(
    simulator: Simulator, client: stripe.StripeClient, fee: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    form(simulator, "clock", add="3600")
    form(simulator, "clock", add="86400")
    assert state(simulator)["clock_offset"] == 90_000
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    form(simulator, "clock", offset="0")
    assert state(simulator)["clock_offset"] == 0


def test_a_year_passes_day_by_day_with_its_webhooks_on_their_days(
    simulator: Simulator, client: stripe.StripeClient, fee: Any, control: Control, receiver: Any
) -> None:
    moved: list[tuple[int, int]] = []
    simulator.account.on_clock = lambda offset: moved.append((offset, len(receiver.got)))
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/debit")
    control("idle")
    control("clock", add=365 * 86_400)
    assert [offset for offset, _ in moved] == [day * 86_400 for day in range(1, 366)]
    assert [got for _, got in moved[:5]] == [4] * 5
    assert moved[6][1] == 8
    [movement] = client.v1.balance_transactions.list().data
    assert movement.created - session.created in (5 * 86_400, 5 * 86_400 + 1)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("faults", {"mood": "bad"}),
        ("faults", {"refunds": "sometimes"}),
        ("faults", {"duplicate": "many"}),
        ("faults", {"delay": "long"}),
        ("faults", {"delay": "nan"}),
        ("faults", {"slow": -1}),
        ("clock", {"offset": "tomorrow"}),
        ("clock", {"offset": 10**12}),
        ("checkouts/cs_test_unknown/pay", {}),
        ("checkouts/cs_test_unknown/dance", {}),
        ("charges/ch_unknown/refund", {}),
        ("idle", {"timeout": None}),
    ],
)
def test_a_wrong_order_is_refused(simulator: Simulator, control: Control, path: str, values: Any) -> None:
    before = state(simulator)
    assert control(path, **values)["http_status"] in (400, 404)
    assert state(simulator) | {"now": 0} == before | {"now": 0}


def test_nothing_changes_by_looking(simulator: Simulator, client: stripe.StripeClient, fee: Any) -> None:
    session = client.v1.checkout.sessions.create(fee)
    for path in (f"checkouts/{session.id}/pay", "faults", "clock", "retry", "idle"):
        assert requests.get(f"{simulator.url}/_control/{path}", timeout=10).status_code in (404, 405)
    assert client.v1.events.list().data == []


def test_a_test_can_read_what_the_application_asked_for(
    simulator: Simulator, client: stripe.StripeClient, fee: Any
) -> None:
    client.v1.checkout.sessions.create(fee, {"idempotency_key": "payment-7-attempt-1-create"})
    [call] = requests.get(f"{simulator.url}/_control/calls", timeout=10).json()["data"]
    assert (call["method"], call["route"], call["status"]) == ("POST", "/v1/checkout/sessions", 200)
    assert call["idempotency_key"] == "payment-7-attempt-1-create"
    assert call["params"] == fee
