"""The customer portal of the simulator, as a person uses it."""

from typing import Any

import pytest
import requests
import stripe

from tests.demo.billing import DAY, Billing

BACK = "http://127.0.0.1:9/account"


@pytest.fixture
def subscription(billing: Billing) -> Any:
    return billing.subscribe(trial_end=billing.account.now() + 10 * DAY)


@pytest.fixture
def portal(billing: Billing, subscription: Any) -> Any:
    return billing.api.billing_portal.sessions.create({"customer": subscription.customer, "return_url": BACK})


def press(portal: Any, path: str, **fields: str) -> requests.Response:
    return requests.post(f"{portal.url}/{path}", data=fields, allow_redirects=False, timeout=10)


def test_the_page_shows_what_is_paid_how_and_the_way_back(portal: Any) -> None:
    page = requests.get(portal.url, timeout=10)
    for words in ("Basic membership", "€30.00 every year", "Card ending in 4242", BACK, "Payment simulator"):
        assert words in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_leaving_at_the_end_of_the_period_can_be_undone(billing: Billing, subscription: Any, portal: Any) -> None:
    assert press(portal, f"{subscription.id}/cancel").status_code == 303
    assert billing.again(subscription).cancel_at_period_end is True
    page = requests.get(portal.url, timeout=10).text
    assert "It ends on" in page and "Keep Basic membership" in page
    press(portal, f"{subscription.id}/undo")
    assert billing.again(subscription).cancel_at_period_end is False
    assert billing.types("customer.subscription.updated") == ["customer.subscription.updated"] * 2


def test_leaving_now_ends_it_now(billing: Billing, subscription: Any, portal: Any) -> None:
    press(portal, f"{subscription.id}/end")
    assert billing.again(subscription).status == "canceled"
    assert "no running subscription" in requests.get(portal.url, timeout=10).text


def test_another_card_is_used_from_now_on(billing: Billing, portal: Any) -> None:
    customer = portal.customer
    old = billing.method(customer)
    own = billing.subscribe(customer, default_payment_method=old, trial_end=billing.account.now() + 10 * DAY)
    assert press(portal, "method", way="declined_later").status_code == 303
    after = billing.api.customers.retrieve(customer)
    assert after.invoice_settings
    new = after.invoice_settings.default_payment_method
    assert new != old
    assert billing.again(own).default_payment_method == new
    assert "Card ending in 0341" in requests.get(portal.url, timeout=10).text
    assert billing.types("setup_intent.", "customer.updated")[-3:] == [
        "setup_intent.created",
        "setup_intent.succeeded",
        "customer.updated",
    ]


def test_a_declined_card_changes_nothing(billing: Billing, portal: Any) -> None:
    answer = press(portal, "method", way="declined")
    assert answer.status_code == 402 and "Your card was declined." in answer.text
    assert "Card ending in 4242" in requests.get(portal.url, timeout=10).text


def test_a_flow_leads_back_when_it_is_done(billing: Billing, subscription: Any) -> None:
    flow: Any = {
        "type": "payment_method_update",
        "after_completion": {"type": "redirect", "redirect": {"return_url": f"{BACK}/saved"}},
    }
    portal = billing.api.billing_portal.sessions.create({"customer": subscription.customer, "flow_data": flow})
    assert press(portal, "method", way="debit").headers["Location"] == f"{BACK}/saved"


def test_a_configuration_decides_what_is_offered(billing: Billing, subscription: Any) -> None:
    features: Any = {"payment_method_update": {"enabled": True}, "invoice_history": {"enabled": False}}
    configuration = billing.api.billing_portal.configurations.create({"features": features})
    wanted: Any = {"customer": subscription.customer, "configuration": configuration.id}
    page = requests.get(billing.api.billing_portal.sessions.create(wanted).url, timeout=10).text
    assert "Use another card" in page and "Cancel" not in page and "Invoices" not in page
    cancel: Any = {"subscription_cancel": {"enabled": True, "mode": "immediately"}}
    billing.api.billing_portal.configurations.update(configuration.id, {"features": cancel})
    page = requests.get(billing.api.billing_portal.sessions.create(wanted).url, timeout=10).text
    assert "Cancel now" in page and "at the end of the period" not in page


def test_nobody_reaches_the_subscription_of_another(billing: Billing, portal: Any) -> None:
    other = billing.subscribe(trial_end=billing.account.now() + 10 * DAY)
    assert press(portal, f"{other.id}/end").status_code == 404
    assert billing.again(other).status == "trialing"
    assert requests.get(f"{portal.url}x", timeout=10).status_code == 404
    with pytest.raises(stripe.InvalidRequestError):
        billing.api.billing_portal.sessions.create({"customer": "cus_unknown"})
    with pytest.raises(stripe.InvalidRequestError):
        billing.api.billing_portal.sessions.create({"customer": portal.customer, "return_url": "javascript:alert(1)"})
