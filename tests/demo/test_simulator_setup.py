"""Saving a payment method for later, and subscribing, on the hosted page of the simulator."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from tests.demo.billing import DAY, Billing

Control = Callable[..., Any]
PAGES: Any = {"success_url": "http://127.0.0.1:9/saved", "cancel_url": "http://127.0.0.1:9/account"}
PAYER = {"email": "alice@example.org", "name": "Alice Roca"}


@pytest.fixture
def setup(billing: Billing) -> Any:
    """A page where a known customer saves a method."""
    customer = billing.customer(None)
    data = {"metadata": {"person": "7"}}
    return billing.api.checkout.sessions.create(
        {"mode": "setup", "currency": "eur", "customer": customer, "setup_intent_data": data, **PAGES}
    )


def press(session: Any, way: str) -> requests.Response:
    return requests.post(session.url, data=PAYER | {"way": way}, allow_redirects=False, timeout=10)


def test_a_saved_card_belongs_to_the_customer_and_can_be_charged_later(
    billing: Billing, setup: Any, receiver: Any, control: Control
) -> None:
    assert (setup.payment_status, setup.amount_total, setup.status) == ("no_payment_required", None, "open")
    assert requests.get(setup.url, timeout=10).status_code == 200
    assert press(setup, "accepted").status_code == 303
    done = billing.api.checkout.sessions.retrieve(setup.id, {"expand": ["setup_intent.payment_method"]})
    intent = done.setup_intent
    assert (done.status, intent.status, intent.metadata["person"]) == ("complete", "succeeded", "7")
    assert intent.payment_method.customer == setup.customer
    kept = billing.api.payment_methods.list({"customer": setup.customer}).data
    assert [(method.id, method.card.last4) for method in kept] == [(intent.payment_method.id, "4242")]
    assert billing.api.charges.list().data == []
    assert control("idle")["idle"]
    assert receiver.types[-3:] == ["payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"]
    begun = billing.subscribe(setup.customer, default_payment_method=intent.payment_method.id)
    assert begun.status == "active"


def test_a_card_can_be_saved_that_is_declined_when_it_is_charged(billing: Billing, setup: Any) -> None:
    press(setup, "declined_later")
    done = billing.api.checkout.sessions.retrieve(setup.id, {"expand": ["setup_intent"]})
    assert done.status == "complete"
    trial = billing.account.now() + 4 * DAY
    begun = billing.subscribe(setup.customer, default_payment_method=done.setup_intent.payment_method, trial_end=trial)
    billing.days(5)
    assert billing.again(begun).status == "past_due"


def test_a_debit_is_saved_with_its_mandate(billing: Billing, setup: Any) -> None:
    press(setup, "debit")
    done = billing.api.checkout.sessions.retrieve(setup.id, {"expand": ["setup_intent"]})
    mandate = billing.api.mandates.retrieve(done.setup_intent.mandate)
    assert (mandate.status, mandate.payment_method) == ("active", done.setup_intent.payment_method)
    assert billing.api.payment_methods.retrieve(done.setup_intent.payment_method).type == "sepa_debit"


def test_a_declined_card_is_not_saved_and_another_may_be_tried(billing: Billing, setup: Any) -> None:
    press(setup, "declined")
    waiting = billing.api.checkout.sessions.retrieve(setup.id, {"expand": ["setup_intent"]})
    assert (waiting.status, waiting.setup_intent.status) == ("open", "requires_payment_method")
    assert waiting.setup_intent.last_setup_error.code == "card_declined"
    assert billing.api.payment_methods.list({"customer": setup.customer}).data == []
    assert "Your card was declined." in requests.get(setup.url, timeout=10).text
    press(setup, "accepted")
    assert billing.api.setup_intents.retrieve(waiting.setup_intent.id).status == "succeeded"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"currency": None}, "currency"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "line_items"),
        ({"customer": "cus_unknown"}, "customer"),
    ],
)
def test_a_wrong_setup_is_refused(billing: Billing, change: Any, param: str) -> None:
    wrong: Any = {"mode": "setup", "currency": "eur", "customer": billing.customer(None), **PAGES} | change
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        billing.api.checkout.sessions.create({name: value for name, value in wrong.items() if value is not None})
    assert refusal.value.param == param


@pytest.fixture
def offer(billing: Billing) -> Any:
    return {
        "mode": "subscription",
        "line_items": [{"quantity": 1, "price_data": billing.price()}],
        "customer_email": "alice@example.org",
        **PAGES,
    }


def test_subscribing_on_the_page_makes_a_customer_a_subscription_and_a_paid_invoice(
    billing: Billing, offer: Any
) -> None:
    session = billing.api.checkout.sessions.create(offer | {"subscription_data": {"metadata": {"person": "7"}}})
    assert press(session, "accepted").status_code == 303
    done = billing.api.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice", "customer"]})
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "paid", 3000)
    assert (done.subscription.status, done.subscription.metadata["person"]) == ("active", "7")
    assert (done.invoice.status, done.invoice.amount_paid) == ("paid", 3000)
    assert done.customer.email == "alice@example.org"
    assert billing.types("checkout.session.completed") == ["checkout.session.completed"]


def test_a_trial_on_the_page_charges_only_what_is_sold_once(billing: Billing, offer: Any) -> None:
    scarf = {"price_data": {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Scarf"}}, "quantity": 2}
    trial = {"subscription_data": {"trial_end": billing.account.now() + 30 * DAY}}
    free = billing.api.checkout.sessions.create(offer | trial)
    press(free, "accepted")
    assert billing.api.checkout.sessions.retrieve(free.id).payment_status == "no_payment_required"
    sold = billing.api.checkout.sessions.create(offer | trial | {"line_items": [*offer["line_items"], scarf]})
    assert sold.amount_total == 2000
    press(sold, "accepted")
    done = billing.api.checkout.sessions.retrieve(sold.id, {"expand": ["subscription"]})
    assert (done.payment_status, done.subscription.status) == ("paid", "trialing")
    assert [charge.amount for charge in billing.api.charges.list().data] == [2000]


def test_nobody_subscribes_with_a_declined_card(billing: Billing, offer: Any) -> None:
    session = billing.api.checkout.sessions.create(offer)
    press(session, "declined")
    assert billing.api.checkout.sessions.retrieve(session.id).status == "open"
    assert billing.api.subscriptions.list().data == []


@pytest.mark.parametrize(
    ("way", "status", "event"),
    [
        ("debit", "paid", "checkout.session.async_payment_succeeded"),
        ("debit_fails", "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_a_first_debit_is_known_days_later(billing: Billing, offer: Any, way: str, status: str, event: str) -> None:
    session = billing.api.checkout.sessions.create(offer)
    press(session, way)
    done = billing.api.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status) == ("complete", "unpaid")
    billing.days(8)
    assert billing.api.checkout.sessions.retrieve(session.id).payment_status == status
    assert billing.types("checkout.session.async") == [event]


def test_what_is_sold_once_is_not_a_subscription_and_the_other_way_round(billing: Billing, offer: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="recurring price"):
        billing.api.checkout.sessions.create(offer | {"mode": "payment"})
    once = {"price_data": {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Scarf"}}, "quantity": 1}
    with pytest.raises(stripe.InvalidRequestError, match="at least one recurring price"):
        billing.api.checkout.sessions.create(offer | {"line_items": [once]})


def test_a_fee_paid_once_can_save_its_card_for_the_next_year(
    billing: Billing, fee: dict[str, Any], control: Control
) -> None:
    data = fee["payment_intent_data"] | {"setup_future_usage": "off_session"}
    asked: Any = fee | {"customer_creation": "always", "payment_intent_data": data}
    session = billing.api.checkout.sessions.create(asked)
    control(f"checkouts/{session.id}/pay")
    done = billing.api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    [kept] = billing.api.payment_methods.list({"customer": done.customer}).data
    assert kept.id == done.payment_intent.payment_method
    begun = billing.subscribe(
        done.customer, default_payment_method=kept.id, trial_end=billing.account.now() + 365 * DAY
    )
    assert begun.status == "trialing"
