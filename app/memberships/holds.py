"""Holds: on the days a payment bought, and staff's own on a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select

from app import audit
from app.extensions import db
from app.memberships.models import Suspension
from app.memberships.stacks import rows_upon
from app.memberships.terms import tell_of_change
from app.people.models import Person


def suspend_days_of_payment(payment_id: int, cause: str, at: datetime, now: datetime) -> None:
    """Suspend the days a payment bought, no others, from an instant on; doing it again changes nothing.

    Days that an upgrade bought upon them are among them: its money paid the difference only. The provider's clock
    may be ahead of ours: an instant after `now` counts as now.
    """
    for term in rows_upon(payment_id):
        if _open_holds(Suspension.term_id == term.id, Suspension.cause == cause):
            continue
        db.session.add(Suspension(term_id=term.id, cause=cause, from_at=min(at, now)))
        db.session.flush()
        audit.record("term_suspended", f"term:{term.id}", now, cause=cause)
        tell_of_change(term.person_id, now)


def lift_suspension_of_payment(payment_id: int, cause: str, at: datetime, now: datetime) -> None:
    """End what `suspend_days_of_payment` began; doing it again changes nothing."""
    for term in rows_upon(payment_id):
        for hold in _open_holds(Suspension.term_id == term.id, Suspension.cause == cause):
            hold.until_at = max(min(at, now), hold.from_at)
            db.session.flush()
            audit.record("suspension_lifted", f"term:{term.id}", now, cause=cause)
            tell_of_change(term.person_id, now)


def hold_person(person: Person, cause: str, by: str, now: datetime) -> bool:
    """Suspend all of somebody's days until they are released; False when they are on hold already."""
    if is_on_hold(person.id):
        return False
    db.session.add(Suspension(person_id=person.id, cause=cause, from_at=now))
    db.session.flush()
    audit.record("person_held", f"person:{person.id}", now, by=by)
    tell_of_change(person.id, now)
    return True


def release_person(person: Person, by: str, now: datetime) -> bool:
    """End the holds on a person; False when there are none. Those on a payment's days stay."""
    holds = _open_holds(Suspension.person_id == person.id)
    for hold in holds:
        hold.until_at = max(now, hold.from_at)
    if holds:
        db.session.flush()
        audit.record("person_released", f"person:{person.id}", now, by=by)
        tell_of_change(person.id, now)
    return bool(holds)


def is_on_hold(person_id: int) -> bool:
    """Whether staff hold this person."""
    return bool(_open_holds(Suspension.person_id == person_id))


def holds_of(person_id: int, term_ids: list[int]) -> list[Suspension]:
    """All holds, lifted ones too, on a person and on these terms."""
    whose = (Suspension.person_id == person_id) | Suspension.term_id.in_(term_ids)
    return list(db.session.execute(select(Suspension).where(whose).order_by(Suspension.id)).scalars())


def _open_holds(*conditions: ColumnElement[bool]) -> list[Suspension]:
    query = select(Suspension).where(Suspension.until_at.is_(None), *conditions)
    return list(db.session.execute(query).scalars())
