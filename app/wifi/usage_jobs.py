"""Months are counted while their sessions are still there."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import clock, jobs
from app.extensions import db
from app.wifi.usage import count_months


def count_wifi_months(now: datetime) -> None:
    count_months(clock.day_of(now))
    db.session.commit()


def register() -> None:
    jobs.handles("count_wifi_months", count_wifi_months)
    jobs.every(timedelta(hours=6), "count_wifi_months")
