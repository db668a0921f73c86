"""Payments' front door: opening a payment, looking payments up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.models import Tier
from app.memberships.service import PricedOffer, gift_offer, offer_for, upgrade_offer_for
from app.payments import ending, ledger, rules
from app.payments.discrepancies import list_discrepancies, open_discrepancies
from app.payments.gateway import CheckoutOrder, is_configured
from app.payments.models import AutoRenewal, Dispute, Gift, Payment, ProviderCustomer
from app.payments.settling import find_open_payment, find_payment, lock_payment, lock_person
from app.people.models import Person

__all__ = ["find_open_payment", "find_payment", "list_discrepancies", "lock_payment", "open_discrepancies"]

PROVIDER_LOCALES = {"en", "es", "ru"}  # what the provider's page speaks; others are left to the browser


@dataclass(frozen=True)
class GiftTo:
    """Whom a gift is for; `email` in small letters."""

    email: str
    name: str
    message: str


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to pay for: their own fee, a higher tier for the rest of their term, or a gift."""

    tier_id: int
    is_upgrade: bool = False
    auto_renewal: bool = False
    gift: GiftTo | None = None


@dataclass(frozen=True)
class PaymentView:
    """A payment with what money moved for it."""

    payment: Payment
    balance: ledger.Balance
    state: rules.State
    dispute: Dispute | None


def offer_of(person_id: int, wanted: Wanted, now: datetime, today: date) -> PricedOffer:
    """The days and the price of what is wanted. Raises Refusal."""
    tier = db.session.get_one(Tier, wanted.tier_id)
    if wanted.gift is not None:
        return gift_offer(None, tier, now, today)
    if wanted.is_upgrade:
        return upgrade_offer_for(person_id, tier, now, today)
    return offer_for(person_id, tier, now, today)


def open_payment(person: Person, wanted: Wanted, by: str, locale: str, now: datetime, today: date) -> Payment:
    """Ask somebody online for a fee; the open payment they have when it asks just the same.

    Raises Refusal when a debit is on its way, when there is nothing to buy, or when another offer is
    open (close it first).
    """
    lock_person(person.id)
    existing = find_open_payment(person.id)
    if find_pending_payment(person.id) is not None:
        raise Refusal("payment_pending", _("Your payment is on its way. Please don’t pay a second time."), 409)
    offered = offer_of(person.id, wanted, now, today)
    if existing is not None:
        if asks_for(existing, wanted, offered):
            return existing
        raise Refusal("payment_open", _("Another payment is open. Go back and choose again."), 409)
    return add_payment(person.id, wanted, offered, "online", by, locale, now, today)


def asks_for(payment: Payment, wanted: Wanted, offered: PricedOffer) -> bool:
    """Whether an open payment is for this tier, these days, this price, this way of renewing, this recipient."""
    mine = (payment.kind, payment.tier_id, payment.offer.dates, payment.amount_cents, payment.wants_auto_renewal)
    theirs = (offered.offer.kind, wanted.tier_id, offered.offer.dates, offered.fee_cents, wanted.auto_renewal)
    return mine == theirs and payment.currency == offered.currency and _recipient(payment) == wanted.gift


def _recipient(payment: Payment) -> GiftTo | None:
    gift = db.session.get(Gift, payment.id)
    return GiftTo(gift.recipient_email, gift.recipient_name, gift.message) if gift else None


def add_payment(
    person_id: int, wanted: Wanted, offered: PricedOffer, method: str, by: str, locale: str, now: datetime, today: date,
    stripe_invoice_id: str | None = None,
) -> Payment:  # fmt: skip
    """A new payment, asked for and not yet paid."""
    offer = offered.offer
    payment = Payment(
        person_id=person_id, tier_id=wanted.tier_id, kind=offer.kind, method=method, amount_cents=offered.fee_cents,
        currency=offered.currency, offer_anchor_on=offer.dates.anchor_on, offer_starts_on=offer.dates.starts_on,
        offer_ends_on=offer.dates.ends_on, offer_grace_ends_on=offer.dates.grace_ends_on,
        offer_holds_until=offer.holds_until, opened_at=now, opened_on=today, opened_by=by, locale=locale,
        wants_auto_renewal=wanted.auto_renewal, stripe_invoice_id=stripe_invoice_id,
    )  # fmt: skip
    db.session.add(payment)
    db.session.flush()
    if wanted.gift is not None:
        it = wanted.gift
        db.session.add(
            Gift(payment_id=payment.id, recipient_email=it.email, recipient_name=it.name, message=it.message)
        )
        db.session.flush()
    audit.record("payment_opened", f"payment:{payment.id}", now, person=person_id, tier=wanted.tier_id, method=method,
                 kind=payment.kind, cents=payment.amount_cents, currency=payment.currency)  # fmt: skip
    return payment


