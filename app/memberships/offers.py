"""Offers: which days a tier buys somebody today, and for how much; which tier they renew into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.memberships import rules
from app.memberships.conditions import condition_words, meets_condition
from app.memberships.models import RenewalChoice, Tier
from app.memberships.rules import AlreadyRenewed, Endless, HeldTerm, Offer, TermDates
from app.memberships.terms import held_terms, tell_of_change, terms_of
from app.memberships.tiers import current_successor, get_tier_by_id, is_closed, list_tiers, price_on


@dataclass(frozen=True)
class PricedOffer:
    """Days and their price in cents."""

    offer: Offer
    fee_cents: int
    currency: str


def tiers_on_sale(person_id: int | None, today: date) -> list[Tier]:
    """The open tiers whose condition somebody (None: nobody we know) meets."""
    return [tier for tier in list_tiers() if not is_closed(tier, today) and meets_condition(person_id, tier, today)]


def offer_for(person_id: int | None, tier: Tier, now: datetime, today: date) -> PricedOffer:
    """What this tier costs this person (None: somebody new) and which days it buys.

    Raises Refusal: already_renewed, tier_closed or condition_unmet.
    """
    terms = _held(person_id, now)
    try:
        offer = rules.make_offer(terms, tier.rules, today)
    except AlreadyRenewed:
        raise Refusal("already_renewed", _("You have renewed already. There is nothing to pay now."), 409) from None
    refuse_unsold(person_id, tier, today)
    return priced(offer, tier, today)


def gift_offer(person_id: int | None, tier: Tier, now: datetime, today: date) -> PricedOffer:
    """What giving this tier costs, and the days it would be for somebody (None: somebody new) who accepts it today.

    They lie after the recipient's whole run, though they have renewed already. Raises Refusal: for_life,
    tier_closed or condition_unmet.
    """
    dates = gift_dates(person_id, tier, now, today)
    refuse_unsold(person_id, tier, today)
    return priced(Offer("gift", dates, today + rules.OFFER_HOLDS), tier, today)


def gift_dates(person_id: int | None, tier: Tier, now: datetime, today: date) -> TermDates:
    """The days a gift accepted today is for. Raises Refusal for_life."""
    try:
        return rules.dates_after_run(_held(person_id, now), tier.rules, today)
    except Endless:
        raise Refusal("for_life", _("A member for life needs no further year."), 409) from None


def renewed_offer(person_id: int, now: datetime, today: date) -> Offer:
    """The days of somebody who has renewed already: what a second payment would buy again."""
    last = rules.in_order(held_terms(person_id, now))[-1]
    dates = TermDates(last.anchor_on, last.starts_on, last.ends_on, last.grace_ends_on)
    return Offer("renew", dates, today + rules.OFFER_HOLDS)


def refuse_unsold(person_id: int | None, tier: Tier, today: date) -> None:
    """Raises Refusal when a tier is closed (naming its successor) or asks for what somebody has not."""
    if is_closed(tier, today):
        successor = current_successor(tier, today)
        detail = _("%(tier)s is no longer on sale.", tier=tier.name)
        if successor is not None:
            detail += " " + _("Choose %(successor)s instead.", successor=successor.name)
        raise Refusal("tier_closed", detail, 409)
    if not meets_condition(person_id, tier, today):
        detail = _("%(tier)s has a condition that is not met.", tier=tier.name)
        raise Refusal("condition_unmet", f"{detail} {condition_words(tier)}", 409)


def priced(offer: Offer, tier: Tier, today: date) -> PricedOffer:
    """An offer at the fee in force on a day."""
    price = price_on(tier, today)
    return PricedOffer(offer, price.fee_cents, price.currency)


def renewal_tier(person_id: int, today: date) -> Tier | None:
    """The tier somebody's next renewal is for: the one they chose, else the one they have, a closed one's successor.

    None where there is none to renew into without asking: no term so far, a closed tier without successor, a
    condition no longer met.
    """
    choice = db.session.get(RenewalChoice, person_id)
    tier = choice.tier if choice is not None else _last_tier(person_id)
    tier = current_successor(tier, today) if tier is not None else None
    return tier if tier is not None and meets_condition(person_id, tier, today) else None


def find_renewal_choice(person_id: int) -> RenewalChoice | None:
    """The other tier somebody chose for their next renewal."""
    return db.session.get(RenewalChoice, person_id)


def choose_renewal_tier(person_id: int, tier: Tier | None, now: datetime, today: date) -> None:
    """The tier from the next renewal on; None, or the tier they have, takes a choice back. Raises Refusal."""
    held = _last_tier(person_id)
    if held is None:
        raise Refusal("not_a_member", _("There is no membership to renew yet."), 409)
    if tier is None or tier.id == held.id:
        forget_renewal_choice(person_id, now)
        return
    refuse_unsold(person_id, tier, today)
    choice = db.session.get(RenewalChoice, person_id)
    if choice is not None and choice.tier_id == tier.id:
        return
    if choice is None:
        choice = RenewalChoice(person_id=person_id)
        db.session.add(choice)
    choice.tier, choice.chosen_at = tier, now
    db.session.flush()
    audit.record("renewal_tier_chosen", f"person:{person_id}", now, tier=tier.code)
    tell_of_change(person_id, now)


def forget_renewal_choice(person_id: int, now: datetime) -> None:
    """Taken back, or done: the renewal it was for has been bought."""
    choice = db.session.get(RenewalChoice, person_id)
    if choice is not None:
        db.session.delete(choice)
        db.session.flush()
        audit.record("renewal_choice_ended", f"person:{person_id}", now, tier=choice.tier.code)
        tell_of_change(person_id, now)


def _held(person_id: int | None, now: datetime) -> list[HeldTerm]:
    return held_terms(person_id, now) if person_id is not None else []


def _last_tier(person_id: int) -> Tier | None:
    held = [term for term in terms_of(person_id) if term.ends_on >= term.starts_on]
    return get_tier_by_id(held[-1].tier_id) if held else None
