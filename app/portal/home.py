"""What a member's home says: how long, what next, and what needs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy import select

from app.benefits.service import benefit_names
from app.cards.service import find_card
from app.errors import Refusal
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.models import Tier
from app.memberships.service import (
    Membership,
    is_on_hold,
    membership_of,
    offer_for,
    renewal_tier,
    terms_of,
    tiers_on_sale,
    upgrade_offers,
)
from app.payments import service as payments
from app.payments import transfers
from app.payments.history import history_of
from app.payments.models import AutoRenewal, Gift, Payment
from app.people.models import Person
from app.portal.benefit_facts import brought_by

MOST_SHOWN = 5
ENDED_BY_MONEY = ("refunded", "withdrawn", "dispute_lost")


@dataclass(frozen=True)
class NextFee:
    """What one press would buy."""

    tier: Tier
    price_cents: int
    currency: str
    ends_on: date


def home_facts(person: Person, address: str, now: datetime, today: date) -> dict[str, Any]:
    """The context of portal/home.html for a person, signed in by `address`."""
    membership = membership_of(person.id, now, today)
    pending = payments.find_pending_payment(person.id)
    order = next((it for it in transfers.open_orders(person.id) if it.kind != "gift"), None)
    auto_renewal = payments.find_auto_renewal(person.id)
    higher = upgrade_offers(person.id, now, today) if pending is None else []
    rows = history_of(person, today)
    return {
        "today": today,
        "person": person,
        "membership": membership,
        "held_by": _held_by(person, membership),
        "ended_because": _ended_because(person, membership, today),
        "pending": pending,
        "order": order,
        "missing_cents": transfers.missing_cents(order) if order is not None else 0,
        "renewal": None if pending or order else _next_fee(person, membership, now, today),
        "auto_renewal": auto_renewal,
        "charge": _charge_state(auto_renewal, membership, today),
        "gifts": _gifts_waiting(person, address, now),
        "upgrade": higher[0] if higher else None,
        "has_card": membership.is_valid and find_card(person.id) is not None,
        "benefits": benefit_names(membership.tier) if membership.tier and membership.is_valid else [],
        "brought": brought_by(person, rows, today),
        "rows": rows[:MOST_SHOWN],
        "has_more_rows": len(rows) > MOST_SHOWN,
    }


def _held_by(person: Person, membership: Membership) -> str | None:
    """Who holds somebody's days: "staff", or "bank" for a disputed payment."""
    if membership.status != "suspended":
        return None
    return "staff" if is_on_hold(person.id) else "bank"


def _ended_because(person: Person, membership: Membership, today: date) -> str | None:
    """Why there are no days left, where the money of the last ones went back."""
    terms = terms_of(person.id)
    if membership.status not in ("none", "lapsed") or membership.has_future or not terms:
        return None
    newest = max(terms, key=lambda term: term.id)
    return newest.ended_because if newest.ended_because in ENDED_BY_MONEY else None


def _next_fee(person: Person, membership: Membership, now: datetime, today: date) -> NextFee | None:
    """None where nothing may be bought now."""
    if membership.has_future or membership.status == "suspended" or membership.is_for_life:
        return None
    on_sale = tiers_on_sale(person.id, today)
    tier = renewal_tier(person.id, today) or (on_sale[0] if on_sale else None)
    if tier is None:
        return None
    try:
        offered = offer_for(person.id, tier, now, today)
    except Refusal:
        return None
    return NextFee(tier, offered.fee_cents, offered.currency, offered.offer.dates.ends_on)


def _charge_state(renewal: AutoRenewal | None, membership: Membership, today: date) -> str | None:
    """Where renewing by itself stands: "coming", "today", or "late" for a charge that has not come through."""
    if renewal is None or membership.has_future:
        return "coming" if renewal is not None else None
    if renewal.charge_on == today:
        return "today"
    return "late" if renewal.charge_on < today else "coming"


def _gifts_waiting(person: Person, address: str, now: datetime) -> list[tuple[Gift, str]]:
    """Gifts sent to the address that somebody proved to be theirs, each with the page that accepts it."""
    query = select(Gift).join(Payment).where(
        Gift.recipient_email == address, Gift.accepted_at.is_(None), Payment.paid_at.is_not(None),
        Payment.person_id != person.id,
    )  # fmt: skip
    waiting = [gift for gift in db.session.execute(query).scalars() if payments.view(gift.payment).state == "paid"]
    return [
        (gift, url_for("gifts.see", token=renewal_links.make("gift", gift.payment_id, now))) for gift in waiting
    ]  # fmt: skip
