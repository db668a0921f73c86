"""The steps between us and the provider. Each ends its own transaction: no call leaves inside one.

These are entry points' steps (a page, the webhook, the sweep, a command), so they commit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import Refusal
from app.extensions import db, insert_once
from app.payments import gateway, ledger, refunds, renewing, service, settling, subscriptions
from app.payments.discrepancies import note_discrepancy
from app.payments.facts import CheckoutFacts, DisputeFacts, EventFacts, MoneyFacts
from app.payments.gateway import ProviderTrouble
from app.payments.models import Dispute, Payment, Refund, StripeEvent
from app.payments.service import Wanted
from app.people.models import Person

__all__ = ["ProviderTrouble"]

log = structlog.get_logger()
KEY_LIFE = timedelta(hours=23)  # the provider may forget an idempotency key after a day


def start(person_id: int, wanted: Wanted, by: str, locale: str) -> tuple[str, str | None]:
    """Open a payment and its checkout: (payment number, address to pay at; None when it is settled already).

    Our record is committed before the provider's exists; asked again with the same key it answers the
    same checkout. Raises Refusal, or Refusal 503 when the provider does not answer.
    """
    try:
        for _attempt in range(2):  # a checkout found expired makes room for a new one, once
            completed = _close_other_offer(person_id, wanted)
            if completed is not None:
                return completed, None
            person = db.session.get_one(Person, person_id)
            payment = service.open_payment(person, wanted, by, locale, clock.now(), clock.today())
            number, checkout_id, order = payment.number, payment.stripe_checkout_id, service.checkout_order(payment)
            db.session.commit()
            facts = gateway.fetch_checkout(checkout_id) if checkout_id else gateway.create_checkout(order)
            settle(facts)
            if facts.status == "open":
                return number, facts.url
            if facts.status == "complete":
                return number, None
    except ProviderTrouble as trouble:
        log.warning("provider_trouble", error_type=str(trouble))
        raise no_answer() from trouble
    raise no_answer()


def no_answer() -> Refusal:
    """What somebody reads who cannot be sent to the payment page."""
    detail = _("The payment page does not answer. Nothing was taken. Try again in a minute.")
    return Refusal("provider_trouble", detail, 503)


def _close_other_offer(person_id: int, wanted: Wanted) -> str | None:
    """Close an open payment for another tier or other days before a new one opens.

    The number of that payment when it turns out to be completed: then it counts, and nothing else is sold.
    """
    existing = service.find_open_payment(person_id)
    if existing is None or existing.completed_at is not None:
        return None
    if service.asks_for(existing, wanted, service.offer_of(person_id, wanted, clock.now(), clock.today())):
        return None
    payment_id, number = existing.id, existing.number
    db.session.rollback()
    close_at_provider(payment_id, "replaced")
    is_completed = db.session.get_one(Payment, payment_id).completed_at is not None
    db.session.rollback()
    return number if is_completed else None


def close_at_provider(payment_id: int, because: str) -> None:
    """Expire a payment's checkout and settle what it turns out to be (it may have been paid meanwhile).

    Raises ProviderTrouble. Commits.
    """
    payment = db.session.get_one(Payment, payment_id)
    checkout_id, order = payment.stripe_checkout_id, service.checkout_order(payment)
    is_recent = payment.opened_at > clock.now() - KEY_LIFE
    db.session.rollback()
    if checkout_id is None and is_recent:  # perhaps made, its answer lost: the same key finds it
        checkout_id = gateway.create_checkout(order).id
    if checkout_id is not None:
        gateway.expire_checkout(checkout_id)
        settle_checkout(checkout_id)
        return
    settling.close_payment(db.session.get_one(Payment, payment_id), because, clock.now())
    db.session.commit()


def settle_checkout(checkout_id: str, event: EventFacts | None = None) -> None:
    """Fetch a checkout anew and settle it. Raises ProviderTrouble. Commits."""
    db.session.rollback()
    settle(gateway.fetch_checkout(checkout_id), event)


def settle(facts: CheckoutFacts, event: EventFacts | None = None) -> None:
    """One transaction: a checkout's facts settled, the event noted. Raises ProviderTrouble. Commits."""
    money = look_up_instants(facts.money) if facts.money else None
    now = clock.now()
    is_live_mode = gateway.is_live_mode()
    db.session.rollback()
    if facts.saves_method_for is not None:
        renewing.keep_method(facts, is_live_mode, now)
    else:
        settling.settle_checkout(replace(facts, money=money), is_live_mode, now)
    if event is not None:
        note_event(event, now)
    db.session.commit()


