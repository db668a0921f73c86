"""Disputes: a bank takes a charge back, for a time or for good."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app import audit, clock, jobs
from app.extensions import db
from app.memberships.service import (
    lift_suspension_of_payment,
    restore_terms_of_payment,
    suspend_days_of_payment,
)
from app.payments import ledger, receipts
from app.payments.discrepancies import note_discrepancy
from app.payments.ending import end_if_nothing_left, is_anything_left, standing_fee_cents
from app.payments.facts import DisputeFacts
from app.payments.models import Dispute, Payment

# An outcome is final but for a bank that thinks again: what is lost may yet be won.
MAY_BECOME = {"inquiry": ("open", "won", "lost"), "open": ("won", "lost"), "won": (), "lost": ("won",)}


def settle_dispute(payment: Payment, facts: DisputeFacts, now: datetime) -> None:
    """Book what a dispute moved; hold, end or give back the days its payment bought."""
    dispute = _dispute_row(payment, facts, now)
    for move in facts.moves:
        _book_move(payment, move.id, move.amount_cents, move.fee_cents, move.currency, move.created_at, now)
    if facts.status not in MAY_BECOME[dispute.status]:
        return
    was, dispute.status = dispute.status, facts.status
    closed_at = min(facts.closed_at or now, now)
    dispute.closed_on = clock.day_of(closed_at) if facts.status in ("won", "lost") else None
    db.session.flush()
    audit.record("dispute_" + facts.status, f"payment:{payment.id}", now, dispute=dispute.id)
    if facts.status == "open":
        _hold(payment, dispute, now)
    elif facts.status == "won":
        _won(payment, dispute, was, closed_at, now)
    elif facts.status == "lost":
        _lost(payment, dispute, closed_at, now)


def _dispute_row(payment: Payment, facts: DisputeFacts, now: datetime) -> Dispute:
    known = db.session.execute(select(Dispute).where(Dispute.provider_id == facts.id)).scalar_one_or_none()
    if known is not None:
        return known
    dispute = Dispute(
        payment_id=payment.id, provider_id=facts.id, amount_cents=facts.amount_cents, currency=facts.currency,
        status="inquiry", reason=facts.reason, opened_at=facts.created_at,
    )  # fmt: skip
    db.session.add(dispute)
    db.session.flush()
    audit.record("dispute_known", f"payment:{payment.id}", now, dispute=dispute.id, provider_id=facts.id)
    if facts.status == "inquiry":
        note_discrepancy("inquiry", facts.id, payment, facts.amount_cents, facts.currency, now)
    return dispute


def _cause(dispute: Dispute) -> str:
    """What its hold is known by: another dispute's is another hold."""
    return f"dispute:{dispute.id}"


def _hold(payment: Payment, dispute: Dispute, now: datetime) -> None:
    suspend_days_of_payment(payment.id, _cause(dispute), dispute.opened_at, now)
    note_discrepancy("dispute_open", dispute.provider_id, payment, dispute.amount_cents, dispute.currency, now)
    jobs.enqueue("mail_on_hold", now, key=f"on-hold:{dispute.id}", payment_id=payment.id)


def _won(payment: Payment, dispute: Dispute, was: str, closed_at: datetime, now: datetime) -> None:
    lift_suspension_of_payment(payment.id, _cause(dispute), closed_at, now)
    if was == "open":
        jobs.enqueue("mail_off_hold", now, key=f"off-hold:{dispute.id}", payment_id=payment.id)
    if was != "lost":
        return
    unreceipted = standing_fee_cents(payment.id) - receipts.receipted_cents(payment.id)
    if unreceipted > 0:
        receipt = receipts.issue_again(payment, unreceipted, now, clock.day_of(now))
        jobs.enqueue("mail_receipt_again", now, key=f"receipt-again:{receipt.id}", receipt_id=receipt.id)
    if is_anything_left(payment.id) and not restore_terms_of_payment(payment.id, now, clock.day_of(now)):
        note_discrepancy("days_taken", dispute.provider_id, payment, dispute.amount_cents, dispute.currency, now)


def _lost(payment: Payment, dispute: Dispute, closed_at: datetime, now: datetime) -> None:
    day = clock.day_of(closed_at)
    rectified = min(dispute.amount_cents, receipts.receipted_cents(payment.id))
    if rectified > 0:
        receipt = receipts.issue_rectifying(dispute, rectified, now, clock.day_of(now))
        jobs.enqueue("mail_rectified", now, key=f"rectified:{receipt.id}", receipt_id=receipt.id)
    if not end_if_nothing_left(payment, "dispute_lost", day, now):
        note_discrepancy("refunded_in_part", dispute.provider_id, payment, dispute.amount_cents, dispute.currency, now)
    lift_suspension_of_payment(payment.id, _cause(dispute), closed_at, now)


def _book_move(
    payment: Payment, move_id: str, cents: int, fee_cents: int, currency: str, moved_at: datetime, now: datetime
) -> None:
    day = clock.day_of_news(moved_at, now)
    if cents < 0:
        ledger.post(payment, "dispute_withdrawn", "disputes", "provider", -cents, currency, day, move_id, now)
    elif cents > 0:
        ledger.post(payment, "dispute_reinstated", "provider", "disputes", cents, currency, day, move_id, now)
    if fee_cents > 0:
        ledger.post(payment, "provider_fee", "provider_fees", "provider", fee_cents, currency, day, move_id, now)
    elif fee_cents < 0:
        ledger.post(
            payment, "provider_fee_returned", "provider", "provider_fees", -fee_cents, currency, day, move_id, now
        )
