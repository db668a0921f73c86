"""Withdrawing from a contract made online, within the days the law gives (Directives 2011/83/EU and 2023/2673)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask_babel import gettext as _

from app import jobs
from app.association import get_association
from app.errors import Refusal
from app.payments import ledger
from app.payments.models import Payment, Refund
from app.payments.refunds import request_refund
from app.payments.renewing import switch_off
from app.payments.service import find_auto_renewal
from app.payments.settling import lock_payment


def last_day(payment: Payment, today: date) -> date | None:
    """Until when a payment's buyer may withdraw; None when it cannot be (any more), or not at all."""
    if payment.method == "cash" or payment.paid_on is None or payment.stripe_invoice_id is not None:
        return None  # at a desk; or the contract was made when renewing by itself was switched on
    until = payment.paid_on + timedelta(days=get_association().withdrawal_days)
    return until if today <= until and ledger.balance_of(payment.id).refundable_cents > 0 else None


def withdraw(payment: Payment, by: str, now: datetime, today: date) -> Refund:
    """Give all of a payment back. Its term ends with the refund; renewing by itself ends now. Raises Refusal."""
    payment = lock_payment(payment)
    if last_day(payment, today) is None:
        raise Refusal("too_late", _("The time to withdraw from this payment is over. Ask the association."), 409)
    refund = request_refund(payment, ledger.balance_of(payment.id).refundable_cents, by, now, "withdrawn")
    renewal = find_auto_renewal(payment.person_id)
    if renewal is not None and payment.kind != "gift":
        switch_off(renewal, "withdrawn", now)
    jobs.enqueue("mail_withdrawal", now, key=f"withdrawal:{refund.id}", refund_id=refund.id)
    jobs.enqueue("send_refund", now, key=f"send-refund:{refund.id}", refund_id=refund.id)
    return refund
