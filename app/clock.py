"""The only reader of the machine's clock.

An entry point asks once and passes `now` and `today` on. `flask clock shift` moves both by an offset
kept in the association's row; carnet_today() on PostgreSQL adds the same offset.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app, g
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from app.association import get_association
from app.errors import Refusal
from app.extensions import db
from config import ConfigurationError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

FURTHEST = 60 * 366 * 86400  # seconds; the offset is a 32-bit number in the database
commands = AppGroup("clock", help="The rehearsal clock: move this installation's time.")


def now() -> datetime:
    """The present instant, aware, in UTC, with the rehearsal offset."""
    return datetime.now(UTC) + timedelta(seconds=_setting()[0])


def today() -> date:
    """The day in the association's time zone."""
    return day_of(now())


def zone() -> ZoneInfo:
    return ZoneInfo(_setting()[1])


def day_of(instant: datetime) -> date:
    """The day an instant falls on for the association."""
    return instant.astimezone(zone()).date()


def day_of_news(instant: datetime, now: datetime) -> date:
    """The day of an instant of somebody else's clock, which may be ahead: nothing has happened after our now."""
    return day_of(min(instant, now))


def day_start(day: date) -> datetime:
    """The first instant of `day` for the association, in UTC."""
    return datetime.combine(day, datetime.min.time(), zone()).astimezone(UTC)


def day_end(day: date) -> datetime:
    """The first instant after `day` for the association, in UTC (DST nights included)."""
    return day_start(day + timedelta(days=1))


def forget() -> None:
    """Read the offset anew next time: for what outlives a request."""
    g.pop("clock_offset", None)


def refuse_offset(app: Flask) -> None:
    """In production a clock that was left moved stops start-up. A database not there yet has no clock."""
    with app.app_context(), suppress(SQLAlchemyError):
        offset = get_association().clock_offset_seconds
        db.session.remove()
        db.engine.dispose()  # processes forked from this one make their own connections
        if offset:
            raise ConfigurationError(
                "The rehearsal clock was left moved: set BASE_URL to a loopback address and run flask clock reset."
            )


def _setting() -> tuple[int, str]:
    if "clock_offset" not in g:
        association = get_association()
        g.clock_offset = (association.clock_offset_seconds, association.time_zone)
    offset: tuple[int, str] = g.clock_offset
    return offset


@commands.command("shift", context_settings={"ignore_unknown_options": True})  # -1d is no option
@click.argument("by", metavar="BY")
def shift(by: str) -> None:
    """Move the clock by BY, such as 30d, 12h or -1d, on top of where it stands."""
    match = re.fullmatch(r"(-?\d{1,9})([smhdw])", by)
    if not match:
        raise Refusal("bad_duration", f"{by!r} is not a duration such as 30d or -12h.")
    _move(get_association().clock_offset_seconds + int(match[1]) * _UNITS[match[2]])


@commands.command("reset")
def reset() -> None:
    """Back to the real time."""
    _move(0)


def _move(offset: int) -> None:
    if current_app.config["PRODUCTION"] and offset:
        raise Refusal("clock_in_production", "The clock cannot be moved in production.")
    if abs(offset) > FURTHEST:
        raise Refusal("bad_duration", "That is further than the clock can go.")
    get_association().clock_offset_seconds = offset
    db.session.commit()
    forget()
    click.echo(f"It is now {now().astimezone(zone()):%Y-%m-%d %H:%M:%S} ({zone().key}).")