def look_up_instants(money: MoneyFacts) -> MoneyFacts:
    """When a debit's money came and when disputes were closed: only events know. Raises ProviderTrouble.

    Asked only for what we do not know yet, so that a year's events are not listed again and again.
    """
    booked = money.charge_id is not None and ledger.has_entry("fee_received", money.charge_id)
    ids = [dispute.id for dispute in money.disputes]
    query = select(Dispute.provider_id).where(Dispute.provider_id.in_(ids), Dispute.closed_on.is_not(None))
    known = set(db.session.execute(query).scalars())
    db.session.rollback()
    if money.is_delayed and money.charge_id and money.charged_at and not booked:
        arrived_at = gateway.find_instant("payment_intent.succeeded", money.intent_id, money.charged_at)
        money = replace(money, arrived_at=arrived_at)
    return replace(money, disputes=tuple(_with_end(dispute, dispute.id in known) for dispute in money.disputes))


def _with_end(dispute: DisputeFacts, is_known: bool) -> DisputeFacts:
    if is_known or dispute.status not in ("won", "lost"):
        return dispute
    return replace(dispute, closed_at=gateway.find_instant("charge.dispute.closed", dispute.id, dispute.created_at))


def note_event(event: EventFacts, now: datetime) -> bool:
    """Whether it is news."""
    return insert_once(StripeEvent, id=event.id, type=event.type, created_at=event.created_at, received_at=now)


def send_refund(refund_id: int) -> None:
    """Have a requested refund paid out and settle it; one that was sent, or refused, is not sent again.

    Raises ProviderTrouble or Refusal. Commits.
    """
    refund = db.session.get_one(Refund, refund_id)
    payment = refund.payment
    if refund.status != "requested":
        db.session.rollback()
        return
    if payment.method != "online":
        settling.lock_payment(payment)
        refund.provider_id, refund.status = f"refund-{refund.id}", "succeeded"
        refunds.book_refund(payment, refund, refund.provider_id, clock.today(), clock.now())
        db.session.commit()
        return
    if payment.stripe_payment_intent_id is None:
        raise Refusal("refund_refused", _("This payment is not known to the payment provider."), 409)
    intent, cents, payment_id = payment.stripe_payment_intent_id, refund.amount_cents, payment.id
    key = f"refund-{refund.id}-{int(refund.requested_at.timestamp())}"
    is_old = refund.requested_at < clock.now() - KEY_LIFE
    db.session.rollback()
    if is_old:  # perhaps sent, the answer lost, and the key forgotten since
        settle_payment(payment_id)
        if db.session.get_one(Refund, refund_id).status != "requested":
            db.session.rollback()
            return
    try:
        gateway.create_refund(intent, cents, key)
    except Refusal:
        settle_payment(payment_id)  # perhaps it was given back there already
        refund = db.session.get_one(Refund, refund_id, with_for_update=True)
        if refund.status == "requested":
            refund.status = "failed"
            note_discrepancy(
                "refund_failed", f"refund-{refund.id}", refund.payment, cents, refund.currency, clock.now()
            )
        db.session.commit()
        raise
    settle_payment(payment_id)


def settle_payment(payment_id: int) -> None:
    """Fetch what is behind one of our online payments anew and settle it. Raises ProviderTrouble. Commits."""
    payment = db.session.get_one(Payment, payment_id)
    checkout_id, invoice_id = payment.stripe_checkout_id, payment.stripe_invoice_id
    db.session.rollback()
    if checkout_id is not None:
        settle_checkout(checkout_id)
    elif invoice_id is not None:
        settle_invoice(invoice_id)


def settle_invoice(invoice_id: str, event: EventFacts | None = None) -> None:
    """Fetch a subscription's invoice anew and settle it. Raises ProviderTrouble. Commits."""
    db.session.rollback()
    facts = subscriptions.fetch_invoice(invoice_id)
    money = look_up_instants(facts.money) if facts.money else None
    now = clock.now()
    is_live_mode = gateway.is_live_mode()
    db.session.rollback()
    renewing.settle_invoice(replace(facts, money=money), is_live_mode, now)
    if event is not None:
        note_event(event, now)
    db.session.commit()


def look_at(payment_id: int) -> None:
    """What the sweep does with an open payment: settle it, make its checkout after all, or give it up. Commits."""
    payment = db.session.get_one(Payment, payment_id)
    is_known = payment.stripe_checkout_id is not None or payment.stripe_invoice_id is not None
    order, is_recent = service.checkout_order(payment), payment.opened_at > clock.now() - KEY_LIFE
    db.session.rollback()
    if is_known:
        settle_payment(payment_id)
    elif is_recent:
        settle(gateway.create_checkout(order))
    else:
        settling.close_payment(db.session.get_one(Payment, payment_id), "abandoned", clock.now())
        db.session.commit()
