"""Days, instants and money as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale

from app import formats

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = date(2027, 12, 18)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("{{ day | day_long }}", "18\u00a0December\u00a02027"),
        ("{{ day | day_short }}", "18\u00a0Dec\u00a02027"),
        ("{{ 5000 | money('EUR') }}", "€50.00"),
        ("{{ -5000 | money('EUR') }}", "\u2212€50.00"),
        ("{{ 5000 | money_whole('EUR') }}", "€50"),
    ],
)
def test_english_reads_exactly_as_the_design_says(app: Flask, written: str, shown: str) -> None:
    with app.test_request_context(), force_locale("en"):
        assert render_template_string(written, day=DAY) == shown


@pytest.mark.parametrize("locale", ["en", "ca", "es", "ru"])
def test_days_and_money_never_break_across_lines(app: Flask, locale: str) -> None:
    with app.test_request_context(), force_locale(locale):
        for shown in (formats.day_long(DAY), formats.day_short(DAY), formats.format_money(123456, "EUR")):
            assert " " not in shown and not shown.replace("\u00a0", "").isdecimal()


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (datetime(2026, 11, 23, 9, 42, tzinfo=UTC), "23\u00a0Nov\u00a02026, 10:42"),
        (datetime(2026, 7, 23, 22, 0, tzinfo=UTC), "24\u00a0Jul\u00a02026, 00:00"),  # already tomorrow in Madrid
    ],
)
def test_an_instant_is_shown_in_the_associations_time_zone(app: Flask, instant: datetime, shown: str) -> None:
    with app.test_request_context(), force_locale("en"):
        assert formats.moment(instant) == shown
