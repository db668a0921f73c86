"""Receipts: numbered without gaps per series and year, in the transaction of the money."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
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


def restored_by(payment_id: int) -> dict[int, Receipt]:
    """What each further receipt of the first series undoes, by its id: the rectifying one whose refund failed, or
    whose dispute was won after all; of several the one nearest in amount."""
    issued = receipts_of(payment_id)
    undone = [it for it in issued if it.series == "R" and _is_undone(it)]
    found: dict[int, Receipt] = {}
    for receipt in [it for it in issued if it.series == ""][1:]:
        mine = min(
            (it for it in undone if it.id < receipt.id and it.amount_cents >= receipt.amount_cents),
            key=lambda it: it.amount_cents, default=None,
        )  # fmt: skip
        if mine is not None:
            undone.remove(mine)
            found[receipt.id] = mine
    return found


def why_again(payment_id: int) -> dict[int, str]:
    """Why a payment has a further receipt, as people read it, by that receipt's id."""
    return {
        receipt_id: _("Issued again: the refund of %(number)s failed.", number=it.number)
        if it.refund_id is not None
        else _("Issued again: the dispute of %(number)s was won after all.", number=it.number)
        for receipt_id, it in restored_by(payment_id).items()
    }


def _is_undone(rectifying: Receipt) -> bool:
    if rectifying.refund_id is not None:
        return db.session.get_one(Refund, rectifying.refund_id).status == "failed"
    return db.session.get_one(Dispute, rectifying.dispute_id).status == "won"


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
