"""Renewing by itself: the wish, what it will take next, and the charges that come of it. Facts only: the calls to
the provider are auto_renewals'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog
from flask import current_app
from sqlalchemy import select

from app import audit, clock, jobs
from app.association import get_association
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier
from app.memberships.service import (
    PricedOffer,
    find_tier,
    offer_for,
    price_on,
    renewal_tier,
    renewed_offer,
    standing_of,
)
from app.payments.discrepancies import note_discrepancy
from app.payments.facts import CheckoutFacts
from app.payments.models import AutoRenewal, Payment, ProviderCustomer
from app.payments.service import Wanted, add_payment, find_auto_renewal
from app.payments.settling import close_payment, lock_payment, lock_person, note_completed, settle_money
from app.payments.subscriptions import InvoiceFacts, SubscriptionFacts, SubscriptionOrder

log = structlog.get_logger()
MOST_RETRIES = 4
LONGEST_MONTHS = 36  # the provider's longest interval (docs.stripe.com/api/subscriptions)
LEAST_NOTICE = timedelta(days=15)  # Ley 10/2025
HOUR = time(8)  # nobody is charged at midnight


@dataclass(frozen=True)
class Charge:
    """What will be taken next from somebody, and on which day."""

    tier: Tier
    fee_cents: int
    currency: str
    on: date


def next_charge(person_id: int, now: datetime, today: date, announced: AutoRenewal | None = None) -> Charge | None:
    """What renewing by itself takes next: the day after the run's end, at the price of that day.

    A price that was announced for that day is kept. None when there is nothing to renew: no running membership,
    one without end, or a tier that may not be bought again.
    """
    standing = standing_of(person_id, now, today)
    ends_on = standing.valid_until
    if standing.status in ("none", "lapsed") or ends_on is None or ends_on == date.max:
        return None
    charge_on = ends_on + timedelta(days=1)
    tier = renewal_tier(person_id, charge_on)
    if tier is None or tier.months > LONGEST_MONTHS:
        return None
    price = price_on(tier, charge_on)
    if announced is not None and announced.announced_for is not None and announced.announced_for >= charge_on:
        if announced.tier_id == tier.id:
            return Charge(tier, announced.fee_cents, announced.currency, announced.announced_for)
        charge_on = announced.announced_for
    return Charge(tier, price.fee_cents, price.currency, charge_on)


def switch_on(
    person_id: int, customer_id: str, method_id: str, locale: str, checkout_id: str | None, now: datetime
) -> AutoRenewal | None:
    """Note the wish and the way of paying; a later one replaces it. None when there is nothing to renew."""
    lock_person(person_id)
    if checkout_id is not None:
        same = select(AutoRenewal).where(AutoRenewal.stripe_checkout_id == checkout_id)
        existing = db.session.execute(same).scalar_one_or_none()
        if existing is not None:
            return existing
    charge = next_charge(person_id, now, clock.day_of(now))
    if charge is None:
        return None
    _keep_customer(person_id, customer_id)
    earlier = find_auto_renewal(person_id)
    if earlier is not None:
        switch_off(earlier, "replaced", now)
    renewal = AutoRenewal(
        person_id=person_id, tier_id=charge.tier.id, fee_cents=charge.fee_cents, currency=charge.currency,
        charge_on=charge.on, locale=locale, stripe_checkout_id=checkout_id, stripe_payment_method_id=method_id,
        on_at=now,
    )  # fmt: skip
    db.session.add(renewal)
    db.session.flush()
    audit.record("auto_renewal_on", f"auto_renewal:{renewal.id}", now, person=person_id)
    today = clock.day_of(now)
    if renewal.charge_on <= today + timedelta(days=get_association().renewal_notice_days):
        _announce(renewal, now, today)
    jobs.enqueue("align_auto_renewal", now, renewal_id=renewal.id)
    return renewal


def _keep_customer(person_id: int, customer_id: str) -> None:
    """Each checkout opened before another had ended made a customer of its own; a way of paying is of one only."""
    customer = db.session.get(ProviderCustomer, person_id)
    if customer is None:
        db.session.add(ProviderCustomer(person_id=person_id, stripe_customer_id=customer_id))
    else:
        customer.stripe_customer_id = customer_id


def switch_off(renewal: AutoRenewal, because: str, now: datetime) -> None:
    """No further charge: at once here, and by the job at the provider. Twice is once."""
    if renewal.off_at is not None:
        return
    renewal.off_at, renewal.off_because = now, because
    db.session.flush()
    audit.record("auto_renewal_off", f"auto_renewal:{renewal.id}", now, because=because)
    jobs.enqueue("align_auto_renewal", now, renewal_id=renewal.id)
    if because not in ("member", "replaced"):
        jobs.enqueue("mail_renewal_stopped", now, key=f"renewal-stopped:{renewal.id}", auto_renewal_id=renewal.id)


def keep_method(facts: CheckoutFacts, is_live_mode: bool, now: datetime) -> None:
    """A checkout without money kept a way of paying: its person renews by itself from now on."""
    if facts.is_live != is_live_mode or facts.status != "complete" or facts.saves_method_for is None:
        return
    if facts.customer_id is not None and facts.saved_method_id is not None:
        locale = current_app.config["DEFAULT_LOCALE"]
        earlier = select(Payment.locale).where(Payment.person_id == facts.saves_method_for).order_by(Payment.id.desc())
        locale = db.session.execute(earlier.limit(1)).scalar() or locale
        switch_on(facts.saves_method_for, facts.customer_id, facts.saved_method_id, locale, facts.id, now)


def order_of(renewal: AutoRenewal, charge: Charge) -> SubscriptionOrder:
    """What to tell the provider, as plain values."""
    customer = db.session.get_one(ProviderCustomer, renewal.person_id)
    charge_at = datetime.combine(charge.on, HOUR, clock.zone())
    stamp = f"{renewal.id}-{int(renewal.on_at.timestamp())}"
    return SubscriptionOrder(
        key=f"auto-renewal-{stamp}-{charge.tier.code}-{charge.fee_cents}-{charge.on}",
        renewal_id=renewal.id, customer_id=customer.stripe_customer_id, method_id=renewal.stripe_payment_method_id,
        tier_code=charge.tier.code, tier_name=charge.tier.name, fee_cents=charge.fee_cents, currency=charge.currency,
        months=charge.tier.months, charge_at=charge_at,
    )  # fmt: skip


def is_as_wanted(facts: SubscriptionFacts, order: SubscriptionOrder) -> bool:
    same_day = clock.day_of(facts.charge_at) == clock.day_of(order.charge_at)
    return same_day and (facts.tier_code, facts.fee_cents, facts.currency) == (
        order.tier_code, order.fee_cents, order.currency,
    )  # fmt: skip


def announce_due(now: datetime, today: date) -> None:
    """Mail price and day of each charge some weeks before it, once; one announced late is taken later."""
    notice = timedelta(days=get_association().renewal_notice_days)
    due = select(AutoRenewal.id).where(
        AutoRenewal.off_at.is_(None), AutoRenewal.stripe_subscription_id.is_not(None),
        AutoRenewal.charge_on <= today + notice, AutoRenewal.charge_on > today,
        (AutoRenewal.announced_for.is_(None)) | (AutoRenewal.announced_for < AutoRenewal.charge_on),
    )  # fmt: skip
    for renewal_id in db.session.execute(due).scalars().all():
        _announce(db.session.get_one(AutoRenewal, renewal_id, with_for_update=True), now, today)


def _announce(renewal: AutoRenewal, now: datetime, today: date) -> None:
    if renewal.announced_for is not None and renewal.announced_for >= renewal.charge_on:
        return
    renewal.charge_on = max(renewal.charge_on, today + LEAST_NOTICE)
    renewal.announced_for, renewal.announced_on = renewal.charge_on, today
    db.session.flush()
    audit.record("auto_renewal_announced", f"auto_renewal:{renewal.id}", now, charge_on=renewal.charge_on,
                 cents=renewal.fee_cents)  # fmt: skip
    jobs.enqueue(
        "mail_renewal_notice", now, key=f"renewal-notice:{renewal.id}:{renewal.charge_on}:{renewal.fee_cents}",
        auto_renewal_id=renewal.id, charge_on=renewal.charge_on.isoformat(),
    )  # fmt: skip
    jobs.enqueue("align_auto_renewal", now, renewal_id=renewal.id)


def settle_invoice(facts: InvoiceFacts, is_live_mode: bool, now: datetime) -> None:
    """A charge of a subscription: only its money extends a membership, by our rules."""
    renewal = _renewal_of(facts)
    if renewal is None:
        if facts.is_paid and facts.renewal_id is not None:
            note_discrepancy("unknown_payment", facts.id, None, facts.fee_cents, facts.currency, now)
        return
    if facts.is_live != is_live_mode or not facts.fee_cents or facts.money is None:
        return
    lock_person(renewal.person_id)
    found = select(Payment).where(Payment.stripe_invoice_id == facts.id)
    payment = db.session.execute(found).scalar_one_or_none()
    if payment is None and (facts.money.charge_id or facts.money.is_processing):
        payment = _payment_for(renewal, facts, now)
    if payment is not None:
        payment = lock_payment(payment)
        if facts.money.is_processing and payment.closed_because == "failed":  # tried again
            payment.closed_at = payment.closed_because = None
        if facts.money.is_processing:
            note_completed(payment, facts.money, now)
        settle_money(payment, facts.money, now)
    if facts.is_open and not facts.money.is_processing and not facts.money.charge_id:
        _note_failed(renewal, facts, now)


def _renewal_of(facts: InvoiceFacts) -> AutoRenewal | None:
    query = select(AutoRenewal).where(AutoRenewal.stripe_subscription_id == facts.subscription_id)
    found = db.session.execute(query).scalar_one_or_none() if facts.subscription_id else None
    if found is None and facts.renewal_id is not None:
        known = db.session.get(AutoRenewal, facts.renewal_id)
        # Its id is ours only if no other subscription is known under it (a database made anew).
        found = known if known is not None and known.stripe_subscription_id is None else None
    return found


def _payment_for(renewal: AutoRenewal, facts: InvoiceFacts, now: datetime) -> Payment:
    """Our record of a charge nobody asked for at a page. One made after the wish had ended buys nothing by itself."""
    tier = find_tier(facts.tier_code or "") or renewal.tier
    day = clock.day_of_news(facts.created_at, now)
    try:
        offered = offer_for(renewal.person_id, tier, now, day)
    except Refusal:  # renewed otherwise: the days they have, which are covered
        price = price_on(tier, day)
        offered = PricedOffer(renewed_offer(renewal.person_id, now, day), price.fee_cents, price.currency)
    payment = add_payment(
        renewal.person_id, Wanted(tier.id), offered, "online", f"auto_renewal:{renewal.id}", renewal.locale, now,
        clock.day_of(now), stripe_invoice_id=facts.id,
    )  # fmt: skip
    charged_at = facts.money.charged_at if facts.money else None
    if renewal.off_at is not None and renewal.off_because != "replaced" and charged_at and charged_at > renewal.off_at:
        close_payment(payment, "cancelled", now)
    return payment


def _note_failed(renewal: AutoRenewal, facts: InvoiceFacts, now: datetime) -> None:
    """Say that a charge failed and when it is tried again; after the last retry, stop."""
    if not facts.attempts or renewal.off_at is not None:
        return
    if facts.attempts > MOST_RETRIES or facts.next_attempt_at is None:
        switch_off(renewal, "unpaid", now)
        return
    jobs.enqueue(
        "mail_renewal_failed", now, key=f"renewal-failed:{facts.id}:{facts.attempts}", auto_renewal_id=renewal.id,
        attempt=facts.attempts, next_on=clock.day_of(facts.next_attempt_at).isoformat(),
    )  # fmt: skip
