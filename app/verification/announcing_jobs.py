"""Telling services of changes: at once when a membership or the catalogue changes, and whatever time itself changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from app import clock, jobs
from app.extensions import db
from app.services.hook_subjects import listening
from app.verification import announcing

AT_ONCE = 500  # people in one transaction
LOOK_EVERY = timedelta(minutes=10)


def announce_person(now: datetime, person_id: int) -> None:
    announcing.announce([person_id], now, clock.day_of(now))
    db.session.commit()


def announce_everybody(now: datetime) -> None:
    """Compare everybody; cheap where nothing changed, whole after days without a worker."""
    today, people = clock.day_of(now), announcing.everybody()
    db.session.rollback()
    for first in range(0, len(people), AT_ONCE):
        announcing.announce(people[first : first + AT_ONCE], now, today)
        db.session.commit()


def note_met(now: datetime) -> None:
    """The log that says whose subject a service was given is erased after a while."""
    announcing.meet(listening())
    db.session.commit()


def register() -> None:
    jobs.handles("membership_changed", announce_person)
    jobs.handles("benefits_changed", announce_everybody)
    jobs.handles("announce_to_services", announce_everybody)
    jobs.handles("note_met_by_services", note_met)
    jobs.every(LOOK_EVERY, "announce_to_services")
    jobs.every(timedelta(days=1), "note_met_by_services")
