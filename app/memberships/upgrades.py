"""A higher tier in mid-term: the fee difference for the days left, and the same last day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from app.errors import Refusal
from app.extensions import db
from app.memberships import rules
from app.memberships.conditions import meets_condition
from app.memberships.models import Term, Tier
from app.memberships.offers import PricedOffer, refuse_unsold
from app.memberships.rules import DAY, Offer, TermDates
from app.memberships.stacks import lay_upgrade, read_stack
from app.memberships.standings import standing_of
from app.memberships.terms import note, running_term, terms_of
from app.memberships.tiers import is_closed, list_tiers, price_on

LEAST_CENTS = 50  # the provider takes no smaller charge


@dataclass(frozen=True)
class UpgradeOffer(PricedOffer):
    """What becoming `tier` for the days left costs today."""

    tier: Tier


def upgrade_offers(person_id: int, now: datetime, today: date) -> list[UpgradeOffer]:
    """Every tier that somebody may change into today, the cheapest first."""
    held = _upgradable_term(person_id, now, today)
    if held is None:
        return []
    offers = [
        _offer(held, tier, today)
        for tier in list_tiers()
        if not is_closed(tier, today) and meets_condition(person_id, tier, today)
    ]
    return sorted((it for it in offers if it is not None), key=lambda it: it.fee_cents)


def upgrade_offer_for(person_id: int, tier: Tier, now: datetime, today: date) -> UpgradeOffer:
    """The offer of one tier. Raises Refusal: nothing_to_upgrade, tier_closed or condition_unmet."""
    held = _upgradable_term(person_id, now, today)
    offer = _offer(held, tier, today) if held is not None else None
    if offer is None:
        detail = _("Your membership cannot be changed to %(tier)s now.", tier=tier.name)
        raise Refusal("nothing_to_upgrade", detail, 409)
    refuse_unsold(person_id, tier, today)
    return offer


def sell_upgrade(
    person_id: int, tier: Tier, payment_id: int, dates: TermDates, now: datetime, offered_at: datetime | None
) -> Term | None:
    """Cut the lower tier's term to the day before and give the rest to the higher one.

    None when no lower term runs to the offered end any more, or when another upgrade has come between
    (`offered_at`, where it is known): its fee is not that of this offer.
    """
    held = running_term(terms_of(person_id), dates.starts_on)
    if held is None or held.ends_on != dates.ends_on or held.ended_because is not None:
        return None
    if not is_higher(tier, held.tier, dates.starts_on):
        return None
    if offered_at is not None and held.upgrades_id is not None and held.created_at > offered_at:
        return None
    term = Term(
        person_id=person_id, tier_id=tier.id, tier=tier, anchor_on=held.anchor_on, starts_on=dates.starts_on,
        ends_on=dates.starts_on - DAY, sold_ends_on=held.sold_ends_on, grace_ends_on=dates.starts_on - DAY,
        payment_id=payment_id, upgrades_id=held.id, created_at=now,
    )  # fmt: skip
    db.session.add(term)
    db.session.flush()
    lay_upgrade(term, now)
    note("term_sold", term, now)
    return term


def is_higher(tier: Tier, held: Tier, day: date) -> bool:
    """Whether one tier is another's upgrade: as long, the same kind of year, and dearer on that day."""
    price, held_price = price_on(tier, day), price_on(held, day)
    return (
        (tier.months, tier.fixed_start) == (held.months, held.fixed_start)
        and price.currency == held_price.currency
        and price.fee_cents > held_price.fee_cents
    )


def _upgradable_term(person_id: int, now: datetime, today: date) -> Term | None:
    """The term that runs today, whole and not on hold; none that has no end."""
    held = running_term(terms_of(person_id), today)
    if held is None or held.ends_on == rules.FOR_LIFE or held.ends_on < held.sold_ends_on:
        return None
    return held if standing_of(person_id, now, today).status == "active" else None


def _offer(held: Term, tier: Tier, today: date) -> UpgradeOffer | None:
    if not is_higher(tier, held.tier, today):
        return None
    price, root = price_on(tier, today), read_stack(held)[0].sold
    held_cents = price_on(held.tier, today).fee_cents
    cents = rules.upgrade_fee(held_cents, price.fee_cents, root.starts_on, root.sold_ends_on, today)
    if cents < LEAST_CENTS:
        return None
    dates = TermDates(held.anchor_on, today, held.ends_on, rules.grace_end(held.ends_on, tier.rules))
    holds_until = min(today + rules.OFFER_HOLDS, held.ends_on)
    return UpgradeOffer(Offer("upgrade", dates, holds_until), cents, price.currency, tier)
