"""Receipts: numbered without gaps per series and year, in the transaction of the money."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from app import audit
from app.extensions import db, insert_once
from app.payments.models import Dispute, Payment, Receipt, ReceiptCounter, Refund


def issue_receipt(payment: Payment, cents: int, now: datetime, today: date) -> Receipt:
    """The receipt of a payment; the one it has when one stands. Another after what was rectified came back."""
    standing = find_receipt(payment.id)
    if standing is not None and receipted_cents(payment.id) > 0:
        return standing
    return _issue("", payment, None, None, cents, payment.currency, now, today)


def issue_again(payment: Payment, cents: int, now: datetime, today: date) -> Receipt:
    """Another receipt for money that had gone back and is here after all; the caller knows that it is news."""
    return _issue("", payment, None, None, cents, payment.currency, now, today)


def issue_rectifying(cause: Refund | Dispute, cents: int, now: datetime, today: date) -> Receipt:
    """The receipt that takes back what a refund or a lost dispute took of the fee; once each."""
    refund_id = cause.id if isinstance(cause, Refund) else None
    dispute_id = cause.id if isinstance(cause, Dispute) else None
    mine = Receipt.refund_id == refund_id if refund_id else Receipt.dispute_id == dispute_id
    existing = db.session.execute(select(Receipt).where(mine)).scalar_one_or_none()
    return existing or _issue("R", cause.payment, refund_id, dispute_id, cents, cause.currency, now, today)


def find_rectifying(refund_id: int) -> Receipt | None:
    return db.session.execute(select(Receipt).where(Receipt.refund_id == refund_id)).scalar_one_or_none()


def find_receipt(payment_id: int) -> Receipt | None:
    """The newest of the first series."""
    query = select(Receipt).where(Receipt.payment_id == payment_id, Receipt.series == "").order_by(Receipt.id.desc())
    return db.session.execute(query.limit(1)).scalar()


def receipted_cents(payment_id: int) -> int:
    """What a payment's receipts say in all: those of the first series less the rectifying ones."""
    return sum(r.amount_cents if r.series == "" else -r.amount_cents for r in receipts_of(payment_id))


def receipts_of(payment_id: int) -> list[Receipt]:
    query = select(Receipt).where(Receipt.payment_id == payment_id).order_by(Receipt.id)
    return list(db.session.execute(query).scalars())


def _issue(
    series: str, payment: Payment, refund_id: int | None, dispute_id: int | None, cents: int, currency: str,
    now: datetime, today: date,
) -> Receipt:  # fmt: skip
    # The counter's row is locked until commit: a number is given only together with its receipt.
    insert_once(ReceiptCounter, series=series, year=today.year, last=0)
    counter = db.session.execute(
        select(ReceiptCounter)
        .where(ReceiptCounter.series == series, ReceiptCounter.year == today.year)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    counter.last += 1
    rectified = find_receipt(payment.id)
    vat_code = rectified.vat_code if rectified is not None else payment.tier.vat_code
    receipt = Receipt(
        series=series, year=today.year, n=counter.last, payment_id=payment.id, refund_id=refund_id,
        dispute_id=dispute_id, amount_cents=cents, currency=currency, vat_code=vat_code, issued_on=today, issued_at=now,
    )  # fmt: skip
    db.session.add(receipt)
    db.session.flush()
    audit.record("receipt_issued", f"payment:{payment.id}", now, number=receipt.number, cents=cents)
    return receipt
