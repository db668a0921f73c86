"""The treasurer's queue: what no rule can decide, each with its reason."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select

from app import audit
from app.extensions import db, insert_once
from app.payments import ledger
from app.payments.models import Discrepancy, Dispute, Payment

# Reasons whose money lies unallocated until it goes back, is kept as a donation, or pays for days.
UNALLOCATED = ("mismatch", "days_covered", "overpaid", "underpaid", "late_payment", "nothing_to_upgrade")


def note_discrepancy(
    reason: str, reference: str, payment: Payment | None, cents: int | None, currency: str | None, now: datetime
) -> None:
    """Put something no rule decides before the treasurer, once per reason and reference."""
    new = insert_once(
        Discrepancy, reason=reason, reference=reference, payment_id=payment.id if payment else None,
        amount_cents=cents, currency=currency, found_at=now,
    )  # fmt: skip
    if new:
        audit.record("discrepancy_found", f"payment:{payment.id}" if payment else "payment:unknown", now,
                     reason=reason, reference=reference)  # fmt: skip


def open_discrepancies() -> Select[Discrepancy]:
    """What still needs the treasurer; what settled itself (money gone, a dispute closed) does so no longer."""
    is_gone = Discrepancy.reason.in_(UNALLOCATED) & Discrepancy.payment_id.in_(ledger.settled_payments())
    paid = select(Payment.id).where(Payment.paid_at.is_not(None))
    is_gone |= (Discrepancy.reason == "underpaid") & Discrepancy.payment_id.in_(paid)
    closed = select(Dispute.provider_id).where(Dispute.closed_on.is_not(None))
    is_closed = Discrepancy.reason.in_(("dispute_open", "inquiry")) & Discrepancy.reference.in_(closed)
    return (
        select(Discrepancy)
        .where(Discrepancy.resolved_at.is_(None), ~is_gone, ~is_closed)
        .order_by(Discrepancy.id.desc())
    )


def list_discrepancies(payment_id: int | None = None) -> list[Discrepancy]:
    """The open ones, newest first; of one payment when it is given."""
    query = open_discrepancies()
    if payment_id is not None:
        query = query.where(Discrepancy.payment_id == payment_id)
    return list(db.session.execute(query).scalars())
