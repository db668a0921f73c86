"""What a receipt says, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.association import get_association
from app.extensions import db
from app.memberships.service import find_term_of_payment
from app.payments.models import Gift, Payment, Receipt, Refund
from app.payments.receipts import receipts_of, restored_by


@dataclass(frozen=True)
class ReceiptFacts:
    """What the paper says. `cents` is negative on a rectifying one, which names what it `corrects` and its `cause`:
    refunded, withdrawn or dispute. One issued `again` names the rectifying one that it undoes. Days are those that
    were sold; a gift's are not known when it is paid.
    """

    number: str
    issued_on: date
    issued_at: datetime
    issuer: str
    issuer_lines: tuple[str, ...]
    payer: str
    payer_number: str
    payment_number: str
    tier: str
    months: int
    days: tuple[date, date] | None
    gift_for: str | None
    cents: int
    currency: str
    vat_code: str
    method: str
    value_on: date
    corrects: str | None = None
    cause: str | None = None
    again: str | None = None


def facts_of(receipt: Receipt, payment: Payment) -> ReceiptFacts:
    association, gift = get_association(), db.session.get(Gift, payment.id)
    term = find_term_of_payment(payment.id)
    first, tax_id = receipts_of(payment.id)[0], association.tax_id
    corrects, undone = receipt.series == "R", restored_by(payment.id).get(receipt.id)
    return ReceiptFacts(
        number=receipt.number,
        issued_on=receipt.issued_on,
        issued_at=receipt.issued_at,
        issuer=f"{association.name} {association.kind}",
        issuer_lines=tuple(
            line
            for line in (
                association.legal_name, f"NIF {tax_id}" if tax_id else None, *(association.address or "").splitlines()
            )
            if line
        ),
        payer=payment.person.full_name,
        payer_number=payment.person.member_number,
        payment_number=payment.number,
        tier=payment.tier.name,
        months=payment.tier.months,
        days=(term.starts_on, term.sold_ends_on) if term is not None and gift is None else None,
        gift_for=gift.recipient_name if gift else None,
        cents=-receipt.amount_cents if corrects else receipt.amount_cents,
        currency=receipt.currency,
        vat_code=receipt.vat_code,
        method=payment.method,
        value_on=payment.paid_on if receipt is first and payment.paid_on else receipt.issued_on,
        corrects=first.number if corrects else None,
        cause=cause_of(receipt) if corrects else None,
        again=undone.number if undone is not None else None,
    )  # fmt: skip


def cause_of(receipt: Receipt) -> str:
    """Why money went back: refunded, withdrawn or dispute."""
    if receipt.refund_id is None:
        return "dispute"
    return db.session.get_one(Refund, receipt.refund_id).cause
