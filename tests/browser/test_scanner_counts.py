"""One tap after the verdict counts a use, with signal at once and without it as soon as there is some."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, expect, sync_playwright

from app.benefits.models import Redemption
from app.benefits.service import change_benefit
from app.extensions import db
from app.services.models import Service
from app.services.service import add_service
from tests.browser.door import door, launch, serve
from tests.browser.test_scanner_page import SIZES, STANDARDS
from tests.cast import Cast
from tests.verification.asking import live, static

COUNT = "/scan/redemptions"
FITS = """() => ({
  fits: document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth,
  targets: [...document.querySelectorAll("#verdict button")].map((it) => it.offsetHeight).filter(Boolean),
  focused: document.activeElement.dataset.do,
})"""

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def gym(cast: Cast) -> int:
    """A desk that counts visits, three a day, also without signal."""
    change_benefit(cast.sports, cast.now, limit_count=3, limit_period="day", offline_ok=True)
    service, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    return service.id


def used() -> list[str]:
    db.session.rollback()
    found = sorted(it.state for it in db.session.query(Redemption))
    db.session.rollback()
    return found


def test_with_signal_one_tap_counts_and_taking_it_back_gives_it_back(
    app: Flask, cast: Cast, gym: int, browser: Browser
) -> None:
    with serve(app) as (site, signal), door(browser, app, site, gym) as at_door:
        page = at_door.open_ready().page
        for code, kind, looks in ((live(cast.alice), "ok", SIZES), (static(cast.alice), "check", SIZES[:1])):
            db.session.rollback()
            assert at_door.show(code) == ("ok", kind)
            count = page.locator("#verdict [data-do=count]")
            expect(count).to_contain_text("Count one: Sports hall" if kind == "ok" else "It’s them: count")
            for size in looks:
                page.set_viewport_size(size)
                seen = page.evaluate(FITS)
                assert seen["fits"] and min(seen["targets"]) >= 44 and seen["focused"] == "count", (kind, size, seen)
            found = Axe().run(page, options={"runOnly": STANDARDS})
            assert found.violations_count == 0, found.generate_report()
            page.evaluate("hideCard()")
            page.keyboard.press("Enter")  # the button has the focus
            expect(page.locator("#hint")).to_contain_text(f"Counted. {2 if kind == 'ok' else 1} of 3 left today.")
            expect(page.locator("#log li").first).to_contain_text("counted")
        assert used() == ["confirmed", "confirmed"]
        page.locator("#open-today").click()
        newest = page.locator("#today li").first
        expect(newest).to_contain_text("counted")
        newest.get_by_role("button").click()
        page.get_by_role("button", name="Somebody else’s card").click()
        expect(page.locator("#today-said")).to_have_text("The scan was taken back, and the use with it.")
        assert used() == ["cancelled", "confirmed"]
        page.keyboard.press("Escape")
        signal.broken[COUNT] = "after"  # counted, but the answer does not reach the desk: it goes with the queue too
        code = live(cast.alice)
        db.session.rollback()
        at_door.show(code)
        page.locator("#verdict [data-do=count]").click()
        expect(page.locator("#hint")).to_have_text("Counted. It is sent when there is signal.")
        signal.broken.clear()
        at_door.wait_until_sent()
        assert used() == ["cancelled", "confirmed", "confirmed"]
        assert at_door.complaints == []


def test_without_signal_uses_are_kept_and_sent_once_where_the_benefit_allows_it(
    app: Flask, cast: Cast, gym: int, browser: Browser
) -> None:
    with serve(app) as (site, _signal), door(browser, app, site, gym) as at_door:
        page = at_door.open_ready().page
        codes = live(cast.alice), static(cast.alice), live(cast.alice)
        db.session.rollback()
        at_door.lose_signal()
        for code in codes[:2]:
            at_door.show(code)
            page.locator("#verdict [data-do=count]").click()
            page.evaluate("hideCard()")
            expect(page.locator("#hint")).to_have_text("Counted. It is sent when there is signal.")
        page.locator("#open-today").click()
        expect(page.locator("#today li").first).to_contain_text("counted")
        page.locator("#today li").first.get_by_role("button").click()
        page.get_by_role("button", name="Scanned by mistake").click()
        expect(page.locator("#today li").first).to_contain_text("taken back")
        page.keyboard.press("Escape")
        at_door.reopen()
        assert at_door.waiting() == 2
        at_door.find_signal()
        at_door.wait_until_sent()
        assert [state for state in used() if state != "cancelled"] == ["confirmed"]
        db.session.rollback()
        change_benefit(db.session.get_one(Service, gym).benefit, cast.now, offline_ok=False)
        db.session.commit()
        at_door.reopen()
        at_door.wait_until_ready()
        page = at_door.page
        page.wait_for_function("() => !document.querySelector('#online').hidden")
        page.evaluate("dispatchEvent(new Event('online'))")
        at_door.lose_signal()
        code = live(cast.alice)
        db.session.rollback()
        at_door.show(code)
        expect(page.locator("#verdict .count-note")).to_have_text("Counting a use here needs signal.")
        expect(page.locator("#verdict [data-do=count]")).to_be_hidden()
        assert at_door.complaints == []
