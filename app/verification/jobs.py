"""Erasing, once a day, what was kept long enough."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import clock, jobs
from app.extensions import db
from app.verification.retention import erase_details


def erase_old_scans(now: datetime) -> None:
    erase_details(clock.day_of(now))
    db.session.commit()


def register() -> None:
    jobs.handles("erase_old_scans", erase_old_scans)
    jobs.every(timedelta(days=1), "erase_old_scans")
