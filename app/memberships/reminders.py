"""Which reminder is due for whom today: one of each kind per term, whatever happens to the worker.

A kind is the offset in days from a term's last day. This says what is due and notes what was sent; mailing it is
the business of a package to the right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import aliased

from app import audit, clock
from app.extensions import db, insert_once
from app.memberships.grants import CARRIED_OVER
from app.memberships.models import Reminder, ReminderStop, Suspension, Term
from app.memberships.tiers import list_tiers

CATCH_UP = timedelta(days=7)


@dataclass(frozen=True)
class DueReminder:
    """Send `kind`, and note `skipped_kinds` as skipped: their time passed while nobody was working."""

    person_id: int
    term_id: int
    kind: int
    skipped_kinds: tuple[int, ...]


def choose_kind(
    offsets: Iterable[int], ends_on: date, sold_on: date, noted: Collection[int], today: date
) -> tuple[int, tuple[int, ...]] | None:
    """The one reminder to send today and those it stands for, or None.

    Only the latest whose day has come is sent, and only while it is still true: before the end one that was to come
    before it, afterwards one that is at most a week late. What was due when the term was sold is not: whoever has
    just paid knows.
    """
    passed = sorted(kind for kind in offsets if sold_on < ends_on + timedelta(days=kind) <= today)
    if not passed or passed[-1] in noted:
        return None
    kind = passed[-1]
    last_true_on = ends_on if kind < 0 else ends_on + timedelta(days=kind) + CATCH_UP
    if today > last_true_on:
        return None
    return kind, tuple(earlier for earlier in passed[:-1] if earlier not in noted)


def due_reminders(now: datetime, today: date) -> list[DueReminder]:
    """Every reminder to send now, by person. None for a term that another follows, that ended early, that is for
    life or granted (carried-over ones are not), that is on hold, or whose member wants no reminders."""
    offsets = {tier.id: tier.reminder_offsets for tier in list_tiers()}
    every = [kind for kinds in offsets.values() for kind in kinds]
    if not every:
        return []
    later = aliased(Term)
    followed = exists().where(
        later.person_id == Term.person_id, later.starts_on > Term.starts_on, later.ends_on >= later.starts_on
    )
    on_hold = exists().where(
        or_(Suspension.term_id == Term.id, Suspension.person_id == Term.person_id), Suspension.from_at <= now,
        or_(Suspension.until_at.is_(None), Suspension.until_at > now),
    )  # fmt: skip
    query = (
        select(Term.id, Term.person_id, Term.tier_id, Term.ends_on, Term.created_at)
        .where(
            Term.ends_on.between(
                today - timedelta(days=max(*every, 0)) - CATCH_UP, today - timedelta(days=min(*every, 0))
            ),
            Term.ends_on >= Term.starts_on,
            Term.ended_because.is_(None),
            or_(Term.granted_by.is_(None), Term.granted_because == CARRIED_OVER),
            Term.person_id.not_in(select(ReminderStop.person_id)),
            ~followed,
            ~on_hold,
        )
        .order_by(Term.person_id)
    )
    terms = db.session.execute(query).all()
    noted = _noted([term.id for term in terms])
    due = []
    for term in terms:
        sold_on = clock.day_of(term.created_at)
        chosen = choose_kind(offsets[term.tier_id], term.ends_on, sold_on, noted.get(term.id, set()), today)
        if chosen is not None:
            due.append(DueReminder(term.person_id, term.id, *chosen))
    return due


def note_reminder(term_id: int, kind: int, state: str, now: datetime) -> bool:
    """Say that a reminder was sent or skipped; True for the one who says it first and may send it."""
    return insert_once(Reminder, term_id=term_id, kind=kind, state=state, at=now)


def stop_reminders(person_id: int, now: datetime) -> None:
    """Somebody wants no more of them; doing it again changes nothing."""
    if insert_once(ReminderStop, person_id=person_id, at=now):
        audit.record("reminders_stopped", f"person:{person_id}", now)


def are_reminders_stopped(person_id: int) -> bool:
    return db.session.get(ReminderStop, person_id) is not None


def _noted(term_ids: list[int]) -> dict[int, set[int]]:
    noted: dict[int, set[int]] = {}
    query = select(Reminder.term_id, Reminder.kind).where(Reminder.term_id.in_(term_ids))
    for term_id, kind in db.session.execute(query):
        noted.setdefault(term_id, set()).add(kind)
    return noted
