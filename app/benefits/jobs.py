"""Tidying, once an hour: reservations that ran out are called so, codes that nobody used go. Nothing waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import jobs
from app.benefits.codes import erase_unused
from app.benefits.redeeming import expire_reservations
from app.extensions import db


def tidy_benefits(now: datetime) -> None:
    expire_reservations(now)
    erase_unused(now)
    db.session.commit()


def register() -> None:
    jobs.handles("tidy_benefits", tidy_benefits)
    jobs.every(timedelta(hours=1), "tidy_benefits")
