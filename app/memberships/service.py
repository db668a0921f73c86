"""Memberships' front door: tiers, offers, terms, and what is true of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import aliased

from app import audit, jobs
from app.errors import Refusal
from app.extensions import db
from app.memberships import rules
from app.memberships.models import Suspension, Term, Tier
from app.memberships.rules import NEVER, AlreadyRenewed, HeldTerm, Offer, Standing, TermDates
from app.memberships.tiers import add_tier, find_tier, get_tier, get_tier_by_id, list_tiers, price_on

__all__ = [
    "NEVER", "AlreadyRenewed", "HeldTerm", "Offer", "Standing", "TermDates", "add_tier", "find_tier", "get_tier",
    "get_tier_by_id", "list_tiers", "price_on",
]  # fmt: skip


@dataclass(frozen=True)
class PricedOffer:
    """Days and their price in cents."""

    offer: Offer
    fee_cents: int
    currency: str


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


def terms_of(person_id: int) -> list[Term]:
    """All of a person's terms, emptied ones too, by start."""
    query = select(Term).where(Term.person_id == person_id).order_by(Term.starts_on, Term.id)
    return list(db.session.execute(query).scalars())


def held_terms(person_id: int, now: datetime) -> list[HeldTerm]:
    """The terms as rules read them, with open holds marked."""
    return held_terms_of([person_id], now)[person_id]


def held_terms_of(person_ids: Sequence[int], now: datetime) -> dict[int, list[HeldTerm]]:
    """The same for many people, in as many queries as for one."""
    terms = list(
        db.session.execute(
            select(Term).where(Term.person_id.in_(person_ids)).order_by(Term.starts_on, Term.id)
        ).scalars()
    )
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


def standing_of(person_id: int, now: datetime, today: date) -> Standing:
    """Status, tier and dates of a person today."""
    return rules.standing(held_terms(person_id, now), today)


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


def offer_for(person_id: int | None, tier: Tier, now: datetime, today: date) -> PricedOffer:
    """What this tier costs this person (None: somebody new) and which days it buys. Raises Refusal."""
    terms: Sequence[HeldTerm] = held_terms(person_id, now) if person_id is not None else []
    try:
        offer = rules.make_offer(terms, tier.rules, today)
    except AlreadyRenewed:
        raise Refusal("already_renewed", _("You have renewed already. There is nothing to pay now."), 409) from None
    price = price_on(tier, today)
    return PricedOffer(offer, price.fee_cents, price.currency)


def renewed_offer(person_id: int, now: datetime, today: date) -> Offer:
    """The days of somebody who has renewed already: what a second payment would buy again."""
    last = max((t for t in held_terms(person_id, now) if not t.is_empty), key=lambda t: t.starts_on)
    dates = TermDates(last.anchor_on, last.starts_on, last.ends_on, last.grace_ends_on)
    return Offer("renew", dates, today + rules.OFFER_HOLDS)


def sell_term(person_id: int, tier: Tier, payment_id: int, offered: Offer, paid_on: date, now: datetime) -> Term | None:
    """The term that a payment buys; the one it has already bought; None when its days are covered.

    Money within the offer's days of holding buys exactly the offered days; later money counts as
    offered on its value date.
    """
    existing = db.session.execute(select(Term).where(Term.payment_id == payment_id)).scalar_one_or_none()
    if existing is not None:
        return existing
    terms = held_terms(person_id, now)
    dates = offered.dates
    if paid_on > offered.holds_until:
        try:
            dates = rules.make_offer(terms, tier.rules, paid_on).dates
        except AlreadyRenewed:
            return None
    if rules.is_covered(terms, dates.starts_on, dates.ends_on):
        return None
    term = _add_term(person_id, tier, dates, now, payment_id=payment_id)
    audit.record("term_sold", f"term:{term.id}", now, person=person_id, payment=payment_id, tier=tier.code,
                 starts_on=dates.starts_on, ends_on=dates.ends_on)  # fmt: skip
    return term


def grant_term(person_id: int, tier: Tier, dates: TermDates, granted_by: str, because: str, now: datetime) -> Term:
    """Days nobody paid for. Raises Refusal when some are covered."""
    if rules.is_covered(held_terms(person_id, now), dates.starts_on, dates.ends_on):
        raise Refusal("days_covered", _("Some of these days are covered already."), 409)
    term = _add_term(person_id, tier, dates, now, granted_by=granted_by, granted_because=because)
    audit.record("term_granted", f"term:{term.id}", now, person=person_id, tier=tier.code,
                 starts_on=dates.starts_on, ends_on=dates.ends_on)  # fmt: skip
    return term


def _add_term(person_id: int, tier: Tier, dates: TermDates, now: datetime, **origin: object) -> Term:
    term = Term(
        person_id=person_id, tier_id=tier.id, anchor_on=dates.anchor_on, starts_on=dates.starts_on,
        ends_on=dates.ends_on, sold_ends_on=dates.ends_on, grace_ends_on=dates.grace_ends_on, created_at=now, **origin,
    )  # fmt: skip
    db.session.add(term)
    db.session.flush()
    tell_of_change(person_id, now)
    return term


def find_term_of_payment(payment_id: int) -> Term | None:
    return db.session.execute(select(Term).where(Term.payment_id == payment_id)).scalar_one_or_none()


def end_term(term: Term, because: str, now: datetime, today: date) -> None:
    """Keep only the days before today, without grace; doing it again changes nothing."""
    if term.ended_because is not None:
        return
    term.ends_on = rules.cut(term.starts_on, term.ends_on, today)
    term.grace_ends_on = term.ends_on
    term.ended_because = because
    db.session.flush()
    audit.record("term_ended", f"term:{term.id}", now, because=because, ends_on=term.ends_on)
    tell_of_change(term.person_id, now)


def ended_word(code: str | None) -> str | None:
    """Why a term ended early, as people read it."""
    return {"refunded": _("Refunded")}.get(code, code) if code else None


def restore_term(term: Term, now: datetime) -> bool:
    """Give back the days a failed refund had taken; False when somebody has bought them since."""
    if term.ended_because is None:
        return True
    others = [t for t in terms_of(term.person_id) if t.id != term.id and t.ends_on >= t.starts_on]
    if any(t.starts_on <= term.sold_ends_on and term.starts_on <= t.ends_on for t in others):
        return False
    grace_ends_on = rules.grace_end(term.sold_ends_on, term.tier.rules)
    term.ends_on, term.grace_ends_on, term.ended_because = term.sold_ends_on, grace_ends_on, None
    db.session.flush()
    audit.record("term_restored", f"term:{term.id}", now, ends_on=term.ends_on)
    tell_of_change(term.person_id, now)
    return True


def tell_of_change(person_id: int, now: datetime) -> None:
    """The one way the packages to the right learn of it."""
    jobs.enqueue("membership_changed", now, person_id=person_id)


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
