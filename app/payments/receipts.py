"""Receipts: numbered without gaps per series and year, in the transaction of the money."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from app import audit
from app.extensions import db, insert_once
from app.payments.models import Payment, Receipt, ReceiptCounter, Refund


def issue_receipt(payment: Payment, cents: int, now: datetime, today: date) -> Receipt:
    """The receipt of a payment; the one it has when it has one."""
    existing = find_receipt(payment.id)
    return existing or _issue("", payment, None, cents, payment.currency, now, today)


def issue_rectifying(refund: Refund, cents: int, now: datetime, today: date) -> Receipt:
    """The receipt that takes back what a refund gave back of the fee; once per refund."""
    existing = db.session.execute(select(Receipt).where(Receipt.refund_id == refund.id)).scalar_one_or_none()
    return existing or _issue("R", refund.payment, refund.id, cents, refund.currency, now, today)


def find_receipt(payment_id: int) -> Receipt | None:
    query = select(Receipt).where(Receipt.payment_id == payment_id, Receipt.series == "")
    return db.session.execute(query).scalar_one_or_none()


def receipts_of(payment_id: int) -> list[Receipt]:
    query = select(Receipt).where(Receipt.payment_id == payment_id).order_by(Receipt.id)
    return list(db.session.execute(query).scalars())


def _issue(
    series: str, payment: Payment, refund_id: int | None, cents: int, currency: str, now: datetime, today: date
) -> Receipt:
    # The counter's row is locked until commit: a number is given only together with its receipt.
    insert_once(ReceiptCounter, series=series, year=today.year, last=0)
    counter = db.session.execute(
        select(ReceiptCounter)
        .where(ReceiptCounter.series == series, ReceiptCounter.year == today.year)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    counter.last += 1
    receipt = Receipt(
        series=series, year=today.year, n=counter.last, payment_id=payment.id, refund_id=refund_id,
        amount_cents=cents, currency=currency, issued_on=today, issued_at=now,
    )  # fmt: skip
    db.session.add(receipt)
    db.session.flush()
    audit.record("receipt_issued", f"payment:{payment.id}", now, number=receipt.number, cents=cents)
    return receipt
