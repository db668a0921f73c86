"""The steps between us and the provider. Each ends its own transaction: no call leaves inside one.

These are entry points' steps (a page, the webhook, the sweep, a command), so they commit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from flask_babel import gettext as _
from sqlalchemy import func, select

from app import clock
from app.errors import Refusal
from app.extensions import db, insert_once
from app.memberships.models import Tier
from app.memberships.service import offer_for
from app.payments import gateway, service, settling
from app.payments.gateway import CheckoutFacts, EventFacts, ProviderTrouble
from app.payments.models import Payment, Refund, StripeEvent
from app.people.models import Person

__all__ = ["ProviderTrouble"]

log = structlog.get_logger()
LOOK_BACK = timedelta(hours=2)
FIRST_LOOK_BACK = timedelta(days=30)
KEY_LIFE = timedelta(hours=23)  # the provider may forget an idempotency key after a day


def start(person_id: int, tier: Tier, by: str, locale: str) -> tuple[str, str | None]:
    """Open a payment and its checkout: (payment number, address to pay at; None when it is settled already).

    Our record is committed before the provider's exists; asked again with the same key it answers the
    same checkout. Raises Refusal, or Refusal 503 when the provider does not answer.
    """
    tier_id = tier.id
    for _attempt in range(2):  # a checkout found finished or expired makes room for a new one, once
        _close_other_offer(person_id, tier_id)
        now, today = clock.now(), clock.today()
        person, tier = db.session.get_one(Person, person_id), db.session.get_one(Tier, tier_id)
        payment = service.open_payment(person, tier, by, locale, now, today)
        number, checkout_id, order = payment.number, payment.stripe_checkout_id, service.checkout_order(payment)
        db.session.commit()
        try:
            facts = gateway.fetch_checkout(checkout_id) if checkout_id else gateway.create_checkout(order)
        except ProviderTrouble as trouble:
            log.warning("provider_trouble", error_type=str(trouble))
            raise _no_answer() from trouble
        settle(facts)
        if facts.status == "open":
            return number, facts.url
        if facts.status == "complete":
            return number, None
    raise _no_answer()


def _no_answer() -> Refusal:
    detail = _("The payment page does not answer. Nothing was taken. Try again in a minute.")
    return Refusal("provider_trouble", detail, 503)


def _close_other_offer(person_id: int, tier_id: int) -> None:
    """An open payment for another tier or other days is closed at the provider before a new one opens."""
    existing = service.find_open_payment(person_id)
    if existing is None or existing.completed_at is not None:
        return
    tier = db.session.get_one(Tier, tier_id)
    if service.asks_for(existing, tier, offer_for(person_id, tier, clock.now(), clock.today())):
        return
    payment_id = existing.id
    db.session.rollback()
    close_at_provider(payment_id, "replaced")


def close_at_provider(payment_id: int, because: str) -> None:
    """Expire a payment's checkout and settle what it turns out to be (it may have been paid meanwhile)."""
    payment = db.session.get_one(Payment, payment_id)
    checkout_id, order = payment.stripe_checkout_id, service.checkout_order(payment)
    is_recent = payment.opened_at > clock.now() - KEY_LIFE
    db.session.rollback()
    if checkout_id is None and is_recent:  # perhaps made, its answer lost: the same key finds it
        checkout_id = gateway.create_checkout(order).id
    if checkout_id is not None:
        gateway.expire_checkout(checkout_id)
        settle(gateway.fetch_checkout(checkout_id))
        return
    settling.close_payment(db.session.get_one(Payment, payment_id), because, clock.now())
    db.session.commit()


def settle(facts: CheckoutFacts, event: EventFacts | None = None) -> None:
    """One transaction: the event noted, the checkout's facts settled. Commits."""
    now = clock.now()
    is_live_mode = gateway.is_live_mode()
    db.session.rollback()
    settling.settle_payment(facts, is_live_mode, now)
    if event is not None:
        _note_event(event, now)
    db.session.commit()


