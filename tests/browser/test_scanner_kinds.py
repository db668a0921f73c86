"""Twelve kinds of card before a desk's camera, with the network off and again with it on."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Playwright, sync_playwright

from app.extensions import db
from app.verification.models import Verification
from tests.browser.cards_shown import set_facts, twelve
from tests.browser.door import door, launch, serve
from tests.cast import Cast

# `make test-long` repeats it in fresh browsers.
RUNS = int(os.environ.get("SCANNER_RUNS", "1"))

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.mark.parametrize("run", range(RUNS))
def test_twelve_kinds_of_card_get_their_answers_without_signal_and_with_it(
    app: Flask, cast: Cast, playwright: Playwright, run: int
) -> None:
    cards = set_facts(cast)
    browser = launch(playwright)
    with serve(app) as (site, _signal), door(browser, app, site, cast.desk.id) as at_door:
        at_door.open_ready()
        at_door.lose_signal()
        alone = {shown.kind: (at_door.judge(shown.text), shown.alone) for shown in _fresh(cast, cards)}
        assert {kind: seen for kind, (seen, _wanted) in alone.items()} == {
            kind: wanted for kind, (_seen, wanted) in alone.items()
        }
        assert at_door.waiting() == 12

        at_door.find_signal()
        at_door.wait_until_sent()
        asked = {shown.kind: (at_door.judge(shown.text), shown.asked) for shown in _fresh(cast, cards)}
        assert {kind: seen for kind, (seen, _wanted) in asked.items()} == {
            kind: wanted for kind, (_seen, wanted) in asked.items()
        }
        assert at_door.complaints == []
    browser.close()
    db.session.rollback()
    rows = db.session.query(Verification).all()
    assert Counter(row.is_offline for row in rows) == {True: 12, False: 12}
    assert len({row.nonce for row in rows}) == 24


def _fresh(cast: Cast, cards: dict) -> Iterator:
    """One after the other, each made when it is shown: a live code lives for a minute."""
    for place in range(12):
        yield twelve(cast, cards)[place]
