"""Real browsers that pay the same renewal: two at once, double clicks, the back button, two tabs, and a second fee."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from app import clock
from app.extensions import db
from app.memberships.service import get_tier
from app.payments import manual
from app.people.service import get_person
from tests.browser.door import CHROMIUM, QUIET
from tests.payments.paying_pages import member
from tests.payments.shop import Shop

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PATIENCE = 15_000  # ms, on a machine that does other things meanwhile

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def gus(shop: Shop) -> int:
    """A member whose year ends in a fortnight."""
    return member(shop, "gus")


@pytest.fixture
def devices(shop: Shop, gus: int, chromium: Browser) -> Iterator[list[BrowserContext]]:
    """His phone and his laptop, both signed in."""
    found = [device(shop, chromium, "gus@example.org", size) for size in (PHONE, DESKTOP)]
    yield found
    for context in found:
        context.close()


def device(shop: Shop, chromium: Browser, email: str, size: ViewportSize) -> BrowserContext:
    context = chromium.new_context(viewport=size, locale="en-GB", timezone_id="Europe/Madrid")
    context.set_default_timeout(PATIENCE)
    for cookie in shop.browser(email).session.cookies:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": shop.url}])
    return context


def at_the_offer(context: BrowserContext, shop: Shop, tier: str = "basic") -> Page:
    """A tab in which a renewal is chosen and the button not yet pressed."""
    page = context.new_page()
    page.goto(f"{shop.url}/renew?tier={tier}")
    expect(page.locator(f"input[name=tier][value={tier}]")).to_be_checked()
    return page


PRESS = "button => button.click()"  # goes on at once; a person with two hands does not wait for an answer either


def goes_to_pay(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Pay €")).locator("visible=true").click()
    page.wait_for_url(re.compile(r"/pay/cs_"))


def by_card(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"Pay €\d+\.\d\d by card")).click()


def is_renewed(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text("member until", timeout=PATIENCE)


def charges(shop: Shop) -> int:
    return len(shop._ids("charge", "status", "succeeded"))


def test_two_browsers_that_pay_the_same_renewal_at_once_are_charged_once(
    shop: Shop, gus: int, devices: list[BrowserContext]
) -> None:
    phone, laptop = (at_the_offer(context, shop) for context in devices)
    for page in (phone, laptop):
        page.get_by_role("button", name=re.compile("Pay €")).locator("visible=true").evaluate(PRESS)
    for page in (phone, laptop):
        page.wait_for_url(re.compile(r"/pay/cs_"))
    assert phone.url == laptop.url
    for page in (phone, laptop):
        page.get_by_role("button", name="Pay €30.00 by card").evaluate(PRESS)
    for page in (phone, laptop):
        is_renewed(page)
    shop.quiet()
    story = shop.story(gus)
    assert (charges(shop), len(story.terms), len(story.receipts), story.reasons) == (1, 2, 2, [])


def test_double_clicks_on_both_buttons_charge_once(shop: Shop, gus: int, devices: list[BrowserContext]) -> None:
    page = at_the_offer(devices[0], shop)
    page.get_by_role("button", name=re.compile("Pay €")).locator("visible=true").dblclick()
    page.wait_for_url(re.compile(r"/pay/cs_"))
    page.get_by_role("button", name="Pay €30.00 by card").dblclick()
    is_renewed(page)
    shop.quiet()
    story = shop.story(gus)
    assert (len(shop.checkouts()), charges(shop), len(story.terms), story.reasons) == (1, 1, 2, [])


def test_the_back_button_after_paying_sells_nothing_more(shop: Shop, gus: int, devices: list[BrowserContext]) -> None:
    page = at_the_offer(devices[0], shop)
    goes_to_pay(page)
    by_card(page)
    is_renewed(page)
    page.go_back()  # the payment page as it was, or what it says now
    again = page.get_by_role("button", name="Pay €30.00 by card")
    if again.count():
        again.click()
        is_renewed(page)
    page.goto(f"{shop.url}/renew?tier=basic")
    expect(page.get_by_text("You have renewed already. There is nothing to pay now.")).to_be_visible()
    shop.quiet()
    story = shop.story(gus)
    assert (len(shop.checkouts()), charges(shop), len(story.terms), story.reasons) == (1, 1, 2, [])


def test_the_offer_found_again_by_the_back_button_is_pressed_in_vain(
    shop: Shop, gus: int, devices: list[BrowserContext]
) -> None:
    """The tab of the offer, kept open while another one paid."""
    old, page = at_the_offer(devices[0], shop), at_the_offer(devices[0], shop)
    goes_to_pay(page)
    by_card(page)
    is_renewed(page)
    old.get_by_role("button", name=re.compile("Pay €")).locator("visible=true").click()
    expect(old.get_by_text("You have renewed already. There is nothing to pay now.")).to_be_visible()
    assert (len(shop.checkouts()), charges(shop), len(shop.story(gus).terms)) == (1, 1, 2)


def test_two_tabs_with_two_tiers_leave_one_page_that_takes_money(
    shop: Shop, gus: int, devices: list[BrowserContext]
) -> None:
    basic, plus = at_the_offer(devices[0], shop, "basic"), at_the_offer(devices[0], shop, "plus")
    goes_to_pay(basic)
    goes_to_pay(plus)
    basic.get_by_role("button", name="Pay €30.00 by card").click()
    expect(basic.get_by_role("button", name=re.compile("by card"))).to_have_count(0)
    assert charges(shop) == 0
    by_card(plus)
    is_renewed(plus)
    shop.quiet()
    story = shop.story(gus)
    assert (charges(shop), story.terms[1].split()[0], story.reasons) == (1, "plus", [])


def test_a_second_fee_is_shown_as_unallocated_to_the_member_and_to_the_treasurer(
    shop: Shop, gus: int, devices: list[BrowserContext], chromium: Browser
) -> None:
    """The desk took cash while the payment page was open, and the page was paid before anybody could close it."""
    page = at_the_offer(devices[0], shop)
    goes_to_pay(page)
    with shop.books():
        person, tier, now, today = get_person(gus), get_tier("basic"), clock.now(), clock.today()
        manual.record_payment(person, tier, 3000, "cash", today, "desk", "en", now, today)
        db.session.commit()
    by_card(page)
    expect(page.get_by_text("These days were paid already.")).to_be_visible()
    expect(page.get_by_text("No second year was added.")).to_be_visible()
    shop.quiet()
    story = shop.story(gus)
    assert (charges(shop), len(story.terms), story.reasons) == (1, 2, ["days_covered"])
    page.goto(f"{shop.url}/account/payments")
    expect(page.get_by_text("With the treasurer").first).to_be_visible()
    treasurer = device(shop, chromium, "treasurer@example.org", DESKTOP)
    office = treasurer.new_page()
    office.goto(f"{shop.url}/treasury")
    entry = office.get_by_role("listitem").filter(has_text=re.compile("Gus Pons.*paid already|Gus Pons.*covered", re.S))
    expect(entry).to_contain_text("€30.00")
    entry.locator("summary").click()
    entry.locator("button[value=refunded]").click()
    expect(office.get_by_text(re.compile("Decided"))).to_be_visible()
    treasurer.close()
    shop.quiet()
    story = shop.story(gus)
    assert (story.payments, len(story.terms), story.status) == (["paid", "refunded", "paid"], 2, "active")
