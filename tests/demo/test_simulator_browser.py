"""The hosted page and the control page in a real browser, on a phone and on a desk."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from demo.simulator.server import Simulator
from tests.demo.billing import Billing

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A phone's tab; whatever the page complains about fails the test."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def checkout(client: stripe.StripeClient, simulator: Simulator, fee: dict[str, Any]) -> Any:
    """A checkout whose success address can be opened: the simulator's own control page."""
    fee["success_url"] = f"{simulator.url}/_control?checkout={{CHECKOUT_SESSION_ID}}"
    return client.v1.checkout.sessions.create(fee)


def test_a_person_is_declined_leaves_comes_back_and_pays(tab: Page, checkout: Any, client: stripe.StripeClient) -> None:
    tab.goto(checkout.url)
    assert tab.get_by_label("E-mail").input_value() == "alice@example.org"
    tab.get_by_label("Name on the card").fill("Alice Roca")
    tab.get_by_role("button", name="Use a card that is declined").click()
    assert "Your card was declined." in tab.get_by_role("alert").inner_text()
    assert tab.get_by_label("Name on the card").input_value() == "Alice Roca"
    tab.get_by_role("link", name="Close the tab without paying").click()
    assert tab.get_by_role("heading", level=1).inner_text() == "You left without paying"
    tab.get_by_role("link", name="Open the payment page again").click()
    tab.get_by_role("button", name="Pay €30.00 by card").dblclick()
    tab.wait_for_url(f"**/_control?checkout={checkout.id}")
    tab.go_back()
    tab.reload()
    assert tab.get_by_role("heading", level=1).inner_text() == "Already paid"
    assert [charge.paid for charge in client.v1.charges.list().data] == [True, False]


def test_a_person_fails_3d_secure_then_agrees_to_a_debit_that_fails(
    tab: Page, simulator: Simulator, checkout: Any, client: stripe.StripeClient
) -> None:
    tab.goto(checkout.url)
    tab.get_by_role("button", name="Pay €30.00 with 3-D Secure").click()
    tab.get_by_role("button", name="Fail this check").click()
    assert "failed authentication" in tab.get_by_role("alert").inner_text()
    tab.get_by_role("button", name="Use a SEPA debit that fails days later").click()
    tab.wait_for_url(f"**/_control?checkout={checkout.id}")
    tab.get_by_text("complete, unpaid").wait_for()
    tab.get_by_role("button", name="Forward 1 week").click()
    tab.get_by_text("insufficient funds", exact=True).wait_for()
    assert [charge.status for charge in client.v1.charges.list().data] == ["failed"]


def test_a_person_lets_the_bank_act_on_the_control_page(
    tab: Page, simulator: Simulator, client: stripe.StripeClient, paid: Any
) -> None:
    charge_id = paid.payment_intent.latest_charge.id
    refund = client.v1.refunds.create({"charge": charge_id, "amount": 500})
    tab.goto(f"{simulator.url}/_control")
    tab.get_by_role("button", name=f"Fails, {refund.id}").click()
    tab.get_by_role("button", name=f"Payer disputes it, {charge_id}").click()
    [dispute] = client.v1.disputes.list().data
    tab.get_by_role("button", name=f"Won, {dispute.id}").click()
    tab.get_by_role("button", name="Forward 1 week").click()
    tab.get_by_role("button", name="Pay out €9.30 now").click()
    [payout] = client.v1.payouts.list().data
    tab.get_by_role("button", name=f"Fails, {payout.id}").click()
    tab.get_by_role("button", name="Pay out €9.30 now").wait_for()
    tab.get_by_role("button", name="Order it").click()
    tab.get_by_role("button", name="Take all orders back").click()
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    assert (client.v1.disputes.retrieve(dispute.id).status, client.v1.payouts.retrieve(payout.id).status) == (
        "won",
        "failed",
    )


def test_a_person_refunds_and_moves_the_clock_on_the_control_page(
    tab: Page, simulator: Simulator, checkout: Any, client: stripe.StripeClient, paid: Any
) -> None:
    tab.goto(f"{simulator.url}/_control")
    tab.get_by_role("button", name=f"Refund {paid.payment_intent.latest_charge.id}").click()
    assert tab.get_by_text("charge.refunded", exact=True).count() == 1
    tab.get_by_label("Drop webhooks").check()
    tab.get_by_role("button", name="Set faults").click()
    assert tab.get_by_label("Drop webhooks").is_checked()
    tab.get_by_role("button", name="Forward 1 month").click()
    tab.get_by_text("expired, unpaid").wait_for()
    assert client.v1.checkout.sessions.retrieve(checkout.id).status == "expired"


def test_every_page_is_accessible_and_never_scrolls_sideways(
    browser: Browser,
    simulator: Simulator,
    checkout: Any,
    paid: Any,
    client: stripe.StripeClient,
    control: Any,
) -> None:
    declined = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "http://127.0.0.1:9/",
            "line_items": [
                {
                    "quantity": 3,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 123456,
                        "product_data": {"name": "Mitgliedschaftsverlängerungsgebühr " * 3},
                    },
                }
            ],
        }
    )
    control(f"checkouts/{declined.id}/decline")
    customer = client.v1.customers.create({"email": "bob@example.org"})
    setup = client.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "eur", "customer": customer.id, "success_url": "http://127.0.0.1:9/"}
    )
    control(f"checkouts/{setup.id}/debit")
    asked = client.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "eur", "customer": customer.id, "success_url": "http://127.0.0.1:9/"}
    )
    control(f"checkouts/{asked.id}/three_d_secure")
    billing = Billing(simulator, client)
    subscription = billing.subscribe()
    portal = client.v1.billing_portal.sessions.create({"customer": subscription.customer})
    control(f"charges/{paid.payment_intent.latest_charge.id}/refund", amount=500)
    control(f"charges/{paid.payment_intent.latest_charge.id}/inquire")
    control("clock", offset=4 * 86_400)
    control("payouts")
    control("clock", offset=0)
    control("call-faults", fault="error", call="GET /v1/nothing")
    paths = [f"/pay/{checkout.id}", f"/pay/{declined.id}", f"/pay/{checkout.id}/left", f"/pay/{paid.id}"]
    paths += [f"/pay/{asked.id}", f"/pay/{asked.id}/authenticate"]
    paths += [f"/receipts/{paid.payment_intent.latest_charge.id}", "/pay/unknown", "/_control"]
    paths += [portal.url.removeprefix(simulator.url), f"/invoices/{subscription.latest_invoice}"]
    findings = []
    for scheme, width in [("dark", 320), ("light", 1280)]:
        page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        for path in paths:
            page.goto(simulator.url + path)
            wide = page.evaluate("document.documentElement.scrollWidth")
            findings += [f"{path} {width}: {wide} wide"] if wide > width else []
            report = Axe().run(page, options={"resultTypes": ["violations"]})
            findings += [f"{path} {width} {scheme}: {v['id']}" for v in report.response["violations"]]
        page.close()
    assert findings == []
