"""Which cards count no longer although their codes' dates are still good: what an offline scanner cannot see."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from app.cards.models import Card
from app.extensions import db
from app.memberships.models import Suspension, Term
from app.memberships.service import list_tiers, memberships_of

AT_ONCE = 2000  # people in one query; SQLite takes some 32,000 values


def withdrawn_places(now: datetime, today: date) -> set[int]:
    """Places in the status list of cards revoked or replaced, on hold today, or of a term cut early.

    Read from the facts at every call. A mere lapse is not among them: the codes' own dates say it.
    """
    revoked = select(Card.status_index).where(Card.revoked_at.is_not(None), _may_be_in_date(today))
    places = set(db.session.execute(revoked).scalars())
    doubtful = {person_id: place for person_id, place in db.session.execute(_doubtful_cards(now, today))}
    people = list(doubtful)
    for first in range(0, len(people), AT_ONCE):
        memberships = memberships_of(people[first : first + AT_ONCE], now, today)
        places |= {doubtful[person_id] for person_id, it in memberships.items() if not it.is_valid}
    return places


def _doubtful_cards(now: datetime, today: date) -> Select[int, int]:
    """(person_id, status_index) of live cards whose holder's dates may not be as they were sold."""
    is_open = or_(Suspension.until_at.is_(None), Suspension.until_at > now)
    cut = select(Term.person_id).where(Term.ended_because != "upgraded")  # an upgraded term's days are its upgrade's
    return select(Card.person_id, Card.status_index).where(
        Card.revoked_at.is_(None),
        or_(
            Card.person_id.in_(select(Suspension.person_id).where(is_open, Suspension.person_id.is_not(None))),
            Card.person_id.in_(select(Term.person_id).join(Suspension, Suspension.term_id == Term.id).where(is_open)),
            Card.person_id.in_(cut),
        ),
        _may_be_in_date(today),
    )


def _may_be_in_date(today: date) -> ColumnElement[bool]:
    """Whether a code of the card can still be within its dates: today is in a term as it was sold, or in its grace."""
    sold = [
        and_(Term.tier_id == tier.id, Term.sold_ends_on >= today - timedelta(days=tier.grace_days))
        for tier in list_tiers()
    ]
    in_date = or_(Term.grace_ends_on >= today, *sold)
    return exists().where(Term.person_id == Card.person_id, Term.starts_on <= today, in_date)