def settle_checkout(checkout_id: str) -> None:
    """Fetch a checkout anew and settle it. Raises ProviderTrouble. Commits."""
    db.session.rollback()
    settle(gateway.fetch_checkout(checkout_id))


def hear(event: EventFacts) -> None:
    """Act on news: the event says only which object to look at anew. Raises ProviderTrouble. Commits."""
    db.session.rollback()
    if db.session.get(StripeEvent, event.id) is not None:
        db.session.rollback()
        return
    checkout_id = event.checkout_id or _checkout_of(event)
    db.session.rollback()
    if checkout_id is None:
        log.info("event_not_ours", event_type=event.type)
        _note_event(event, clock.now())
        db.session.commit()
        return
    settle(gateway.fetch_checkout(checkout_id), event)


def _checkout_of(event: EventFacts) -> str | None:
    if event.payment_intent_id is None:
        return None
    known = select(Payment.stripe_checkout_id).where(Payment.stripe_payment_intent_id == event.payment_intent_id)
    checkout_id = db.session.execute(known).scalar()
    db.session.rollback()
    return checkout_id or gateway.find_checkout_of_intent(event.payment_intent_id)


def _note_event(event: EventFacts, now: datetime) -> None:
    insert_once(StripeEvent, id=event.id, type=event.type, created_at=event.created_at, received_at=now)


def sweep(since: datetime | None = None) -> tuple[int, int]:
    """Hear what was missed and look at every open payment: (events heard, payments looked at).

    A lost webhook heals here. Raises ProviderTrouble. Commits as it goes.
    """
    heard = 0
    known = set(db.session.execute(select(StripeEvent.id)).scalars())
    last = db.session.execute(select(func.max(StripeEvent.created_at))).scalar()
    start_at = since or (last - LOOK_BACK if last else clock.now() - FIRST_LOOK_BACK)
    db.session.rollback()
    for event in gateway.list_events(start_at):
        if event.id not in known:
            hear(event)
            heard += 1
    query = select(Payment.id).where(Payment.method == "online", Payment.paid_at.is_(None), Payment.closed_at.is_(None))
    open_ids = list(db.session.execute(query).scalars())
    for payment_id in open_ids:
        _look_at(payment_id)
    for refund_id in db.session.execute(select(Refund.id).where(Refund.status == "requested")).scalars().all():
        send_refund(refund_id)
    return heard, len(open_ids)


def _look_at(payment_id: int) -> None:
    payment = db.session.get_one(Payment, payment_id)
    checkout_id, order = payment.stripe_checkout_id, service.checkout_order(payment)
    is_recent = payment.opened_at > clock.now() - KEY_LIFE
    db.session.rollback()
    if checkout_id is not None:
        settle_checkout(checkout_id)
    elif is_recent:
        settle(gateway.create_checkout(order))
    else:
        settling.close_payment(db.session.get_one(Payment, payment_id), "abandoned", clock.now())
        db.session.commit()


def send_refund(refund_id: int) -> None:
    """Have a requested refund paid out and settle it. Raises ProviderTrouble or Refusal. Commits."""
    refund = db.session.get_one(Refund, refund_id)
    payment = refund.payment
    if payment.method != "online":
        refund.provider_id, refund.status = f"refund-{refund.id}", "succeeded"
        settling.book_refund(payment, refund, refund.provider_id, clock.today(), clock.now())
        db.session.commit()
        return
    if payment.stripe_payment_intent_id is None or payment.stripe_checkout_id is None:
        raise Refusal("refund_refused", _("This payment is not known to the payment provider."), 409)
    intent, checkout_id, cents = payment.stripe_payment_intent_id, payment.stripe_checkout_id, refund.amount_cents
    key = f"refund-{refund.id}-{int(refund.requested_at.timestamp())}"
    db.session.rollback()
    try:
        gateway.create_refund(intent, cents, key)
    except Refusal:
        refund = db.session.get_one(Refund, refund_id, with_for_update=True)
        refund.status = "failed"
        db.session.commit()
        settle_checkout(checkout_id)
        raise
    settle_checkout(checkout_id)
