"""What was known on a day, apart from what is true of it: read back from the audit log.

Every change of a term's days and every hold is written there with the instant it became known here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.audit import AuditEntry
from app.extensions import db
from app.memberships import rules
from app.memberships.models import Term
from app.memberships.rules import HeldTerm, Standing
from app.memberships.terms import terms_of


def standing_as_known(person_id: int, day: date, known_at: datetime) -> Standing:
    """Status, tier and dates of a day as they were answered at an instant."""
    return rules.standing(_terms_as_known(person_id, known_at), day)


def _terms_as_known(person_id: int, known_at: datetime) -> list[HeldTerm]:
    terms = {f"term:{term.id}": term for term in terms_of(person_id)}
    days: dict[str, dict[str, Any]] = {}
    holds: set[tuple[str, str]] = set()
    for subject, action, facts in _entries([*terms, f"person:{person_id}"], known_at):
        if action in ("term_suspended", "person_held"):
            holds.add((subject, facts.get("cause", "")))
        elif action in ("suspension_lifted", "person_released"):
            holds.discard((subject, facts.get("cause", "")))
        elif "ends_on" in facts:
            days[subject] = facts
    is_held = any(subject.startswith("person:") for subject, _cause in holds)
    return [
        _held(terms[subject], facts, is_held or any(on == subject for on, _cause in holds))
        for subject, facts in days.items()
    ]


def _held(term: Term, facts: dict[str, Any], suspended: bool) -> HeldTerm:
    ends_on = date.fromisoformat(facts["ends_on"])
    grace_ends_on = date.fromisoformat(facts.get("grace_ends_on", facts["ends_on"]))  # early entries do not name it
    return HeldTerm(term.tier_id, term.anchor_on, term.starts_on, ends_on, grace_ends_on, suspended)


def _entries(subjects: list[str], known_at: datetime) -> Iterator[tuple[str, str, dict[str, Any]]]:
    query = (
        select(AuditEntry.subject, AuditEntry.action, AuditEntry.facts)
        .where(AuditEntry.subject.in_(subjects), AuditEntry.at <= known_at)
        .order_by(AuditEntry.id)
    )
    for subject, action, facts in db.session.execute(query):
        yield subject, action, json.loads(facts)
