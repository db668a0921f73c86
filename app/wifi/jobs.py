"""Once an hour: sessions that nobody ended, and rows that were kept long enough."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import clock, jobs
from app.extensions import db
from app.wifi.accounting import end_lost_sessions, erase_old_sessions
from app.wifi.refusals import erase_old_refusals


def tidy_wifi(now: datetime) -> None:
    end_lost_sessions(now)
    erase_old_sessions(clock.day_of(now))
    erase_old_refusals(clock.day_of(now))
    db.session.commit()


def register() -> None:
    jobs.handles("tidy_wifi", tidy_wifi)
    jobs.every(timedelta(hours=1), "tidy_wifi")
