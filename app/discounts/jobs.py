"""Erasing, once a day, what is past its time."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import jobs
from app.discounts.tokens import erase_expired
from app.extensions import db


def erase_openid_tokens(now: datetime) -> None:
    erase_expired(now)
    db.session.commit()


def register() -> None:
    jobs.handles("erase_openid_tokens", erase_openid_tokens)
    jobs.every(timedelta(days=1), "erase_openid_tokens")
