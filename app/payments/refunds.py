"""Refunds: asked for, sent, come back; by a grant of the treasurer's or by the buyer's withdrawal."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from app import audit, clock, jobs
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import restore_terms_of_payment
from app.payments import ledger, receipts, rules
from app.payments.discrepancies import note_discrepancy
from app.payments.ending import end_if_nothing_left, is_anything_left, standing_fee_cents
from app.payments.facts import RefundFacts
from app.payments.models import Payment, Refund


def request_refund(payment: Payment, cents: int, by: str, now: datetime, cause: str = "refunded") -> Refund:
    """Note that money shall go back, before anybody is asked to send it. The payment is locked. Raises Refusal."""
    left = ledger.balance_of(payment.id).refundable_cents
    waiting = select(func.coalesce(func.sum(Refund.amount_cents), 0)).where(
        Refund.payment_id == payment.id, Refund.status == "requested"
    )
    if db.session.execute(waiting).scalar_one():
        raise Refusal("refund_running", _("A refund of this payment is under way. Wait for it."), 409)
    if not 0 < cents <= left:
        raise Refusal("refund_too_large", _("There is nothing left of this payment to give back."), 409)
    refund = Refund(
        payment_id=payment.id, amount_cents=cents, currency=payment.currency, status="requested", cause=cause,
        requested_by=by, requested_at=now,
    )  # fmt: skip
    db.session.add(refund)
    db.session.flush()
    audit.record("refund_requested", f"payment:{payment.id}", now, refund=refund.id, cents=cents, cause=cause)
    return refund


def settle_refund(payment: Payment, facts: RefundFacts, now: datetime) -> None:
    """What the provider says of one refund now; an older word than the one we have changes nothing."""
    refund = _refund_row(payment, facts, now)
    if facts.status == "failed":
        if refund.status != "failed":
            refund.status = "failed"
            _take_back_refund(payment, refund, facts, now)
        return
    if refund.status == "failed":
        return
    refund.status = facts.status
    book_refund(payment, refund, facts.id, clock.day_of_news(facts.created_at, now), now)


def book_refund(payment: Payment, refund: Refund, reference: str, day: date, now: datetime) -> None:
    """Post money that went back; when nothing of the payment is left, its term keeps the days before `day`."""
    if ledger.has_entry("refund_paid", reference):
        return
    parts = rules.allocate_refund(ledger.balance_of(payment.id).unallocated_cents, refund.amount_cents)
    channel = ledger.CHANNEL[payment.method]
    for source, cents in (("unallocated", parts.unallocated_cents), ("fees", parts.fee_cents)):
        if cents:
            ledger.post(payment, "refund_paid", source, channel, cents, refund.currency, day, reference, now)
    rectified = min(parts.fee_cents, receipts.receipted_cents(payment.id))
    if rectified > 0:
        receipt = receipts.issue_rectifying(refund, rectified, now, clock.day_of(now))
        jobs.enqueue("mail_rectified", now, key=f"rectified:{receipt.id}", receipt_id=receipt.id)
    if not end_if_nothing_left(payment, refund.cause, day, now) and parts.fee_cents:
        note_discrepancy("refunded_in_part", reference, payment, parts.fee_cents, refund.currency, now)


def _take_back_refund(payment: Payment, refund: Refund, facts: RefundFacts, now: datetime) -> None:
    """A refund that failed after all: the money is here again, so are the days and a receipt."""
    today = clock.day_of(now)
    for entry in ledger.entries_of(payment.id):
        if entry.movement == "refund_paid" and entry.provider_id == facts.id:
            ledger.post(
                payment, "refund_reversed", entry.credit, entry.debit, entry.amount_cents, entry.currency, today,
                facts.id, now,
            )  # fmt: skip
    unreceipted = standing_fee_cents(payment.id) - receipts.receipted_cents(payment.id)
    if unreceipted > 0:
        receipt = receipts.issue_again(payment, unreceipted, now, today)
        jobs.enqueue("mail_receipt_again", now, key=f"receipt-again:{receipt.id}", receipt_id=receipt.id)
    note_discrepancy("refund_failed", facts.id, payment, facts.amount_cents, facts.currency, now)
    if is_anything_left(payment.id) and not restore_terms_of_payment(payment.id, now, today):
        note_discrepancy("days_taken", facts.id, payment, facts.amount_cents, facts.currency, now)


def _refund_row(payment: Payment, facts: RefundFacts, now: datetime) -> Refund:
    """Our row of a refund: known by the provider's id, asked for here, or made at the provider."""
    known = db.session.execute(select(Refund).where(Refund.provider_id == facts.id)).scalar_one_or_none()
    if known is not None:
        return known
    asked = select(Refund).where(
        Refund.payment_id == payment.id, Refund.status == "requested", Refund.provider_id.is_(None),
        Refund.amount_cents == facts.amount_cents,
    )  # fmt: skip
    refund = db.session.execute(asked).scalar_one_or_none()
    if refund is None:
        refund = Refund(
            payment_id=payment.id, amount_cents=facts.amount_cents, currency=facts.currency, status="pending",
            requested_by="provider", requested_at=facts.created_at,
        )  # fmt: skip
        db.session.add(refund)
    refund.provider_id, refund.currency = facts.id, facts.currency  # what goes back is what came
    refund.status = "pending"
    db.session.flush()
    audit.record("refund_known", f"payment:{payment.id}", now, refund=refund.id, provider_id=facts.id)
    return refund
