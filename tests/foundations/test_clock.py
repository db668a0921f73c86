"""The clock: one reader, one offset, the association's day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

import config
from app import clock, create_app
from app.association import get_association
from app.extensions import db
from tests.command import is_refused, run
from tests.foundations.test_config import GOOD


def offset() -> int:
    db.session.expire_all()
    clock.forget()
    return get_association().clock_offset_seconds


def test_shifts_add_up_and_reset_takes_them_back(app: Flask) -> None:
    real = clock.now()
    assert run(app, "clock", "shift", "30d").exit_code == 0
    assert run(app, "clock", "shift", "-12h").exit_code == 0
    assert offset() == 30 * 86400 - 12 * 3600
    assert timedelta() <= clock.now() - real - timedelta(days=29, hours=12) < timedelta(minutes=1)
    assert run(app, "clock", "reset").exit_code == 0
    assert offset() == 0
    assert run(app, "clock", "reset").exit_code == 0


def test_a_shift_says_what_time_it_is_now(app: Flask) -> None:
    said = run(app, "clock", "shift", "1w").stdout
    clock.forget()
    assert said.startswith(f"It is now {clock.today():%Y-%m-%d}") and "(Europe/Madrid)" in said


@pytest.mark.parametrize("by", ["30", "d", "1.5d", "30 d", "30y", "", "--30d", "9999999w", "-9999999w"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_duration_moves_nothing(app: Flask, by: str) -> None:
    assert is_refused(run(app, "clock", "shift", by))
    assert offset() == 0


@pytest.mark.parametrize("by", ["21960d", "-21960d"])
def test_the_clock_goes_sixty_years_either_way(app: Flask, by: str) -> None:
    assert run(app, "clock", "shift", by).exit_code == 0
    assert is_refused(run(app, "clock", "shift", by[:-6] + "1s"))
    assert abs(offset()) == clock.FURTHEST


def test_production_refuses_to_move_the_clock_but_lets_it_be_put_right(
    app: Flask, database_url: str, instance: Path
) -> None:
    production = create_app(config.load({**GOOD, "DATABASE_URL": database_url}, instance=instance))
    assert is_refused(run(production, "clock", "shift", "1d"))
    assert offset() == 0
    assert run(production, "clock", "reset").exit_code == 0
    with production.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("beside_midnight", [None, timedelta(minutes=-1), timedelta(minutes=1)])
@pytest.mark.parametrize("zone", ["Europe/Madrid", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_database_and_the_application_agree_on_today(
    app: Flask, zone: str, beside_midnight: timedelta | None
) -> None:
    association = get_association()
    association.time_zone = zone
    if beside_midnight is not None:
        clock.forget()
        wanted = clock.day_end(clock.today() + timedelta(days=200)) + beside_midnight
        association.clock_offset_seconds = int((wanted - clock.now()).total_seconds())
    db.session.commit()
    clock.forget()
    assert db.session.execute(select(func.carnet_today())).scalar_one() == clock.today()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 28, 23, 0, 0, tzinfo=UTC), date(2026, 3, 29)),  # the night summer time begins
        (datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, 0, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 24, 22, 0, 0, tzinfo=UTC), date(2026, 10, 25)),  # the night it ends
        (datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 0, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_a_day_begins_and_ends_at_midnight_in_madrid(app: Flask, instant: datetime, day: date) -> None:
    with time_machine.travel(instant, tick=False):
        assert clock.now() == instant
        assert clock.today() == clock.day_of(instant) == day


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("day", "end", "hours"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 28, 23, tzinfo=UTC), 24),
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC), 23),
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC), 25),
        (date(2028, 2, 29), datetime(2028, 2, 29, 23, tzinfo=UTC), 24),
    ],
)
def test_the_end_of_a_day_is_the_first_instant_of_the_next(app: Flask, day: date, end: datetime, hours: int) -> None:
    assert clock.day_end(day) == end
    assert clock.day_of(end - timedelta(microseconds=1)) == day
    assert clock.day_of(end) == day + timedelta(days=1)
    assert end - clock.day_end(day - timedelta(days=1)) == timedelta(hours=hours)


def test_a_naive_instant_never_reaches_the_database(app: Flask) -> None:
    from app.people.models import Person

    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    db.session.add(Person(given_name="A", family_name="B", created_at=naive))
    with pytest.raises(Exception, match="aware"):
        db.session.flush()
    db.session.rollback()
