"""A membership that began without a payment has a card too."""

from __future__ import annotations

from datetime import datetime

from app import clock, jobs
from app.cards.photo_letters import mail_photo_refused
from app.cards.service import ensure_card
from app.extensions import db
from app.memberships.service import terms_of


def issue_card(now: datetime, person_id: int) -> None:
    """For whoever has days today or later: nothing runs on the morning a coming term begins."""
    today = clock.today()
    if any(term.starts_on <= term.ends_on and today <= term.grace_ends_on for term in terms_of(person_id)):
        ensure_card(person_id, now)
    db.session.commit()


def register() -> None:
    jobs.handles("membership_changed", issue_card)
    jobs.handles("mail_photo_refused", mail_photo_refused)
