"""When nothing of a payment is left, the days it bought end."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select

from app import jobs
from app.extensions import db
from app.memberships.service import end_terms_of_payment, find_term_of_payment
from app.payments import ledger, rules
from app.payments.discrepancies import note_discrepancy
from app.payments.models import Dispute, Payment


def lost_cents(payment_id: int) -> int:
    """What disputes that were lost took of a payment."""
    query = select(func.coalesce(func.sum(Dispute.amount_cents), 0)).where(
        Dispute.payment_id == payment_id, Dispute.status == "lost"
    )
    return int(db.session.execute(query).scalar_one())


def is_anything_left(payment_id: int) -> bool:
    """Whether some of a payment's money is here, or none ever came."""
    balance = ledger.balance_of(payment_id)
    return not rules.is_nothing_left(balance.received_cents, balance.refunded_cents, lost_cents(payment_id))


def standing_fee_cents(payment_id: int) -> int:
    """What of a payment's fee is here: its receipts say as much, less what went back or a dispute took."""
    return max(0, ledger.balance_of(payment_id).fees_cents - lost_cents(payment_id))


def end_if_nothing_left(payment: Payment, because: str, day: date, now: datetime) -> bool:
    """End a payment's term on `day` when all its money went back; whether it was so.

    An upgrade that stood on that term has lost what it was bought for: its money is the treasurer's to decide. Who
    accepted it as a gift is told, once for each last day.
    """
    if is_anything_left(payment.id):
        return False
    for upgrade_id in end_terms_of_payment(payment.id, because, now, day):
        upgrade = db.session.get_one(Payment, upgrade_id)
        note_discrepancy("upgrade_without_fee", upgrade.number, upgrade, upgrade.amount_cents, upgrade.currency, now)
    term = find_term_of_payment(payment.id)
    if payment.kind == "gift" and term is not None:
        jobs.enqueue("mail_gift_ended", now, key=f"gift-ended:{payment.id}:{term.ends_on}", payment_id=payment.id)
    return True