def checkout_order(payment: Payment) -> CheckoutOrder:
    """What to ask the provider for, as plain values: nothing of the ORM crosses the call."""
    back = f"{current_app.config['BASE_URL']}{outcome_path(payment)}"
    with force_locale(payment.locale):  # the same words whoever asks again: a page, the sweep, a job
        description = _("Membership %(tier)s", tier=payment.tier.name)
    # Other words under a known key are refused: a name or address corrected in between makes another key.
    words = hashlib.sha256(f"{back} {description} {payment.person.email}".encode()).hexdigest()[:16]
    customer = db.session.get(ProviderCustomer, payment.person_id) if payment.wants_auto_renewal else None
    return CheckoutOrder(
        number=payment.number,
        # The instant keeps keys apart when a database is made anew beside the same provider account.
        key=f"payment-{payment.id}-{int(payment.opened_at.timestamp())}-checkout-{words}",
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        description=description,
        email=payment.person.email,
        locale=payment.locale if payment.locale in PROVIDER_LOCALES else "auto",
        success_url=back,
        cancel_url=f"{back}&left=1",
        keeps_method=payment.wants_auto_renewal,
        customer_id=customer.stripe_customer_id if customer else None,
    )


def outcome_path(payment: Payment) -> str:
    """The page that says how a payment ended. Its key opens it, and nothing else, to somebody not signed in."""
    key = renewal_links.make("outcome", payment.id, payment.opened_at)
    return f"/payments/{payment.number}/done?key={key}"


def find_pending_payment(person_id: int) -> Payment | None:
    """A debit on its way: completed at a page or by itself, not yet paid."""
    query = select(Payment).where(
        Payment.person_id == person_id, Payment.method == "online", Payment.completed_at.is_not(None),
        Payment.paid_at.is_(None), Payment.closed_at.is_(None),
    )  # fmt: skip
    return db.session.execute(query.order_by(Payment.id).limit(1)).scalar()


def get_payment(number: str) -> Payment:
    """By its number. Raises Refusal 404."""
    payment = find_payment(number)
    if payment is None:
        raise Refusal("unknown_payment", _("There is no such payment."), 404)
    return payment


def get_own_payment(number: str, person: Person | None) -> Payment:
    """Raises the same Refusal for somebody else's as for none."""
    payment = find_payment(number)
    if payment is None or person is None or payment.person_id != person.id:
        raise Refusal("unknown_payment", _("There is no such payment."), 404)
    return payment


def payments_of(person_id: int) -> list[Payment]:
    """Newest first: what was asked of somebody, and gifts that became theirs."""
    theirs = select(Gift.payment_id).where(Gift.recipient_id == person_id)
    query = select(Payment).where((Payment.person_id == person_id) | Payment.id.in_(theirs))
    return list(db.session.execute(query.order_by(Payment.id.desc())).scalars())


def view(payment: Payment) -> PaymentView:
    balance = ledger.balance_of(payment.id)
    state = rules.state_of(
        completed=payment.completed_at is not None, paid=payment.paid_at is not None,
        closed=payment.closed_at is not None, received_cents=balance.received_cents,
        refunded_cents=balance.refunded_cents, lost_cents=ending.lost_cents(payment.id),
    )  # fmt: skip
    newest = select(Dispute).where(Dispute.payment_id == payment.id).order_by(Dispute.id.desc()).limit(1)
    return PaymentView(payment, balance, state, db.session.execute(newest).scalar())


def can_pay_online() -> bool:
    return is_configured()


def find_auto_renewal(person_id: int) -> AutoRenewal | None:
    """The one that is on."""
    query = select(AutoRenewal).where(AutoRenewal.person_id == person_id, AutoRenewal.off_at.is_(None))
    return db.session.execute(query).scalar_one_or_none()
