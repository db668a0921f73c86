"""A membership that began without a payment has a card too."""

from __future__ import annotations

from datetime import datetime

from app import clock, jobs
from app.cards.service import ensure_card
from app.extensions import db
from app.memberships.service import standing_of


def issue_card(now: datetime, person_id: int) -> None:
    if standing_of(person_id, now, clock.today()).is_valid:
        ensure_card(person_id, now)
    db.session.commit()


def register() -> None:
    jobs.handles("membership_changed", issue_card)
