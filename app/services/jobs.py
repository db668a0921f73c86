"""Erasing, once an hour, answers that nobody will ask for again."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import jobs
from app.extensions import db
from app.services.idempotency import erase_old_answers


def erase_idempotent_answers(now: datetime) -> None:
    erase_old_answers(now)
    db.session.commit()


def register() -> None:
    jobs.handles("erase_idempotent_answers", erase_idempotent_answers)
    jobs.every(timedelta(hours=1), "erase_idempotent_answers")
