"""Checkout on the simulator: through stripe-python, and on the hosted page as a person would."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from demo.simulator.server import Simulator

Control = Callable[..., Any]
Fee = dict[str, Any]
FORM = {"email": "alice@example.org", "name": "Alice Roca"}


def press(url: str, way: str = "accepted", **fields: str) -> requests.Response:
    return requests.post(url, data=FORM | {"way": way} | fields, allow_redirects=False, timeout=10)


def test_a_new_checkout_is_open_and_unpaid(client: stripe.StripeClient, fee: Fee) -> None:
    session = client.v1.checkout.sessions.create(fee)
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
    assert (session.amount_total, session.currency) == (3000, "eur")
    assert session.client_reference_id == "payment-7"
    assert session.metadata and session.metadata["payment"] == "7"
    assert session.payment_intent is None
    assert session.expires_at - session.created == 24 * 3600
    lines = client.v1.checkout.sessions.line_items.list(session.id)
    assert [(line.description, line.quantity, line.amount_total) for line in lines.data] == [
        ("Basic membership", 1, 3000)
    ]


def test_paying_on_the_page_leads_to_the_success_address(
    client: stripe.StripeClient, fee: Fee, receiver: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    assert session.url
    page = requests.get(session.url, timeout=10)
    assert page.status_code == 200
    assert "€30.00" in page.text and "Basic membership" in page.text and "alice@example.org" in page.text
    answer = press(session.url)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://127.0.0.1:9/paid?checkout={session.id}"
    assert control("idle")["idle"]
    assert receiver.types == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_a_paid_checkout_tells_the_charge_the_fee_and_the_net(client: stripe.StripeClient, fee: Fee, paid: Any) -> None:
    session = client.v1.checkout.sessions.retrieve(
        paid.id, {"expand": ["payment_intent.latest_charge.balance_transaction", "line_items"]}
    )
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert session.customer_details and session.customer_details.email == "alice@example.org"
    intent = session.payment_intent
    assert (intent.status, intent.amount_received, intent.metadata["payment"]) == ("succeeded", 3000, "7")
    movement = intent.latest_charge.balance_transaction
    assert (movement.amount, movement.fee, movement.net) == (3000, 70, 2930)
    assert [detail.amount for detail in movement.fee_details] == [70]
    assert movement.status == "pending"


def test_the_fee_is_one_and_a_half_percent_rounded_half_up_and_25_cents(
    client: stripe.StripeClient, fee: Fee, control: Control
) -> None:
    expected = {50: 26, 99: 26, 100: 27, 3000: 70, 3333: 75, 3366: 75, 3367: 76, 5000: 100}
    for amount in expected:
        fee["line_items"][0]["price_data"]["unit_amount"] = amount
        session = client.v1.checkout.sessions.create(fee)
        control(f"checkouts/{session.id}/pay")
    movements = client.v1.balance_transactions.list().data
    assert {movement.amount: movement.fee for movement in movements} == expected
    assert all(movement.net == movement.amount - movement.fee for movement in movements)


def test_the_fee_is_unknown_when_the_charge_succeeds_and_known_when_it_is_updated(paid: Any, receiver: Any) -> None:
    by_type = {event["type"]: event["data"] for event in receiver.events}
    assert by_type["charge.succeeded"]["object"]["balance_transaction"] is None
    assert by_type["charge.updated"]["object"]["balance_transaction"].startswith("txn_")
    assert by_type["charge.updated"]["previous_attributes"] == {"balance_transaction": None}


def test_the_fee_can_be_unknown_for_a_while(
    client: stripe.StripeClient, fee: Fee, receiver: Any, control: Control
) -> None:
    control("faults", late_fees=60)
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/pay")
    assert control("idle")["idle"]
    [charge] = client.v1.charges.list().data
    assert (charge.status, charge.balance_transaction) == ("succeeded", None)
    assert receiver.types[-1] == "checkout.session.completed"
    control("clock", offset=61)
    while receiver.types[-1] != "charge.updated":
        time.sleep(0.01)
    [charge] = client.v1.charges.list({"expand": ["data.balance_transaction"]}).data
    movement: Any = charge.balance_transaction
    assert movement.fee == 70


def test_money_becomes_available_days_later(client: stripe.StripeClient, paid: Any, control: Control) -> None:
    control("clock", offset=4 * 86_400)
    assert [movement.status for movement in client.v1.balance_transactions.list().data] == ["available"]


def test_a_declined_card_keeps_the_page_and_a_second_card_pays(
    client: stripe.StripeClient, fee: Fee, receiver: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    assert session.url
    refused = press(session.url, way="declined")
    assert (refused.status_code, refused.headers["Location"]) == (303, f"/pay/{session.id}")
    page = requests.get(session.url, timeout=10)
    assert "Your card was declined." in page.text and "Alice Roca" in page.text
    now = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (now.status, now.payment_status) == ("open", "unpaid")
    intent = now.payment_intent
    assert (intent.status, intent.last_payment_error.code) == ("requires_payment_method", "card_declined")
    assert (intent.latest_charge.status, intent.latest_charge.balance_transaction) == ("failed", None)
    assert press(session.url).status_code == 303
    assert control("idle")["idle"]
    assert receiver.types[:3] == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert receiver.types.count("payment_intent.created") == 1
    assert [charge.status for charge in client.v1.charges.list({"payment_intent": intent.id}).data] == [
        "succeeded",
        "failed",
    ]
    after = client.v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.last_payment_error) == ("succeeded", None)


def test_closing_the_tab_changes_nothing(client: stripe.StripeClient, fee: Fee, simulator: Simulator) -> None:
    session = client.v1.checkout.sessions.create(fee)
    left = requests.get(f"{session.url}/left", timeout=10)
    assert left.status_code == 200 and "nothing was taken" in left.text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert client.v1.events.list().data == []


def test_pressing_pay_twice_pays_once(client: stripe.StripeClient, fee: Fee) -> None:
    session = client.v1.checkout.sessions.create(fee)
    assert session.url
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(press, [session.url] * 6))
    assert {(a.status_code, a.headers["Location"]) for a in answers} == {
        (303, f"http://127.0.0.1:9/paid?checkout={session.id}")
    }
    assert len(client.v1.charges.list().data) == 1
    assert press(session.url).status_code == 303
    assert "Already paid" in requests.get(session.url, timeout=10).text
    assert len(client.v1.charges.list().data) == 1


def test_a_wrong_address_is_told_and_nothing_is_charged(client: stripe.StripeClient, fee: Fee) -> None:
    session = client.v1.checkout.sessions.create(fee)
    assert session.url
    for email in ("", "alice", "alice@", "alice@example", "a b@example.org"):
        answer = press(session.url, email=email)
        assert answer.status_code == 400 and "Write an e-mail address" in answer.text
    assert client.v1.charges.list().data == []


def test_what_a_person_types_is_shown_as_text(client: stripe.StripeClient, fee: Fee) -> None:
    fee["line_items"][0]["price_data"]["product_data"]["name"] = "<b>Basic</b>"
    session = client.v1.checkout.sessions.create(fee)
    assert session.url
    press(session.url, way="declined", name='"><script>alert(1)</script>')
    page = requests.get(session.url, timeout=10)
    assert "<script" not in page.text and "<b>" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_an_expired_checkout_cannot_be_paid(
    client: stripe.StripeClient, fee: Fee, receiver: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    assert session.url
    client.v1.checkout.sessions.expire(session.id)
    assert "has expired" in requests.get(session.url, timeout=10).text
    assert press(session.url).status_code == 409
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        client.v1.checkout.sessions.expire(session.id)
    assert control("idle")["idle"]
    assert receiver.types == ["checkout.session.expired"]
    assert client.v1.charges.list().data == []


def test_a_paid_checkout_cannot_be_expired(client: stripe.StripeClient, paid: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        client.v1.checkout.sessions.expire(paid.id)


@pytest.mark.parametrize(("late_by", "status"), [(-2, "open"), (0, "expired"), (1, "expired")])
def test_an_abandoned_checkout_expires_when_its_time_is_over(
    client: stripe.StripeClient, fee: Fee, control: Control, late_by: int, status: str
) -> None:
    session = client.v1.checkout.sessions.create(fee | {"expires_at": int(time.time()) + 3600})
    control("clock", offset=session.expires_at - int(time.time()) + late_by)
    assert client.v1.checkout.sessions.retrieve(session.id).status == status


def test_expiry_after_a_decline_cancels_the_payment_intent(
    client: stripe.StripeClient, fee: Fee, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/decline")
    client.v1.checkout.sessions.expire(session.id)
    [intent] = client.v1.payment_intents.list().data
    assert (intent.status, intent.cancellation_reason) == ("canceled", "expired")


@pytest.mark.parametrize("seconds", [29 * 60, 24 * 3600 + 60])
def test_a_checkout_lives_between_half_an_hour_and_a_day(client: stripe.StripeClient, fee: Fee, seconds: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create(fee | {"expires_at": int(time.time()) + seconds})
    assert refusal.value.param == "expires_at"


def test_a_known_customer_is_kept_and_their_address_is_filled_in(
    client: stripe.StripeClient, fee: Fee, control: Control
) -> None:
    customer = client.v1.customers.create({"email": "bob@example.org", "name": "Bob Sala", "metadata": {"person": "2"}})
    del fee["customer_email"]
    session = client.v1.checkout.sessions.create(fee | {"customer": customer.id})
    control(f"checkouts/{session.id}/pay")
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert after.customer.metadata["person"] == "2"
    assert after.customer_details and after.customer_details.email == "bob@example.org"
    assert [charge.customer for charge in client.v1.charges.list({"customer": customer.id}).data] == [customer.id]
    assert client.v1.customers.retrieve(customer.id).name == "Bob Sala"


def test_a_customer_is_made_when_the_checkout_asks_for_one(
    client: stripe.StripeClient, fee: Fee, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee | {"customer_creation": "always"})
    assert session.customer is None
    control(f"checkouts/{session.id}/pay", email="alice@example.net", name="Alice Roca")
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert (after.customer.email, after.customer.name) == ("alice@example.net", "Alice Roca")


def test_several_lines_add_up(client: stripe.StripeClient, fee: Fee) -> None:
    gift = {
        "quantity": 2,
        "price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Scarf"}},
    }
    session = client.v1.checkout.sessions.create(fee | {"line_items": [*fee["line_items"], gift]})
    assert session.amount_total == 5500


def test_checkouts_are_found_by_their_payment_intent(client: stripe.StripeClient, fee: Fee, paid: Any) -> None:
    client.v1.checkout.sessions.create(fee)
    found = client.v1.checkout.sessions.list({"payment_intent": paid.payment_intent.id})
    assert [session.id for session in found.data] == [paid.id]


def test_the_receipt_page_says_it_is_of_the_simulator(paid: Any) -> None:
    page = requests.get(paid.payment_intent.latest_charge.receipt_url, timeout=10)
    assert page.status_code == 200 and "€30.00" in page.text and "Payment simulator" in page.text


@pytest.mark.parametrize("path", ["pay/cs_test_unknown", "pay/cs_test_unknown/left", "receipts/ch_unknown"])
def test_an_unknown_page_is_not_found(simulator: Simulator, path: str) -> None:
    assert requests.get(f"{simulator.url}/{path}", timeout=10).status_code == 404
