"""What is true of a day for one person or many, and how many people stand where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.memberships import rules
from app.memberships.models import Term, Tier
from app.memberships.rules import HeldTerm, Standing
from app.memberships.terms import held_terms, held_terms_of
from app.memberships.tiers import list_tiers


@dataclass(frozen=True)
class Membership:
    """A standing with its tier. `starts_on` is the first day of the running or, without one, the coming term;
    `days_left` does not count today and counts grace while in it."""

    status: str
    tier: Tier | None
    starts_on: date | None
    valid_until: date | None
    grace_until: date | None
    days_left: int | None
    has_future: bool

    @property
    def is_valid(self) -> bool:
        return self.status in ("active", "grace")

    @property
    def is_for_life(self) -> bool:
        return self.valid_until == rules.FOR_LIFE


def standing_of(person_id: int, now: datetime, today: date) -> Standing:
    """Status, tier and dates of a person today."""
    return rules.standing(held_terms(person_id, now), today)


def standings_of(person_ids: Sequence[int], now: datetime, today: date) -> dict[int, Standing]:
    """The same for many people, in as many queries as for one."""
    return {person_id: rules.standing(held, today) for person_id, held in held_terms_of(person_ids, now).items()}


def membership_of(person_id: int, now: datetime, today: date) -> Membership:
    """What a person's pages say of their membership."""
    return memberships_of([person_id], now, today)[person_id]


def memberships_of(person_ids: Sequence[int], now: datetime, today: date) -> dict[int, Membership]:
    """The same for many people, in as many queries as for one."""
    tiers = {tier.id: tier for tier in list_tiers()}
    held = held_terms_of(person_ids, now)
    return {person_id: _membership(terms, tiers, today) for person_id, terms in held.items()}


def _membership(held: list[HeldTerm], tiers: dict[int, Tier], today: date) -> Membership:
    it = rules.standing(held, today)
    coming = sorted((t.starts_on, t.ends_on) for t in held if t.starts_on > today and not t.is_empty)
    last_day = it.grace_until if it.status == "grace" else it.valid_until
    return Membership(
        status=it.status,
        tier=tiers[it.tier_id] if it.tier_id else None,
        starts_on=it.starts_on if it.is_valid or not coming else coming[0][0],
        valid_until=it.valid_until or (coming[0][1] if coming else None),
        grace_until=it.grace_until if it.status == "grace" else None,
        days_left=(last_day - today).days if it.is_valid and last_day else None,
        has_future=bool(coming),
    )


def count_by_status(today: date) -> dict[str, int]:
    """How many people are active, in grace and lapsed today (holds aside)."""
    held = Term.ends_on >= Term.starts_on
    active = select(Term.person_id).where(held, Term.starts_on <= today, Term.ends_on >= today)
    past = select(Term.person_id).where(held, Term.ends_on < today, Term.person_id.not_in(active))
    later = aliased(Term)
    has_later = exists().where(
        later.person_id == Term.person_id, later.ends_on >= later.starts_on, later.starts_on > Term.starts_on,
        later.starts_on <= today,
    )  # fmt: skip
    in_grace = past.where(Term.grace_ends_on >= today, ~has_later)
    lapsed = past.where(Term.person_id.not_in(in_grace))
    return {name: _count_people(query) for name, query in (("active", active), ("grace", in_grace), ("lapsed", lapsed))}


def count_by_tier(today: date) -> dict[int, int]:
    """Running terms by tier."""
    query = select(Term.tier_id, func.count()).where(Term.starts_on <= today, Term.ends_on >= today)
    return {row[0]: row[1] for row in db.session.execute(query.group_by(Term.tier_id))}


def _count_people(query: Select[int]) -> int:
    people = query.distinct().subquery()
    return db.session.execute(select(func.count()).select_from(people)).scalar_one()
