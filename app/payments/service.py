"""Payments' front door: opening a payment, refunding one, looking them up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier
from app.memberships.service import PricedOffer, offer_for
from app.payments import ledger, rules
from app.payments.gateway import CheckoutOrder
from app.payments.models import Discrepancy, Payment, Refund
from app.payments.settling import find_payment, lock_person
from app.people.models import Person

UNALLOCATED = ("mismatch", "days_covered", "overpaid", "underpaid")
PROVIDER_LOCALES = {"en", "es", "ru"}  # what the provider's page speaks; others are left to the browser


@dataclass(frozen=True)
class PaymentView:
    """A payment with what money moved for it."""

    payment: Payment
    balance: ledger.Balance
    state: rules.State


def open_payment(person: Person, tier: Tier, by: str, locale: str, now: datetime, today: date) -> Payment:
    """Ask somebody online for a tier's fee; the open payment they have when it asks just the same.

    Raises Refusal when a debit is on its way, when there is nothing to buy, or when another offer is
    open (close it first).
    """
    lock_person(person.id)
    existing = find_open_payment(person.id)
    if existing is not None and existing.completed_at is not None:
        raise Refusal("payment_pending", _("Your payment is on its way. Please don’t pay a second time."), 409)
    offered = offer_for(person.id, tier, now, today)
    if existing is not None:
        if asks_for(existing, tier, offered):
            return existing
        raise Refusal("payment_open", _("Another payment is open. Go back and choose again."), 409)
    return add_payment(person.id, tier, offered, "online", by, locale, now, today)


def asks_for(payment: Payment, tier: Tier, offered: PricedOffer) -> bool:
    """Whether an open payment is for this tier, these days and this price."""
    return (payment.tier_id, payment.offer.dates, payment.amount_cents, payment.currency) == (
        tier.id, offered.offer.dates, offered.fee_cents, offered.currency,
    )  # fmt: skip


def add_payment(
    person_id: int, tier: Tier, offered: PricedOffer, method: str, by: str, locale: str, now: datetime, today: date
) -> Payment:
    offer = offered.offer
    payment = Payment(
        person_id=person_id, tier_id=tier.id, kind=offer.kind, method=method, amount_cents=offered.fee_cents,
        currency=offered.currency, offer_anchor_on=offer.dates.anchor_on, offer_starts_on=offer.dates.starts_on,
        offer_ends_on=offer.dates.ends_on, offer_grace_ends_on=offer.dates.grace_ends_on,
        offer_holds_until=offer.holds_until, opened_at=now, opened_on=today, opened_by=by, locale=locale,
    )  # fmt: skip
    db.session.add(payment)
    db.session.flush()
    audit.record("payment_opened", f"payment:{payment.id}", now, person=person_id, tier=tier.code, method=method,
                 cents=payment.amount_cents, currency=payment.currency)  # fmt: skip
    return payment


def checkout_order(payment: Payment) -> CheckoutOrder:
    """What to ask the provider for, as plain values: nothing of the ORM crosses the call."""
    back = f"{current_app.config['BASE_URL']}/payments/{payment.number}/done"
    with force_locale(payment.locale):  # the same words whoever asks again: a page, the sweep, a job
        description = _("Membership %(tier)s", tier=payment.tier.name)
    # Other words under a known key are refused: a name or address corrected in between makes another key.
    words = hashlib.sha256(f"{back} {description} {payment.person.email}".encode()).hexdigest()[:16]
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
        cancel_url=f"{back}?left=1",
    )


def find_open_payment(person_id: int) -> Payment | None:
    query = select(Payment).where(
        Payment.person_id == person_id, Payment.method == "online", Payment.paid_at.is_(None),
        Payment.closed_at.is_(None),
    )  # fmt: skip
    return db.session.execute(query).scalar_one_or_none()


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
    """Newest first."""
    query = select(Payment).where(Payment.person_id == person_id).order_by(Payment.id.desc())
    return list(db.session.execute(query).scalars())


def view(payment: Payment) -> PaymentView:
    balance = ledger.balance_of(payment.id)
    state = rules.state_of(
        completed=payment.completed_at is not None, paid=payment.paid_at is not None,
        closed=payment.closed_at is not None, received_cents=balance.received_cents,
        refunded_cents=balance.refunded_cents,
    )  # fmt: skip
    return PaymentView(payment, balance, state)


def request_refund(payment: Payment, cents: int, by: str, now: datetime) -> Refund:
    """Note that money shall go back, before anybody is asked to send it. Raises Refusal."""
    lock_person(payment.person_id)
    balance = ledger.balance_of(payment.id)
    left = balance.received_cents - balance.refunded_cents
    waiting = select(func.coalesce(func.sum(Refund.amount_cents), 0)).where(
        Refund.payment_id == payment.id, Refund.status == "requested"
    )
    if db.session.execute(waiting).scalar_one():
        raise Refusal("refund_running", _("A refund of this payment is under way. Wait for it."), 409)
    if not 0 < cents <= left:
        raise Refusal("refund_too_large", _("There is nothing left of this payment to give back."), 409)
    refund = Refund(
        payment_id=payment.id, amount_cents=cents, currency=payment.currency, status="requested", requested_by=by,
        requested_at=now,
    )  # fmt: skip
    db.session.add(refund)
    db.session.flush()
    audit.record("refund_requested", f"payment:{payment.id}", now, refund=refund.id, cents=cents)
    return refund


def open_discrepancies() -> Select[Discrepancy]:
    """What still needs the treasurer; money that lay unallocated does no longer once it is gone."""
    is_gone = Discrepancy.reason.in_(UNALLOCATED) & Discrepancy.payment_id.in_(ledger.settled_payments())
    return select(Discrepancy).where(~is_gone).order_by(Discrepancy.id.desc())


def list_discrepancies(payment_id: int | None = None) -> list[Discrepancy]:
    """The open ones, newest first; of one payment when it is given."""
    query = open_discrepancies()
    if payment_id is not None:
        query = query.where(Discrepancy.payment_id == payment_id)
    return list(db.session.execute(query).scalars())
