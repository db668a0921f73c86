"""What a payment buys: one term, once, for the days that were offered."""

from __future__ import annotations

from datetime import date, datetime

from app.memberships import rules
from app.memberships.models import Term, Tier
from app.memberships.offers import forget_renewal_choice, gift_dates
from app.memberships.rules import AlreadyRenewed, Offer, TermDates
from app.memberships.terms import add_term, find_term_of_payment, held_terms, note
from app.memberships.upgrades import sell_upgrade


def sell_term(
    person_id: int, tier: Tier, payment_id: int, offered: Offer, paid_on: date, now: datetime, *,
    arrived_on: date | None = None, offered_at: datetime | None = None,
) -> Term | None:  # fmt: skip
    """The term that a payment buys; the one it has already bought; None when its days are covered.

    Money within the offer's days of holding buys exactly the offered days; later money counts as offered on its
    value date. `arrived_on` is given for a delayed method: who is not a member yet has full length from that day.
    Of an upgrade None means that there is nothing (any more) to upgrade. `offered_at`, where it is given, keeps an
    upgrade from being sold upon another that was bought since.
    """
    existing = find_term_of_payment(payment_id)
    if existing is not None:
        return existing
    if offered.kind == "upgrade":
        dates = offered.dates
        if paid_on > offered.holds_until:
            dates = TermDates(dates.anchor_on, paid_on, dates.ends_on, dates.grace_ends_on)
        term = sell_upgrade(person_id, tier, payment_id, dates, now, offered_at)
    else:
        term = _sell_offered(person_id, tier, payment_id, offered, paid_on, arrived_on, now)
    if term is not None:
        forget_renewal_choice(person_id, now)
    return term


def sell_gift(person_id: int, tier: Tier, payment_id: int, now: datetime, today: date) -> Term:
    """The term of a gift that its recipient accepts today, after their whole run; the same one when asked again.

    Raises Refusal for_life.
    """
    existing = find_term_of_payment(payment_id)
    return existing or _add(person_id, tier, payment_id, gift_dates(person_id, tier, now, today), now)


def _sell_offered(
    person_id: int, tier: Tier, payment_id: int, offered: Offer, paid_on: date, arrived_on: date | None, now: datetime
) -> Term | None:
    terms = held_terms(person_id, now)
    if paid_on > offered.holds_until:
        try:
            offered = rules.make_offer(terms, tier.rules, paid_on)
        except AlreadyRenewed:
            return None
    dates = offered.dates
    if arrived_on is not None and offered.kind in ("join", "rejoin"):
        dates = rules.first_term(arrived_on, tier.rules)
    if rules.is_covered(terms, dates.starts_on, dates.ends_on):
        return None
    return _add(person_id, tier, payment_id, dates, now)


def _add(person_id: int, tier: Tier, payment_id: int, dates: TermDates, now: datetime) -> Term:
    term = add_term(person_id, tier, dates, now, payment_id=payment_id)
    note("term_sold", term, now)
    return term
