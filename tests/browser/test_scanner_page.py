"""The scanner's page: read at arm's length, by everybody, with one hand; every way to give it a code; its versions."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.extensions import db
from app.services.service import add_service
from app.verification.install_views import version
from tests.browser.cards_shown import code
from tests.browser.door import Door, door, kept_scans, launch, picture_of, serve
from tests.cast import Cast
from tests.test_face import contrast
from tests.verification.asking import card_of, live, static

STANDARDS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = [{"width": 360, "height": 640}, {"width": 390, "height": 844}, {"width": 820, "height": 1180}]
# As fast as a hand-held scanner types.
TYPED = """(code) => {
  for (const key of [...code, "Enter"]) document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
}"""
TWO_DAYS_MS = 2 * 86_400_000
MEASURED = """() => {
  const box = (name) => document.querySelector(`#verdict ${name}`).getBoundingClientRect();
  const panel = getComputedStyle(document.querySelector("#verdict .verdict"));
  return {
    text: (box(".why").bottom - box("h1").top) / innerHeight,
    next: box("[data-do=next]").top / innerHeight,
    target: box("[data-do=next]").height,
    fits: document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth,
    ground: panel.backgroundColor,
    ink: getComputedStyle(document.querySelector("#verdict h1")).color,
    why: getComputedStyle(document.querySelector("#verdict .why")).color,
    shape: document.querySelector("#verdict .shape").innerHTML,
    role: document.querySelector("#verdict .verdict").getAttribute("role"),
    focused: document.activeElement.dataset.do,
  };
}"""

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def check(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": STANDARDS})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def hex_of(colour: str) -> str:
    """#rrggbb of a browser's rgb(r, g, b)."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


def type_code(at_door: Door, text: str) -> None:
    at_door.page.get_by_role("button", name="Type code").click()
    at_door.page.get_by_label("Code of the card").fill(text)
    at_door.page.get_by_role("button", name="Check card").click()
    expect(at_door.page.locator("#verdict .verdict")).to_be_visible()


@pytest.fixture
def gym(cast: Cast) -> int:
    """A desk for what Plus includes and Basic does not."""
    service, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    return service.id


def test_every_verdict_is_read_at_arms_length_by_word_shape_and_contrast(
    app: Flask, cast: Cast, gym: int, browser: Browser
) -> None:
    alice = card_of(cast.alice)
    with serve(app) as (site, _signal), door(browser, app, site, gym) as at_door:
        at_door.open_ready()
        at_door.lose_signal()
        at_door.reopen(TWO_DAYS_MS)
        seen = {}
        later = code(alice, window=5760, tier=cast.plus.id)
        db.session.rollback()
        for panel in ("unsure", "ok", "check", "no", "other"):
            if panel == "ok":
                at_door.reopen()
            text = {
                "unsure": later, "ok": live(cast.alice), "check": static(cast.alice), "no": "123",
                "other": code(alice, tier=cast.basic.id),
            }[panel]  # fmt: skip
            db.session.rollback()
            type_code(at_door, text)
            expect(at_door.page.locator(f"#verdict .v-{panel}")).to_be_visible()
            check(at_door.page)
            for size in SIZES:
                at_door.page.set_viewport_size(size)
                seen[panel] = measured = at_door.page.evaluate(MEASURED)
                assert measured["text"] >= 0.2, (panel, size)
                assert measured["fits"] and measured["next"] > 0.6 and measured["target"] >= 46, (panel, size)
            for words in ("ink", "why"):
                assert contrast(hex_of(seen[panel][words]), hex_of(seen[panel]["ground"])) >= 7, panel
            assert seen[panel]["role"] == ("status" if panel in ("ok", "check") else "alert")
            assert seen[panel]["focused"] == "next"
            at_door.next()
        assert len({it["shape"] for it in seen.values()}) == 5
        at_door.page.set_viewport_size(SIZES[0])
        check(at_door.page)
        for opener, sheet in (("Type code", "typing"), ("Today", "today-sheet")):
            at_door.page.get_by_role("button", name=opener).click()
            expect(at_door.page.locator(f"#{sheet}")).to_be_visible()
            check(at_door.page)
            at_door.page.keyboard.press("Escape")
        type_code(at_door, "456")
        at_door.page.get_by_role("button", name="Take back").click()
        check(at_door.page)


def test_a_code_comes_by_camera_keyboard_picture_or_a_scanner_that_types(
    app: Flask, cast: Cast, browser: Browser, tmp_path: Path
) -> None:
    printed, shown = static(cast.alice), live(cast.bob)
    picture = tmp_path / "card.png"
    picture.write_bytes(base64.b64decode(picture_of(printed).partition(",")[2]))
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        page = at_door.open_ready().page
        at_door.lose_signal()
        verdict = page.locator("#verdict .verdict")
        page.locator("#file").set_input_files(picture)
        expect(verdict).to_have_attribute("data-reason", "ok")
        at_door.next()
        page.evaluate(TYPED, shown.rpartition("/")[2])
        expect(verdict).to_have_class(re.compile("v-ok"))
        page.keyboard.press("Enter")  # the button that goes on has the focus
        expect(page.locator("#idle")).to_be_visible()
        type_code(at_door, printed)
        expect(verdict).to_have_class(re.compile("v-check"))
        at_door.next()
        page.locator("#file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
        expect(page.locator("#hint")).to_have_text("No code in this picture. Try a sharper one.")
        assert {scan["reason"] for scan in kept_scans(page)} == {"ok"}
        assert at_door.complaints == []


def test_a_desk_that_may_see_who_it_is_sees_a_name_with_signal_and_none_without(
    app: Flask, cast: Cast, browser: Browser
) -> None:
    cast.desk.scopes = "scan,identity"
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready()
        printed = static(cast.alice)
        db.session.rollback()
        at_door.show(printed)
        expect(at_door.page.locator("#verdict .who")).to_contain_text("Alice Soler")
        at_door.next()
        at_door.lose_signal()
        at_door.show("https://example.org/another")
        at_door.next()
        at_door.show(printed)
        expect(at_door.page.locator("#verdict .who")).to_be_hidden()


def test_a_new_version_comes_whole_and_keeps_what_the_device_knows(app: Flask, cast: Cast, browser: Browser) -> None:
    with app.test_request_context():
        first = version()
    second = "f" * len(first)
    with serve(app) as (site, signal), door(browser, app, site, cast.desk.id) as at_door:
        page = at_door.open_ready().page
        assert page.evaluate("caches.keys()") == [f"carnet-scanner-{first}"]
        signal.replaced[first.encode()] = second.encode()
        workers = page.context.new_cdp_session(page)
        workers.send("ServiceWorker.enable")
        page.reload()
        for tenth in range(1, 400):
            if page.evaluate("caches.keys()") == [f"carnet-scanner-{second}"]:
                break
            page.wait_for_timeout(100)
            if tenth % 30 == 0:  # a browser ends a worker with nothing to do; not while it is watched, as here
                workers.send("ServiceWorker.stopAllWorkers")
        assert page.evaluate("caches.keys()") == [f"carnet-scanner-{second}"]
        at_door.lose_signal()
        page = at_door.reopen().page
        assert second in (page.locator("link[rel=manifest]").get_attribute("href") or "")
        printed = static(cast.alice)
        db.session.rollback()
        assert at_door.judge(printed) == ("ok", "check")
