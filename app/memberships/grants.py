"""Days nobody paid for: granted by somebody, for a reason; not revenue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from flask_babel import gettext as _

from app.errors import Refusal
from app.formats import day_long
from app.memberships import rules
from app.memberships.models import Term, Tier
from app.memberships.rules import Endless, TermDates
from app.memberships.terms import add_term, held_terms, lock_person, note

MOST_YEARS = 100
CARRIED_OVER = "carried over"


def grant(
    person_id: int, tier: Tier, *, because: str, by: str, now: datetime, today: date, months: int | None = None,
    until: date | None = None, life: bool = False,
) -> Term:  # fmt: skip
    """Grant whole months, days until one, or life: after the days somebody has paid for, else from today.

    Raises Refusal.
    """
    if [months is not None, until is not None, life].count(True) != 1:
        raise Refusal("bad_grant", _("Say how long: a number of months, a last day, or life."))
    if not because.strip():
        raise Refusal("bad_grant", _("Say why these days are granted."))
    if months is not None and not 1 <= months <= 120:
        raise Refusal("bad_grant", _("Months must be 1 to 120."))
    lock_person(person_id)
    length = replace(tier.rules, months=months or 1, fixed_start=None, bonus_days=0)
    try:
        dates = rules.dates_after_run(held_terms(person_id, now), length, today)
    except Endless:
        raise Refusal("for_life", _("A member for life needs no further days."), 409) from None
    if months is None:
        dates = until_day(dates, tier, until or rules.FOR_LIFE, today)
    return grant_term(person_id, tier, dates, by, because.strip(), now)


def grant_term(person_id: int, tier: Tier, dates: TermDates, granted_by: str, because: str, now: datetime) -> Term:
    """Exactly these days. Raises Refusal when some are covered."""
    if rules.is_covered(held_terms(person_id, now), dates.starts_on, dates.ends_on):
        raise Refusal("days_covered", _("Some of these days are covered already."), 409)
    term = add_term(person_id, tier, dates, now, granted_by=granted_by, granted_because=because)
    note("term_granted", term, now)
    return term


def until_day(dates: TermDates, tier: Tier, ends_on: date, today: date) -> TermDates:
    """The same start with another last day. Raises Refusal for one before the start or further than anybody lives."""
    if ends_on < dates.starts_on:
        first = day_long(dates.starts_on)
        raise Refusal("bad_grant", _("Those days would begin on %(day)s, after that last day.", day=first))
    if ends_on != rules.FOR_LIFE and ends_on.year > today.year + MOST_YEARS:
        raise Refusal("bad_grant", _("That is more than %(years)d years ahead: grant it for life.", years=MOST_YEARS))
    return TermDates(dates.anchor_on, dates.starts_on, ends_on, rules.grace_end(ends_on, tier.rules))
