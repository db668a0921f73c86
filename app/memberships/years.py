"""The membership's own year: what limits "per year of membership" are counted by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.memberships import rules
from app.memberships.models import Term
from app.memberships.terms import terms_of


@dataclass(frozen=True)
class OwnYear:
    """First and last day; the last of grace where grace runs and nothing has followed yet."""

    starts_on: date
    ends_on: date


def own_year_of(person_id: int, day: date) -> OwnYear | None:
    """The year of membership that a day belongs to, also when it has lapsed since; None before any.

    An upgrade in the middle, and its refund, change nothing: the year is that of the term they stand on.
    """
    terms = terms_of(person_id)
    begun = [term for term in terms if term.starts_on <= day and term.ends_on >= term.starts_on]
    if not begun:
        return None
    current = begun[-1]
    root = _root(current, {term.id: term for term in terms})
    first, last = rules.own_year(root.starts_on, root.sold_ends_on, day)
    return OwnYear(first, max(last, current.grace_ends_on) if day > current.ends_on else last)


def _root(term: Term, by_id: dict[int, Term]) -> Term:
    """The term as it was first sold, below its upgrades and before its continuations."""
    while (below := by_id.get(term.continues_id or term.upgrades_id or 0)) is not None:
        term = below
    return term
