"""News from the provider: one event, or all that were missed. An event says only which object to look at anew.

These steps end their own transactions, as those of checkouts do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select, update

from app import clock
from app.errors import Refusal
from app.extensions import db, insert_once
from app.jobs import Job
from app.payments import auto_renewals, checkouts, gateway, subscriptions
from app.payments.discrepancies import note_discrepancy
from app.payments.facts import EventFacts
from app.payments.gateway import ProviderRefusal
from app.payments.models import AutoRenewal, Payment, PaymentSweep, Refund, StripeEvent

log = structlog.get_logger()
LOOK_BACK = timedelta(hours=2)  # events may be listed a little out of order
EVENTS_KEPT = timedelta(days=30)  # by the provider (docs.stripe.com/api/events)


def hear(event: EventFacts) -> bool:
    """Act on news. False when it was heard before. Raises ProviderTrouble. Commits."""
    db.session.rollback()
    is_known = db.session.get(StripeEvent, event.id) is not None
    db.session.rollback()
    if is_known:
        return False
    try:
        is_ours = _look_behind(event)
    except ProviderRefusal as refusal:
        if not refusal.is_missing:  # another shop's, another mode's: nothing to look at
            raise
        is_ours = False
    if not is_ours:
        log.info("event_not_ours", event_type=event.type)
        checkouts.note_event(event, clock.now())
        db.session.commit()
    return True


def _look_behind(event: EventFacts) -> bool:
    """Settle what an event is about, as it is now; False when it is about nothing of ours."""
    checkout_id, invoice_id = event.checkout_id, event.invoice_id
    if event.payment_intent_id is not None:
        checkout_id, invoice_id = _behind_intent(event.payment_intent_id)
    if checkout_id is not None:
        checkouts.settle_checkout(checkout_id, event)
        return True
    if invoice_id is not None:
        checkouts.settle_invoice(invoice_id, event)
        return True
    if event.subscription_id is not None:
        return auto_renewals.hear(event)
    return event.payment_intent_id is not None and _is_claimed(event.payment_intent_id, event)


def _is_claimed(intent_id: str, event: EventFacts) -> bool:
    """Money beside our checkouts that says it is for a payment of ours: no rule believes it, the treasurer looks."""
    money = gateway.find_claim(intent_id)
    if money is None or money.charge_id is None:
        return False
    now = clock.now()
    note_discrepancy("unknown_payment", money.charge_id, None, money.amount_cents, money.currency, now)
    checkouts.note_event(event, now)
    db.session.commit()
    return True


def _behind_intent(intent_id: str) -> tuple[str | None, str | None]:
    """The checkout or the invoice that a payment intent belongs to."""
    known = select(Payment.stripe_checkout_id, Payment.stripe_invoice_id).where(
        Payment.stripe_payment_intent_id == intent_id
    )
    row = db.session.execute(known).first()
    db.session.rollback()
    if row is not None and (row[0] or row[1]):
        return row[0], row[1]
    checkout_id = gateway.find_checkout_of_intent(intent_id)
    return checkout_id, None if checkout_id else subscriptions.find_invoice_of_intent(intent_id)


def sweep(since: datetime | None = None) -> tuple[int, int]:
    """Read all events since the last sweep and look at open payments: (news heard, payments looked at).

    Raises ProviderTrouble. Commits as it goes.
    """
    mark = db.session.get(PaymentSweep, 1)
    start_at = since or (mark.heard_until - LOOK_BACK if mark else None)
    db.session.rollback()
    heard = 0
    last: datetime | None = None
    looked_at: set[tuple[str | None, ...]] = set()
    for event in gateway.list_events(start_at):
        about = (event.checkout_id, event.payment_intent_id, event.invoice_id, event.subscription_id)
        if about in looked_at:  # and seen as it is now, after all that is listed
            heard += checkouts.note_event(event, clock.now())
            db.session.commit()
        elif hear(event):
            heard += 1
            looked_at.add(about)
        last = event.created_at
    if last is not None and since is None:
        _mark(last)
    query = select(Payment.id).where(Payment.method == "online")
    charged_ids: list[int] = []
    if _has_been_silent():
        charged_ids = list(db.session.execute(select(AutoRenewal.id)).scalars())
    else:
        query = query.where(Payment.paid_at.is_(None), Payment.closed_at.is_(None))
    open_ids = list(db.session.execute(query).scalars())
    soon = clock.today() + timedelta(days=2)  # the others are told with each change of a membership
    renewals = select(AutoRenewal.id).where(
        AutoRenewal.cancelled_at.is_(None),
        AutoRenewal.off_at.is_not(None)
        | AutoRenewal.stripe_subscription_id.is_(None)
        | (AutoRenewal.charge_on <= soon),
    )
    renewal_ids = list(db.session.execute(renewals).scalars())
    db.session.rollback()
    _each(auto_renewals.look_at, charged_ids)
    _each(checkouts.look_at, open_ids)
    send_refunds()
    _each(auto_renewals.align, renewal_ids)
    return heard, len(open_ids)


def send_refunds() -> None:
    """Whoever granted them died before they were sent. Raises ProviderTrouble. Commits as it goes."""
    refund_ids = list(db.session.execute(select(Refund.id).where(Refund.status == "requested")).scalars())
    db.session.rollback()
    _each(checkouts.send_refund, refund_ids)


def _has_been_silent() -> bool:
    """Whether no worker has swept for so long that news may be gone: then all payments and charges are looked at."""
    last = db.session.execute(select(func.max(Job.done_at)).where(Job.name == "sweep_payments")).scalar()
    return last is not None and last < clock.now() - EVENTS_KEPT


def _each(look: Callable[[int], None], ids: list[int]) -> None:
    for row_id in ids:
        try:
            look(row_id)
        except (ProviderRefusal, Refusal) as refusal:  # about this one only: the others are looked at all the same
            log.warning("provider_refusal", error_type=str(refusal), act=look.__name__, row=row_id)
            db.session.rollback()


def _mark(heard_until: datetime) -> None:
    """All events up to this instant were read; where an earlier sweep came further, that stays."""
    insert_once(PaymentSweep, id=1, heard_until=heard_until)
    db.session.execute(
        update(PaymentSweep).where(PaymentSweep.heard_until < heard_until).values(heard_until=heard_until)
    )
    db.session.commit()
