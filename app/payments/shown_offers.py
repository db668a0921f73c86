"""Offers as pages show them: exact days, price, what is included, and what would be taken the next time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import request

from app.benefits.service import benefit_names
from app.memberships.models import Tier
from app.memberships.service import (
    PricedOffer,
    condition_words,
    current_successor,
    gift_offer,
    list_tiers,
    meets_condition,
    offer_for,
    price_on,
    tiers_on_sale,
    upgrade_offers,
)
from app.memberships.service import is_closed as is_tier_closed
from app.payments.renewing import LONGEST_MONTHS


@dataclass(frozen=True)
class ShownTier:
    code: str
    name: str
    benefits: list[str]


@dataclass(frozen=True)
class ShownOffer:
    """`renewed_on` and `renewal_cents` are the first charge if it renews by itself; None where it cannot."""

    tier: ShownTier
    price_cents: int
    currency: str
    months: int
    starts_on: date
    ends_on: date
    holds_until: date
    condition: str | None
    renewed_on: date | None = None
    renewal_cents: int | None = None

    @property
    def stamp(self) -> str:
        """What somebody agrees to, as the form sends it back."""
        return f"{self.tier.code} {self.starts_on} {self.ends_on} {self.price_cents} {self.currency}"

    @property
    def is_as_shown(self) -> bool:
        """Whether the page they sent showed this very offer; midnight or a new price may have come between."""
        shown = request.form.getlist("shown")
        return not shown or self.stamp in shown


def fee_offers(person_id: int | None, now: datetime, today: date) -> list[ShownOffer]:
    """What somebody (None: not in the register yet) may buy for themselves, in the association's order."""
    return [_fee_offer(person_id, tier, now, today) for tier in tiers_on_sale(person_id, today)]


def _fee_offer(person_id: int | None, tier: Tier, now: datetime, today: date) -> ShownOffer:
    offered = offer_for(person_id, tier, now, today)
    renewed_on = offered.offer.dates.ends_on + timedelta(days=1)
    following = current_successor(tier, renewed_on)
    if following is None or following.months > LONGEST_MONTHS:
        return shown(tier, offered)
    return shown(tier, offered, renewed_on, price_on(following, renewed_on).fee_cents)


def changes_up(person_id: int, now: datetime, today: date) -> list[ShownOffer]:
    """The higher tiers somebody may change into today, cheapest first."""
    return [shown(it.tier, it) for it in upgrade_offers(person_id, now, today)]


def gift_offers(now: datetime, today: date) -> list[ShownOffer]:
    """What may be given; the days are those of somebody without membership who accepts it today."""
    return [shown(tier, gift_offer(None, tier, now, today)) for tier in tiers_on_sale(None, today)]


def unmet_conditions(person_id: int | None, today: date) -> list[tuple[str, str]]:
    """Tiers on sale to others only: name, and who may have them."""
    return [
        (tier.name, condition_words(tier) or "")
        for tier in list_tiers()
        if not is_tier_closed(tier, today) and not meets_condition(person_id, tier, today)
    ]


def shown(
    tier: Tier, offered: PricedOffer, renewed_on: date | None = None, renewal_cents: int | None = None
) -> ShownOffer:
    dates = offered.offer.dates
    return ShownOffer(
        ShownTier(tier.code, tier.name, benefit_names(tier)), offered.fee_cents, offered.currency, tier.months,
        dates.starts_on, dates.ends_on, offered.offer.holds_until, condition_words(tier), renewed_on, renewal_cents,
    )  # fmt: skip
