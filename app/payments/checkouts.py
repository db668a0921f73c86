"""The steps between us and the provider. Each ends its own transaction: no call leaves inside one.

These are entry points' steps (a page, the webhook, the sweep, a command), so they commit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from flask_babel import gettext as _
from sqlalchemy import select, update

from app import clock
from app.errors import Refusal
from app.extensions import db, insert_once
from app.memberships.models import Tier
from app.memberships.service import offer_for
from app.payments import gateway, service, settling
from app.payments.gateway import CheckoutFacts, EventFacts, ProviderRefusal, ProviderTrouble
from app.payments.models import Payment, PaymentSweep, Refund, StripeEvent
from app.people.models import Person

__all__ = ["ProviderTrouble"]

log = structlog.get_logger()
LOOK_BACK = timedelta(hours=2)  # events may be listed a little out of order
KEY_LIFE = timedelta(hours=23)  # the provider may forget an idempotency key after a day


def start(person_id: int, tier: Tier, by: str, locale: str) -> tuple[str, str | None]:
    """Open a payment and its checkout: (payment number, address to pay at; None when it is settled already).

    Our record is committed before the provider's exists; asked again with the same key it answers the
    same checkout. Raises Refusal, or Refusal 503 when the provider does not answer.
    """
    tier_id = tier.id
    try:
        for _attempt in range(2):  # a checkout found expired makes room for a new one, once
            completed = _close_other_offer(person_id, tier_id)
            if completed is not None:
                return completed, None
            now, today = clock.now(), clock.today()
            person, tier = db.session.get_one(Person, person_id), db.session.get_one(Tier, tier_id)
            payment = service.open_payment(person, tier, by, locale, now, today)
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
        raise _no_answer() from trouble
    raise _no_answer()


def _no_answer() -> Refusal:
    detail = _("The payment page does not answer. Nothing was taken. Try again in a minute.")
    return Refusal("provider_trouble", detail, 503)


def _close_other_offer(person_id: int, tier_id: int) -> str | None:
    """Close an open payment for another tier or other days before a new one opens.

    The number of that payment when it turns out to be completed: then it counts, and nothing else is sold.
    """
    existing = service.find_open_payment(person_id)
    if existing is None or existing.completed_at is not None:
        return None
    tier = db.session.get_one(Tier, tier_id)
    if service.asks_for(existing, tier, offer_for(person_id, tier, clock.now(), clock.today())):
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


def hear(event: EventFacts) -> bool:
    """Act on news: the event says only which object to look at anew. False when it was heard before.

    Raises ProviderTrouble. Commits.
    """
    db.session.rollback()
    is_known = db.session.get(StripeEvent, event.id) is not None
    db.session.rollback()
    if is_known:
        return False
    facts = _look_behind(event)
    if facts is not None:
        settle(facts, event)
        return True
    log.info("event_not_ours", event_type=event.type)
    _note_event(event, clock.now())
    db.session.commit()
    return True


def _look_behind(event: EventFacts) -> CheckoutFacts | None:
    """The checkout an event is about, as it is now; None when there is none (another shop's, another mode's)."""
    try:
        checkout_id = event.checkout_id or _checkout_of(event)
        return gateway.fetch_checkout(checkout_id) if checkout_id else None
    except ProviderRefusal as refusal:
        if not refusal.is_missing:
            raise
        return None


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
    mark = db.session.get(PaymentSweep, 1)
    start_at = since or (mark.heard_until - LOOK_BACK if mark else None)
    db.session.rollback()
    heard = 0
    last: datetime | None = None
    for event in gateway.list_events(start_at):
        heard += hear(event)
        last = event.created_at
    if last is not None and since is None:
        _mark(last)
    query = select(Payment.id).where(Payment.method == "online", Payment.paid_at.is_(None), Payment.closed_at.is_(None))
    open_ids = list(db.session.execute(query).scalars())
    refund_ids = list(db.session.execute(select(Refund.id).where(Refund.status == "requested")).scalars())
    db.session.rollback()
    for look, ids in ((_look_at, open_ids), (send_refund, refund_ids)):
        for row_id in ids:
            try:
                look(row_id)
            except (ProviderRefusal, Refusal) as refusal:  # about this one only: the others are looked at all the same
                log.warning("provider_refusal", error_type=str(refusal), act=look.__name__, row=row_id)
                db.session.rollback()
    return heard, len(open_ids)


def _mark(heard_until: datetime) -> None:
    """All events up to this instant were read; where an earlier sweep came further, that stays."""
    insert_once(PaymentSweep, id=1, heard_until=heard_until)
    db.session.execute(
        update(PaymentSweep).where(PaymentSweep.heard_until < heard_until).values(heard_until=heard_until)
    )
    db.session.commit()


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
        settling.lock_person(payment.person_id)
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
        settle_checkout(checkout_id)  # perhaps it was given back there already
        refund = db.session.get_one(Refund, refund_id, with_for_update=True)
        if refund.status == "requested":
            refund.status = "failed"
            settling.note_discrepancy(
                "refund_failed", f"refund-{refund.id}", refund.payment, cents, refund.currency, clock.now()
            )
        db.session.commit()
        raise
    settle_checkout(checkout_id)
