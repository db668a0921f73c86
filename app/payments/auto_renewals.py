"""Making the provider's subscription agree with our facts. Each step ends its own transaction."""

from __future__ import annotations

from datetime import timedelta

import structlog

from app import clock
from app.extensions import db
from app.payments import checkouts, gateway, renewing, subscriptions
from app.payments.facts import EventFacts
from app.payments.models import AutoRenewal, Payment
from app.payments.subscriptions import SubscriptionFacts

log = structlog.get_logger()
CLOCKS_APART = timedelta(hours=1)  # the provider's from ours, at most


def switch_on_after(payment_id: int) -> None:
    """Renew by itself with the way of paying that a payment's checkout kept. Raises ProviderTrouble. Commits."""
    payment = db.session.get_one(Payment, payment_id)
    intent_id, person_id, locale = payment.stripe_payment_intent_id, payment.person_id, payment.locale
    checkout_id = payment.stripe_checkout_id
    db.session.rollback()
    if intent_id is None:
        return
    customer_id, method_id = gateway.fetch_method(intent_id)
    if customer_id is None or method_id is None:
        log.warning("no_way_of_paying_kept", payment=payment_id)
        return
    renewing.switch_on(person_id, customer_id, method_id, locale, checkout_id, clock.now())
    db.session.commit()


def hear(event: EventFacts) -> bool:
    """News of a subscription. False when it is none of ours. Raises ProviderTrouble. Commits."""
    query = db.select(AutoRenewal.id).where(AutoRenewal.stripe_subscription_id == event.subscription_id)
    renewal_id = db.session.execute(query).scalar()
    db.session.rollback()
    if renewal_id is None:
        return False
    align(renewal_id)
    checkouts.note_event(event, clock.now())
    db.session.commit()
    return True


def look_at(renewal_id: int) -> None:
    """Settle all that was ever charged for a wish: what was taken unheard has no record here. Commits.

    Raises ProviderTrouble.
    """
    subscription_id = db.session.get_one(AutoRenewal, renewal_id).stripe_subscription_id
    db.session.rollback()
    for invoice_id in subscriptions.list_invoices(subscription_id) if subscription_id else []:
        checkouts.settle_invoice(invoice_id)


def align(renewal_id: int) -> None:
    """Have the provider take what next_charge says, or nothing; any number of times. Raises ProviderTrouble."""
    renewal = db.session.get(AutoRenewal, renewal_id)
    if renewal is None or renewal.cancelled_at is not None:
        db.session.rollback()
        return
    now, today = clock.now(), clock.today()
    charge = renewing.next_charge(renewal.person_id, now, today, renewal) if renewal.off_at is None else None
    if charge is None and renewal.off_at is None:
        renewing.switch_off(renewal, "nothing_to_renew", now)
        db.session.commit()
        renewal = db.session.get_one(AutoRenewal, renewal_id)
    subscription_id, method_id = renewal.stripe_subscription_id, renewal.stripe_payment_method_id
    made_since = renewal.on_at - CLOCKS_APART
    order = renewing.order_of(renewal, charge) if charge is not None else None
    db.session.rollback()
    if subscription_id is None:  # perhaps made, and we died before we could write it down
        subscription_id = subscriptions.find_subscription(renewal_id, method_id, made_since)
        if subscription_id is not None and charge is not None:
            _store(renewal_id, subscription_id, charge)
    if charge is None or order is None:
        _cancel(renewal_id, subscription_id)
        return
    if subscription_id is None:
        subscription_id = subscriptions.create_subscription(order)
        _store(renewal_id, subscription_id, charge)
        return
    facts = subscriptions.fetch_subscription(subscription_id)
    if facts.is_over or facts.is_ending:
        _switch_off(renewal_id, facts)
        return
    if charge.on <= today:  # its invoice is under way
        return
    if facts.is_unpaid:  # paid otherwise since: what failed must not be tried again
        subscriptions.void_open_invoices(subscription_id)
    if not renewing.is_as_wanted(facts, order):
        subscriptions.change_subscription(subscription_id, facts.item_id, order)
    _store(renewal_id, subscription_id, charge)


def _cancel(renewal_id: int, subscription_id: str | None) -> None:
    if subscription_id is not None:
        subscriptions.cancel_subscription(subscription_id)
    renewal = db.session.get_one(AutoRenewal, renewal_id, with_for_update=True)
    renewal.cancelled_at = renewal.cancelled_at or clock.now()
    db.session.commit()


def _switch_off(renewal_id: int, facts: SubscriptionFacts) -> None:
    """It was ended at the provider: by its owner in the portal, or after the last retry."""
    renewal = db.session.get_one(AutoRenewal, renewal_id, with_for_update=True)
    renewing.switch_off(renewal, "member" if facts.ended_by_owner else "unpaid", clock.now())
    db.session.commit()


def _store(renewal_id: int, subscription_id: str, charge: renewing.Charge) -> None:
    renewal = db.session.get_one(AutoRenewal, renewal_id, with_for_update=True)
    renewal.stripe_subscription_id = subscription_id
    if renewal.tier_id != charge.tier.id:
        renewal.announced_for = renewal.announced_on = None  # another tier, another price: announced anew
    renewal.tier_id, renewal.fee_cents, renewal.currency = charge.tier.id, charge.fee_cents, charge.currency
    renewal.charge_on = charge.on
    db.session.commit()
