"""Terms as rows: looking them up, adding one, and telling others of a change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import or_, select

from app import audit, jobs
from app.extensions import db
from app.memberships.models import Suspension, Term, Tier
from app.memberships.rules import HeldTerm, TermDates
from app.people.models import Person


def lock_person(person_id: int) -> None:
    """One at a time where a person's terms are about to change."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


def terms_of(person_id: int) -> list[Term]:
    """All of a person's terms, emptied ones too, by start."""
    query = select(Term).where(Term.person_id == person_id).order_by(Term.starts_on, Term.id)
    return list(db.session.execute(query).scalars())


def held_terms(person_id: int, now: datetime) -> list[HeldTerm]:
    """The terms as rules read them, with open holds marked."""
    return held_terms_of([person_id], now)[person_id]


def held_terms_of(person_ids: Sequence[int], now: datetime) -> dict[int, list[HeldTerm]]:
    """The same for many people, in as many queries as for one."""
    # Plain columns: every verification asks this, and rows of the mapper cost more than the query.
    columns = (
        Term.id, Term.person_id, Term.tier_id, Term.anchor_on, Term.starts_on, Term.ends_on, Term.grace_ends_on
    )  # fmt: skip
    query = select(*columns).where(Term.person_id.in_(person_ids)).order_by(Term.starts_on, Term.id)
    terms = db.session.execute(query).all()
    holds = db.session.execute(
        select(Suspension.term_id, Suspension.person_id).where(
            or_(Suspension.person_id.in_(person_ids), Suspension.term_id.in_([t.id for t in terms])),
            Suspension.from_at <= now,
            or_(Suspension.until_at.is_(None), Suspension.until_at > now),
        )
    ).all()
    on_hold = {("term", row.term_id) for row in holds} | {("person", row.person_id) for row in holds}
    held: dict[int, list[HeldTerm]] = {person_id: [] for person_id in person_ids}
    for t in terms:
        suspended = ("term", t.id) in on_hold or ("person", t.person_id) in on_hold
        held[t.person_id].append(HeldTerm(t.tier_id, t.anchor_on, t.starts_on, t.ends_on, t.grace_ends_on, suspended))
    return held


def find_term_of_payment(payment_id: int) -> Term | None:
    """The term that a payment bought."""
    query = select(Term).where(Term.payment_id == payment_id, Term.continues_id.is_(None))
    return db.session.execute(query).scalar_one_or_none()


def add_term(person_id: int, tier: Tier, dates: TermDates, now: datetime, **origin: object) -> Term:
    """A new term with what stands behind it: `payment_id`, or `granted_by` and `granted_because`."""
    term = Term(
        person_id=person_id, tier_id=tier.id, anchor_on=dates.anchor_on, starts_on=dates.starts_on,
        ends_on=dates.ends_on, sold_ends_on=dates.ends_on, grace_ends_on=dates.grace_ends_on, created_at=now, **origin,
    )  # fmt: skip
    db.session.add(term)
    db.session.flush()
    tell_of_change(person_id, now)
    return term


def note(action: str, term: Term, now: datetime) -> None:
    """Write down what a term's days are from now on: what was known of them on a day is read from there."""
    audit.record(
        action, f"term:{term.id}", now, person=term.person_id, tier=term.tier.code, payment=term.payment_id,
        starts_on=term.starts_on, ends_on=term.ends_on, grace_ends_on=term.grace_ends_on, because=term.ended_because,
    )  # fmt: skip


def tell_of_change(person_id: int, now: datetime) -> None:
    """The one way the packages to the right learn of it."""
    jobs.enqueue("membership_changed", now, person_id=person_id)


def running_term(terms: Sequence[Term], today: date) -> Term | None:
    """The one that holds today."""
    return next((term for term in terms if term.starts_on <= today <= term.ends_on), None)


def ended_word(code: str | None) -> str | None:
    """Why a term ended early, as people read it."""
    words = {
        "refunded": _("Refunded"),
        "withdrawn": _("Contract withdrawn"),
        "dispute_lost": _("Taken back by the payer’s bank"),
        "upgraded": _("Upgraded"),
        "base_ended": _("The membership it upgraded has ended"),
        "days_taken": _("These days were bought again since"),
        "merge": _("Two records were made one"),
    }
    return words.get(code, code) if code else None
