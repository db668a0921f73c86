"""3-D Secure on the page, and cards and accounts that are saved there to be charged when nobody is there."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from demo.simulator import intents
from demo.simulator.server import Simulator

Control = Callable[..., Any]
FORM = {"email": "alice@example.org", "name": "Alice Roca"}


def post(url: str, **fields: str) -> str:
    """Press a button of a page; the address one is led to."""
    answer = requests.post(url, data=fields, allow_redirects=False, timeout=10)
    assert answer.status_code == 303
    return answer.headers["Location"]


def test_a_card_that_asks_for_3d_secure_is_charged_once_its_payer_confirms(
    client: stripe.StripeClient, fee: Any, receiver: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    url = session.url or ""
    assert post(url, way="three_d_secure", **FORM) == f"/pay/{session.id}/authenticate"
    waiting: Any = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (waiting.status, waiting.payment_intent.status) == ("open", "requires_action")
    assert waiting.payment_intent.next_action.redirect_to_url.url == f"{url}/authenticate"
    assert client.v1.charges.list().data == []
    assert "Is it you?" in requests.get(f"{url}/authenticate", timeout=10).text
    paid_at = f"http://127.0.0.1:9/paid?checkout={session.id}"
    assert [post(f"{url}/authenticate", answer="yes") for _ in range(2)] == [paid_at, paid_at]
    [charge] = client.v1.charges.list().data
    details: Any = charge.payment_method_details
    assert (charge.paid, details.card.three_d_secure.result) == (True, "authenticated")
    control("idle")
    assert receiver.types[:2] == ["payment_intent.created", "payment_intent.requires_action"]
    assert client.v1.payment_intents.list().data[0].next_action is None


def test_failing_3d_secure_charges_nothing_and_another_card_pays(
    client: stripe.StripeClient, fee: Any, receiver: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    url = session.url or ""
    post(url, way="three_d_secure", **FORM)
    assert post(f"{url}/authenticate", answer="no") == f"/pay/{session.id}"
    assert "has failed authentication" in requests.get(url, timeout=10).text
    [intent] = client.v1.payment_intents.list().data
    error: Any = intent.last_payment_error
    assert (intent.status, error.code) == ("requires_payment_method", "payment_intent_authentication_failure")
    assert control(f"checkouts/{session.id}/authenticate")["http_status"] == 400
    assert control(f"checkouts/{session.id}/pay")["payment_status"] == "paid"
    assert [charge.paid for charge in client.v1.charges.list().data] == [True]
    control("idle")
    assert receiver.types[2] == "payment_intent.payment_failed"


def test_leaving_3d_secure_leaves_the_checkout_open_until_it_expires(
    client: stripe.StripeClient, fee: Any, control: Control
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/three_d_secure")
    assert requests.get(f"{session.url}/left", timeout=10).status_code == 200
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    control("clock", offset=25 * 3600)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    [intent] = client.v1.payment_intents.list().data
    assert (intent.status, intent.next_action) == ("canceled", None)
    assert requests.post(f"{session.url}/authenticate", data={"answer": "yes"}, timeout=10).status_code == 200
    assert client.v1.charges.list().data == []


@pytest.mark.parametrize(
    ("way", "code", "reason"),
    [
        ("declined", "card_declined", "generic_decline"),
        ("insufficient_funds", "card_declined", "insufficient_funds"),
        ("expired_card", "expired_card", "expired_card"),
    ],
)
def test_a_card_is_refused_for_its_own_reason(
    client: stripe.StripeClient, fee: Any, control: Control, way: str, code: str, reason: str
) -> None:
    session = client.v1.checkout.sessions.create(fee)
    assert control(f"checkouts/{session.id}/{way}")["status"] == "open"
    [intent] = client.v1.payment_intents.list({"expand": ["data.latest_charge"]}).data
    error, charge = intent.last_payment_error, intent.latest_charge
    assert error and isinstance(charge, stripe.Charge)
    assert (error.code, error.decline_code, error.message) == (code, reason, charge.failure_message)
    assert (charge.failure_code, charge.paid) == (code, False)


@pytest.fixture
def save(client: stripe.StripeClient, fee: Any, control: Control) -> Callable[[str], Any]:
    """Pay once and allow later charges; the PaymentIntent."""

    def pay(way: str) -> Any:
        customer = client.v1.customers.create({"email": "bob@example.org", "name": "Bob Sala"})
        del fee["customer_email"]
        fee["customer"] = customer.id
        fee["payment_intent_data"]["setup_future_usage"] = "off_session"
        session = client.v1.checkout.sessions.create(fee)
        control(f"checkouts/{session.id}/{way}")
        return client.v1.payment_intents.list().data[0]

    return pay


@pytest.fixture
def charge_later(simulator: Simulator) -> Callable[[Any], Any]:
    """Charge the saved method of an earlier PaymentIntent when its owner is not there; the new one."""

    def charge(saved: Any) -> Any:
        account = simulator.account
        with account.change() as change:
            intent = intents.create_intent(
                account, change, {}, amount=3000, currency="eur", customer=saved.customer, kinds=["card", "sepa_debit"]
            )
            method = account.get("payment_method", saved.payment_method)
            return intents.confirm(account, change, intent, method, off_session=True)

    return charge


def test_a_method_is_saved_only_when_the_checkout_asks_for_it(
    client: stripe.StripeClient, save: Any, paid: Any, receiver: Any, control: Control
) -> None:
    assert client.v1.payment_methods.retrieve(paid.payment_intent.payment_method).customer is None
    intent = save("accepted")
    assert (intent.status, intent.setup_future_usage) == ("succeeded", "off_session")
    method = client.v1.payment_methods.retrieve(intent.payment_method)
    assert (method.customer, method.type) == (intent.customer, "card")
    control("idle")
    assert receiver.types.count("payment_method.attached") == 1


@pytest.mark.parametrize(
    ("way", "status"),
    [
        ("accepted", "succeeded"),
        ("declined_later", "requires_payment_method"),
        ("debit", "processing"),
        ("debit_fails", "processing"),
    ],
)
def test_a_saved_method_does_what_it_stands_for(save: Any, charge_later: Any, way: str, status: str) -> None:
    assert charge_later(save(way))["status"] == status


def test_a_card_that_asks_every_time_cannot_be_charged_without_its_owner(
    client: stripe.StripeClient, save: Any, charge_later: Any, control: Control
) -> None:
    save("authentication_later")
    [session] = client.v1.checkout.sessions.list().data
    control(f"checkouts/{session.id}/authenticate")
    [intent] = client.v1.payment_intents.list().data
    later = charge_later(intent)
    assert (later["status"], later["last_payment_error"]["code"]) == (
        "requires_payment_method",
        "authentication_required",
    )


@pytest.mark.parametrize(
    ("way", "order", "code"),
    [
        ("accepted", "decline", "card_declined"),
        ("accepted", "insufficient_funds", "card_declined"),
        ("accepted", "authentication_required", "authentication_required"),
        ("declined_later", "succeed", None),
        ("declined_later", "as_saved", "card_declined"),
    ],
)
def test_the_next_charges_of_a_customer_can_be_ordered(
    save: Any, charge_later: Any, control: Control, way: str, order: str, code: str | None
) -> None:
    intent = save(way)
    control(f"customers/{intent.customer}/charges", next=order)
    error = charge_later(intent)["last_payment_error"]
    assert (error and error["code"]) == code


@pytest.mark.parametrize(
    ("way", "order", "status"), [("debit", "decline", "failed"), ("debit_fails", "succeed", "succeeded")]
)
def test_the_next_debits_of_a_customer_can_be_ordered(
    client: stripe.StripeClient, save: Any, charge_later: Any, control: Control, way: str, order: str, status: str
) -> None:
    intent = save(way)
    control(f"customers/{intent.customer}/charges", next=order)
    charge = charge_later(intent)["latest_charge"]
    assert client.v1.charges.retrieve(charge).status == "pending"
    control("clock", offset=6 * 86_400)
    assert client.v1.charges.retrieve(charge).status == status


def test_an_unknown_order_is_refused(client: stripe.StripeClient, control: Control) -> None:
    customer = client.v1.customers.create()
    assert control(f"customers/{customer.id}/charges", next="dance")["http_status"] == 400
    assert control("customers/cus_unknown/charges", next="succeed")["http_status"] == 404
