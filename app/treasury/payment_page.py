"""All that is known of one payment, as its page shows it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from app.accounts.service import actor_name
from app.extensions import db
from app.memberships.service import ended_word, find_term_of_payment
from app.payments import ledger, transfers
from app.payments import service as payments
from app.payments.models import AutoRenewal, Dispute, Gift, Payment, Refund
from app.payments.receipts import receipts_of, why_again
from app.treasury import queue, words

MOVES = ("dispute_withdrawn", "dispute_reinstated")


def context_of(payment: Payment) -> dict[str, Any]:
    """What treasury/payment.html asks for."""
    found = payments.view(payment)
    term = find_term_of_payment(payment.id)
    waiting, resolved = queue.of_payment(payment.id)
    return {
        "payment": _shown(found), "person": payment.person, "term": term, "marks": _marks(payment),
        "ended": ended_word(term.ended_because) if term else None, "queue": waiting, "resolved": resolved,
        "receipts": _receipts(payment), "refunds": _refunds(payment), "disputes": _disputes(payment),
        "entries": _entries(payment),
    }  # fmt: skip


def state_word(found: payments.PaymentView) -> str:
    """The state as `movement` in _rows.html names it."""
    if found.dispute is not None and found.dispute.status in ("open", "inquiry"):
        return "disputed"
    if found.state == "paid" and found.balance.unallocated_cents >= found.payment.amount_cents:
        return "unallocated"
    if found.state == "paid" and found.balance.refunded_cents:
        return "partly_refunded"
    return {"pending": "waiting"}.get(found.state, found.state)


def _shown(found: payments.PaymentView) -> SimpleNamespace:
    it, balance = found.payment, found.balance
    is_running = any(refund.status == "requested" for refund in _refund_rows(it))
    return SimpleNamespace(
        number=it.number, state=state_word(found), asked_on=it.opened_on, paid_on=it.paid_on, tier=it.tier,
        kind=words.kinds()[it.kind], method=words.methods()[it.method], opened_by=actor_name(it.opened_by),
        reference=transfers.reference_of(it) if it.method == "transfer" else None, currency=it.currency,
        amount_cents=it.amount_cents, received_cents=balance.received_cents, fee_cents=balance.provider_fee_cents,
        refunded_cents=balance.refunded_cents, disputed_cents=balance.disputed_cents, net_cents=balance.net_cents,
        donated_cents=balance.donated_cents, unallocated_cents=balance.unallocated_cents,
        refundable_cents=0 if is_running else balance.refundable_cents, is_refund_running=is_running,
    )  # fmt: skip


def _marks(payment: Payment) -> SimpleNamespace:
    """What is special about a payment: an upgrade, a gift and whose it became, renewing by itself."""
    gift = db.session.get(Gift, payment.id)
    renewal = db.session.execute(
        select(AutoRenewal.id).where(
            AutoRenewal.person_id == payment.person_id, AutoRenewal.off_at.is_(None)
        )
    ).first()  # fmt: skip
    recipient = db.session.get(type(payment.person), gift.recipient_id) if gift and gift.recipient_id else None
    return SimpleNamespace(
        is_upgrade=payment.kind == "upgrade", gift=gift, recipient=recipient,
        is_by_itself=payment.stripe_invoice_id is not None, wants_auto_renewal=payment.wants_auto_renewal,
        is_auto_renewal_on=renewal is not None,
    )  # fmt: skip


def _receipts(payment: Payment) -> list[SimpleNamespace]:
    why = why_again(payment.id)
    return [
        SimpleNamespace(
            number=it.number, issued_on=it.issued_on, currency=it.currency,
            amount_cents=-it.amount_cents if it.series == "R" else it.amount_cents, why=why.get(it.id),
        )
        for it in receipts_of(payment.id)
    ]  # fmt: skip


def _refund_rows(payment: Payment) -> list[Refund]:
    query = select(Refund).where(Refund.payment_id == payment.id).order_by(Refund.id)
    return list(db.session.execute(query).scalars())


def _refunds(payment: Payment) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            amount_cents=it.amount_cents, currency=it.currency, status=it.status, word=words.refunds()[it.status],
            cause=words.causes()[it.cause], by=actor_name(it.requested_by), at=it.requested_at,
        )
        for it in _refund_rows(payment)
    ]  # fmt: skip


def _disputes(payment: Payment) -> SimpleNamespace:
    """Disputes of a payment's charge, and the money they moved."""
    query = select(Dispute).where(Dispute.payment_id == payment.id).order_by(Dispute.id)
    return SimpleNamespace(
        all=[
            SimpleNamespace(
                amount_cents=it.amount_cents, currency=it.currency, status=it.status, reason=it.reason,
                word=words.disputes()[it.status], opened_at=it.opened_at, closed_on=it.closed_on, id=it.provider_id,
            )
            for it in db.session.execute(query).scalars()
        ],
        moves=[
            SimpleNamespace(
                on=it.value_on, word=words.movements()[it.movement], currency=it.currency,
                amount_cents=-it.amount_cents if it.movement == "dispute_withdrawn" else it.amount_cents,
            )
            for it in ledger.entries_of(payment.id) if it.movement in MOVES
        ],
    )  # fmt: skip


def _entries(payment: Payment) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            at=it.at, movement=words.movements()[it.movement], debit=words.accounts()[it.debit],
            credit=words.accounts()[it.credit], amount_cents=it.amount_cents, currency=it.currency,
            provider_id=it.provider_id,
        )
        for it in ledger.entries_of(payment.id)
    ]  # fmt: skip
