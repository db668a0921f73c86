"""Letters about renewing by itself: announced, refused by the bank, stopped."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from app import clock, mail
from app.errors import Refusal
from app.extensions import db
from app.mail import language_of
from app.memberships import renewal_links
from app.memberships.service import Membership, gift_offer, membership_of, offer_for, renewal_tier
from app.payments.letters import url
from app.payments.models import AutoRenewal


def mail_renewal_notice(now: datetime, auto_renewal_id: int, charge_on: str) -> None:
    """Price and day beforehand, as Ley 10/2025 asks. Not for a charge that will not be made on that day."""
    renewal = db.session.get_one(AutoRenewal, auto_renewal_id)
    if renewal.off_at is not None or renewal.charge_on.isoformat() != charge_on:
        return
    try:
        following = gift_offer(renewal.person_id, renewal.tier, now, clock.today())
    except Refusal:  # nothing to renew any more: nothing will be taken
        return
    _write(
        renewal, "renewal_notice", f"renewal-notice:{renewal.id}:{charge_on}:{renewal.fee_cents}",
        charge_on=renewal.charge_on, ends_on=following.offer.dates.ends_on,
        off_url=url(f"/auto-renewal/off/{renewal_links.make('off', renewal.person_id, now)}"),
    )  # fmt: skip


def mail_renewal_failed(now: datetime, auto_renewal_id: int, attempt: int, next_on: str | None) -> None:
    """The bank refused a charge. Nothing to tell once it is over: that is another letter."""
    renewal = db.session.get_one(AutoRenewal, auto_renewal_id)
    if renewal.off_at is not None:
        return
    membership = membership_of(renewal.person_id, now, clock.today())
    _write(
        renewal, "renewal_failed", f"renewal-failed:{renewal.id}:{attempt}:{next_on}", card_url=url("/account"),
        next_on=date.fromisoformat(next_on) if next_on else None, until=_paid_until(membership),
        grace_until=membership.grace_until,
    )  # fmt: skip


def mail_renewal_stopped(now: datetime, auto_renewal_id: int) -> None:
    """It renews no longer, and how to do it by hand. Not when it was switched on again."""
    renewal = db.session.get_one(AutoRenewal, auto_renewal_id)
    if renewal.off_at is None:
        return
    _write(
        renewal, "renewal_stopped", f"renewal-stopped:{renewal.id}", has_failed=renewal.off_because == "unpaid",
        until=_paid_until(membership_of(renewal.person_id, now, clock.today())),
        offer=renewal_offer(renewal.person_id, now),
    )  # fmt: skip


def renewal_offer(person_id: int, now: datetime) -> SimpleNamespace | None:
    """What renewing costs and buys today, behind one tap; None where there is nothing to renew.

    .tier_name str · .ends_on date · .fee_cents int, .currency · .url str
    """
    today = clock.today()
    tier = renewal_tier(person_id, today)
    if tier is None:
        return None
    try:
        offered = offer_for(person_id, tier, now, today)
    except Refusal:
        return None
    return SimpleNamespace(
        tier_name=tier.name, ends_on=offered.offer.dates.ends_on, fee_cents=offered.fee_cents,
        currency=offered.currency, url=url(f"/renew/link/{renewal_links.make('renew', person_id, now)}"),
    )  # fmt: skip


def _paid_until(membership: Membership) -> date | None:
    return None if membership.is_for_life else membership.valid_until


def _write(renewal: AutoRenewal, name: str, key: str, **facts: Any) -> None:
    person = renewal.person
    if person.email is not None:
        mail.send(
            person.email, name, language_of(person.language, renewal.locale), key, person=person, tier=renewal.tier,
            amount_cents=renewal.fee_cents, currency=renewal.currency, **facts,
        )  # fmt: skip
