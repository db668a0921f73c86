"""A device with a wrong clock or an old list gives an honest verdict, and says what is the matter with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect, sync_playwright

from app import clock
from app.cards.keys import CardKeys, generate
from app.cards.service import card_keys
from app.extensions import db
from app.verification.models import Verification
from tests.browser.cards_shown import code, set_facts
from tests.browser.door import door, launch, serve
from tests.cast import Cast
from tests.verification.asking import card_of, live, static

HOUR_MS = 3_600_000

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def test_an_hour_wrong_clock_is_shown_turns_live_cards_amber_and_dates_no_scan_wrongly(
    app: Flask, cast: Cast, browser: Browser
) -> None:
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready(HOUR_MS)
        expect(at_door.page.locator("#note-clock")).to_contain_text("This device’s clock is 60 minutes fast")
        shown = live(cast.alice), static(cast.alice), code(card_of(cast.alice), window=120), live(cast.dan)
        db.session.commit()
        at_door.lose_signal()
        began = clock.now()
        assert at_door.judge(shown[0]) == ("clock_wrong", "check")
        assert at_door.judge(shown[1]) == ("ok", "check")
        assert at_door.judge(shown[2]) == ("stale_code", "no")  # a code of the device's hour, not of ours
        assert at_door.judge(shown[3]) == ("revoked", "no")  # whom the list names is not let in on sight of an ID
        ended = clock.now()
        at_door.find_signal()
        at_door.wait_until_sent()
    db.session.rollback()
    for row in db.session.query(Verification).all():
        assert began <= row.checked_at <= ended
        assert abs((row.clock_skew_ms or 0) - HOUR_MS) < 2_000
        assert row.flags == []


def test_a_list_of_an_hour_ago_still_judges_and_one_of_two_days_ago_calls_nothing_valid(
    app: Flask, cast: Cast, browser: Browser
) -> None:
    cards = set_facts(cast)
    alice, old = card_of(cast.alice), cards["old"]
    forged = CardKeys([generate(card_keys().signing_key(cast.today).key_id, cast.today)])
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready()
        at_door.lose_signal()
        at_door.reopen(HOUR_MS)
        expect(at_door.page.locator("#note-offline")).to_contain_text("List is 60 minutes old")
        assert at_door.judge(code(alice, window=120, tier=cast.plus.id)) == ("ok", "ok")
        assert at_door.judge(code(old, days=300)) == ("revoked", "no")

        at_door.reopen(48 * HOUR_MS)
        expect(at_door.page.locator("#note-offline")).to_contain_text("no card can be called valid")
        expect(at_door.page.locator("#note-offline")).to_contain_text("List is 2 days old and ended")
        for shown, answer in (
            (code(alice, window=5760, tier=cast.plus.id), ("list_too_old", "unsure")),
            (code(alice, days=300), ("list_too_old", "unsure")),
            (code(old, days=300), ("list_too_old", "unsure")),
            (code(alice, days=1), ("expired_card", "no")),
            (code(alice, days=300, keys=forged), ("forged", "no")),
        ):
            assert at_door.judge(shown) == answer
        db.session.rollback()
        at_door.find_signal()  # the true time again: what was judged is sent, however odd
        at_door.wait_until_sent()
        assert at_door.complaints == []
    db.session.rollback()
    assert db.session.query(Verification).count() == 7
