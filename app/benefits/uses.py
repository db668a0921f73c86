"""Reading the uses that were made: a member's own, what they were worth, what a benefit moves, a service's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import selectinload

from app import clock
from app.benefits.models import Benefit, Redemption
from app.extensions import db

PAGE = 50


class Span(Protocol):
    """Days, both included: a year of membership, a term."""

    @property
    def starts_on(self) -> date: ...
    @property
    def ends_on(self) -> date: ...


@dataclass(frozen=True)
class Brought:
    """Confirmed uses of one benefit and what they were worth together; None where nobody said what one is worth."""

    benefit: Benefit
    uses: int
    value_cents: int | None
    currency: str


@dataclass(frozen=True)
class Moved:
    """Confirmed uses of one benefit by how many people, what they were worth to them and cost the association."""

    benefit: Benefit
    uses: int
    people: int
    value_cents: int
    cost_cents: int
    currency: str


def redemptions_of(person_id: int, from_day: date, to_day: date) -> list[Redemption]:
    """Somebody's uses, whatever became of them, the newest first; both days included."""
    query = select(Redemption).where(Redemption.person_id == person_id, _between(from_day, to_day))
    newest = query.options(selectinload(Redemption.benefit)).order_by(Redemption.created_at.desc(), Redemption.id)
    return list(db.session.execute(newest).scalars())


def brought(person_id: int, term: Span) -> list[Brought]:
    """What somebody's benefits brought them in a year of membership (`own_year_of`), in the catalogue's order."""
    query = (
        select(Redemption.benefit_id, Redemption.currency, func.count(), func.sum(Redemption.value_cents))
        .where(Redemption.person_id == person_id, _between(term.starts_on, term.ends_on))
        .where(Redemption.state == "confirmed")
        .group_by(Redemption.benefit_id, Redemption.currency)
        .order_by(Redemption.benefit_id, Redemption.currency)
    )
    rows = db.session.execute(query).all()
    return [
        Brought(db.session.get_one(Benefit, benefit_id), uses, None if value is None else int(value), currency)
        for benefit_id, currency, uses, value in rows
    ]


def moved(from_day: date, to_day: date) -> list[Moved]:
    """What each benefit moved in these days, in the catalogue's order; those nobody used are left out."""
    query = (
        select(
            Redemption.benefit_id, Redemption.currency, func.count(), func.count(Redemption.person_id.distinct()),
            func.coalesce(func.sum(Redemption.value_cents), 0), func.coalesce(func.sum(Redemption.cost_cents), 0),
        )
        .where(_between(from_day, to_day), Redemption.state == "confirmed")
        .group_by(Redemption.benefit_id, Redemption.currency)
        .order_by(Redemption.benefit_id, Redemption.currency)
    )  # fmt: skip
    return [
        Moved(db.session.get_one(Benefit, benefit_id), uses, people, int(value or 0), int(cost or 0), currency)
        for benefit_id, currency, uses, people, value, cost in db.session.execute(query)
    ]


def uses_of_service(service_id: int, from_day: date, to_day: date, page: int = 0) -> tuple[list[Redemption], bool]:
    """What a service redeemed, and others of what it provides: its own, the newest first; is there another page."""
    provided = select(Benefit.id).where(Benefit.partner_id == service_id)
    theirs = (Redemption.service_id == service_id) | Redemption.benefit_id.in_(provided)
    query = select(Redemption).where(theirs, _between(from_day, to_day)).options(selectinload(Redemption.benefit))
    newest = query.order_by(Redemption.created_at.desc(), Redemption.id).offset(page * PAGE).limit(PAGE + 1)
    rows = list(db.session.execute(newest).scalars())
    return rows[:PAGE], len(rows) > PAGE


def _between(from_day: date, to_day: date) -> ColumnElement[bool]:
    return (Redemption.created_at >= clock.day_start(from_day)) & (Redemption.created_at < clock.day_end(to_day))
