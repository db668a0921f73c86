"""How days, instants and money read in the reader's language; Jinja filters of the same names."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask
from flask_babel import get_locale

from app import clock, money

NO_BREAK = "\u00a0"
_LONG = {"en": "d MMMM yyyy"}
_SHORT = {"en": "d MMM yyyy"}


def _locale() -> str:
    return str(get_locale() or "en")


def day_long(day: date) -> str:
    """18 December 2027, unbroken."""
    return format_date(day, _LONG.get(_locale(), "long"), locale=_locale()).replace(" ", NO_BREAK)


def day_short(day: date) -> str:
    """18 Dec 2027, unbroken."""
    return format_date(day, _SHORT.get(_locale(), "medium"), locale=_locale()).replace(" ", NO_BREAK)


def month_long(day: date) -> str:
    """November 2026"""
    return format_date(day, "LLLL yyyy", locale=_locale())


def moment(instant: datetime) -> str:
    """23 Nov 2026, 10:42 in the association's time zone."""
    zone: ZoneInfo = clock.zone()
    time = format_datetime(instant, "HH:mm", tzinfo=zone, locale=_locale())
    return f"{day_short(instant.astimezone(zone).date())}, {time}"


def format_money(cents: int, currency: str) -> str:
    return money.format_money(cents, currency, _locale()).replace(" ", NO_BREAK)


def format_whole(cents: int, currency: str) -> str:
    return money.format_whole(cents, currency, _locale()).replace(" ", NO_BREAK)


def register_filters(app: Flask) -> None:
    app.jinja_env.filters.update(
        money=format_money, money_whole=format_whole, day_long=day_long, day_short=day_short, moment=moment
    )
