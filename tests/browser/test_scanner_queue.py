"""Scans made without signal reach the server once each, whatever cuts the way there, and none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect, sync_playwright
from sqlalchemy.orm import selectinload

from app import clock
from app.extensions import db
from app.services import desks
from app.services.models import DeskDevice
from app.services.service import add_service
from app.verification.models import Verification
from tests.browser.door import Door, device_door, door, kept_scans, launch, serve
from tests.cast import Cast
from tests.verification.asking import live, static

UPLOADS = "/scan/uploads"
KEEP_MANY = """async ({scan, many}) => {
  const {keep} = await import("/static/scanner/store.js");
  await Promise.all(Array.from({length: many}, (_, n) => keep("scans", {...scan, nonce: `${scan.desk}-${n}`})));
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


def codes(cast: Cast) -> tuple[str, str]:
    made = static(cast.alice), live(cast.bob)
    db.session.commit()
    return made


def rows() -> list[Verification]:
    """What the server has, read in a transaction that is over: it would lock the application out."""
    db.session.rollback()
    found = db.session.query(Verification).options(selectinload(Verification.flags)).all()
    db.session.expunge_all()
    db.session.rollback()
    return found


def scan_without_signal(at_door: Door, cast: Cast) -> None:
    """Two scans that the desk judges alone."""
    at_door.open_ready()
    at_door.lose_signal()
    for code in codes(cast):
        assert at_door.judge(code)[0] == "ok"
    assert at_door.waiting() == 2


def test_an_upload_cut_off_half_way_is_sent_again_and_counts_once(app: Flask, cast: Cast, browser: Browser) -> None:
    with serve(app) as (site, signal), door(browser, app, site, cast.desk.id) as at_door:
        scan_without_signal(at_door, cast)
        for how, arrived in (("before", 0), ("after", 2)):  # the scans never came; our answer to them never did
            signal.broken[UPLOADS] = how
            at_door.find_signal()
            signal.wait_for(UPLOADS)
            assert len(rows()) == arrived
            assert at_door.waiting() == 2
            assert len(kept_scans(at_door.page)) == 2
        signal.broken.clear()
        at_door.wait_until_sent()
        assert kept_scans(at_door.page) == []
    assert sorted(row.desk_reason or "" for row in rows()) == ["ok", "ok"]


def test_a_scanner_closed_in_mid_upload_sends_the_rest_when_it_is_opened_again(
    app: Flask, cast: Cast, browser: Browser
) -> None:
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    desk_id, gym_id = cast.desk.id, gym.id
    scan = {"credential": static(cast.alice), "scanned_at": clock.now().isoformat(), "reason": "ok",
            "list_issued_at": None, "clock_skew_ms": 0, "undone": None, "refused": None,
            "shown": {"panel": "check", "word": "Check ID", "line": ""}}  # fmt: skip
    with serve(app) as (site, signal), door(browser, app, site, desk_id) as at_door:
        at_door.open_ready()
        for desk, many in ((desk_id, 130), (gym_id, 1)):  # a busy evening, and a scan of another desk
            at_door.page.evaluate(KEEP_MANY, {"scan": {**scan, "desk": desk}, "many": many})
        signal.broken[UPLOADS], signal.spared = "hang", 1
        at_door.reopen()
        signal.wait_for(UPLOADS)
        assert at_door.waiting() == 31
        at_door.page.close()
        signal.broken.clear()
        signal.goes_on.set()
        at_door.reopen()
        at_door.wait_until_sent()
        assert kept_scans(at_door.page) == []
    found = rows()
    assert Counter(row.service_id for row in found) == {desk_id: 130, gym_id: 1}


def test_a_page_opened_without_signal_judges_and_keeps_what_it_judged(app: Flask, cast: Cast, browser: Browser) -> None:
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        scan_without_signal(at_door, cast)
        at_door.reopen()
        expect(at_door.page.locator("#note-offline")).to_contain_text("2 scans wait to be sent")
        code, _other = codes(cast)
        assert at_door.judge(code) == ("ok", "check")
        at_door.page.goto(f"{site}/scan")  # as the installed page starts
        expect(at_door.page).to_have_url(at_door.address)
        at_door.find_signal()
        at_door.wait_until_sent()
        assert at_door.complaints == []
    assert len(rows()) == 3


def test_where_storage_is_full_the_page_says_so_and_keeps_the_scan_until_it_is_sent(
    app: Flask, cast: Cast, browser: Browser
) -> None:
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready()
        at_door.page.evaluate("window.storageIsFull = true")
        at_door.lose_signal()
        code, _other = codes(cast)
        assert at_door.judge(code) == ("ok", "check")
        note = at_door.page.locator("#note-full")
        expect(note).to_contain_text("storage is full")
        expect(note).to_contain_text("1 scan is kept by this page only")
        assert kept_scans(at_door.page) == []
        at_door.page.evaluate("window.storageIsFull = false")
        at_door.find_signal()
        at_door.wait_until_sent()
        expect(note).to_be_hidden()
    assert [row.is_offline for row in rows()] == [True]


def test_no_answer_in_time_is_no_signal_and_the_scan_counts_once(app: Flask, cast: Cast, browser: Browser) -> None:
    with serve(app) as (site, signal), door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready()
        signal.broken["/scan/verifications"] = "hang"
        code, _other = codes(cast)
        assert at_door.judge(code) == ("ok", "check")
        expect(at_door.page.locator("#log li")).to_contain_text("Check ID")
        signal.broken.clear()
        signal.goes_on.set()
        at_door.wait_until_sent()
    assert [(row.reason, row.desk_reason) for row in rows()] == [("ok", "ok")]


def test_a_scan_taken_back_is_taken_back_at_once_with_signal_and_by_the_queue_without(
    app: Flask, cast: Cast, browser: Browser
) -> None:
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready()
        page = at_door.page
        one, other = codes(cast)
        at_door.show(other)
        page.get_by_role("button", name="Take back").click()
        page.get_by_role("button", name="They left").click()
        expect(page.locator("#hint")).to_have_text("The scan was taken back.")
        assert [row.undone_because for row in rows()] == ["left"]

        at_door.lose_signal()
        at_door.show(one)
        page.get_by_role("button", name="Someone else").click()
        expect(page.locator("#hint")).to_have_text("The scan was taken back.")
        page.get_by_role("button", name="Today").click()
        expect(page.locator("#today li").first).to_contain_text("taken back")
        expect(page.locator("#today li").first).to_contain_text("not sent yet")
        page.locator("#today-sheet [data-close]").click()
        at_door.find_signal()
        at_door.wait_until_sent()
    assert sorted(row.undone_because or "" for row in rows()) == ["left", "wrong_person"]


def test_a_tablet_whose_pairing_ends_says_what_to_do_and_still_sends_its_scans(
    app: Flask, cast: Cast, browser: Browser
) -> None:
    device, link = desks.add_device(cast.desk, "Blue tablet", clock.now())
    device_id = device.id
    with serve(app) as (site, _signal), device_door(browser, site, cast.desk.id, link) as at_door:
        scan_without_signal(at_door, cast)
        paired = db.session.get_one(DeskDevice, device_id)
        paired.expires_at = clock.now() - timedelta(minutes=1)
        db.session.commit()
        at_door.find_signal()
        at_door.wait_until_sent()
        note = at_door.page.locator("#note-ended")
        expect(note).to_contain_text("This device’s pairing has ended")
        expect(note).to_contain_text("Ask an administrator for a new link")
        code, _other = codes(cast)
        assert at_door.show(code) == ("", "unsure")
        expect(at_door.page.locator("#verdict-line")).to_have_text("This device’s pairing has ended")
    assert [(row.device_id, [flag.why for flag in row.flags]) for row in rows()] == [
        (device_id, ["device_expired"])
    ] * 2
