"""What payments do after the request: the receipt's mail, a checkout to close, the hourly sweep."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app import clock, jobs
from app.errors import Refusal
from app.extensions import db
from app.payments import (
    auto_renewals,
    checkouts,
    gateway,
    gift_letters,
    hearing,
    letters,
    reminding,
    renewal_letters,
    renewing,
)
from app.payments.service import find_auto_renewal

log = structlog.get_logger()


def close_checkout(now: datetime, payment_id: int) -> None:
    """Somebody paid otherwise: the page they left open must not take a second fee."""
    checkouts.close_at_provider(payment_id, "replaced")


def send_refund(now: datetime, refund_id: int) -> None:
    """Have a refund that was asked for paid out; one refused stands in the treasurer's queue, and is not repeated."""
    try:
        checkouts.send_refund(refund_id)
    except Refusal as refusal:
        log.warning("refund_refused", refund=refund_id, error_type=refusal.code)


def switch_on_auto_renewal(now: datetime, payment_id: int) -> None:
    auto_renewals.switch_on_after(payment_id)


def align_auto_renewal(now: datetime, renewal_id: int) -> None:
    auto_renewals.align(renewal_id)


def follow_membership(now: datetime, person_id: int) -> None:
    """Somebody's days changed, and with them what renewing by itself takes next."""
    renewal = find_auto_renewal(person_id)
    db.session.rollback()
    if renewal is not None:
        auto_renewals.align(renewal.id)


def announce_renewals(now: datetime) -> None:
    renewing.announce_due(now, clock.day_of(now))
    db.session.commit()


def remind(now: datetime) -> None:
    reminding.remind(now, clock.day_of(now))
    db.session.commit()


def sweep(now: datetime) -> None:
    if gateway.is_configured():
        hearing.sweep()
    else:  # money goes back in cash and by transfer too
        hearing.send_refunds()


def register() -> None:
    for name, handler in (
        ("close_checkout", close_checkout),
        ("send_refund", send_refund),
        ("switch_on_auto_renewal", switch_on_auto_renewal),
        ("align_auto_renewal", align_auto_renewal),
        ("membership_changed", follow_membership),
        ("announce_renewals", announce_renewals),
        ("remind", remind),
        ("sweep_payments", sweep),
        ("mail_receipt", letters.mail_receipt),
        ("mail_rectified", letters.mail_rectified),
        ("mail_receipt_again", letters.mail_receipt_again),
        ("mail_debit_pending", letters.mail_debit_pending),
        ("mail_not_paid", letters.mail_not_paid),
        ("mail_transfer_order", letters.mail_transfer_order),
        ("mail_rest_due", letters.mail_rest_due),
        ("mail_unallocated", letters.mail_unallocated),
        ("mail_on_hold", letters.mail_on_hold),
        ("mail_off_hold", letters.mail_off_hold),
        ("mail_withdrawal", letters.mail_withdrawal),
        ("mail_gift", gift_letters.mail_gift),
        ("mail_gift_accepted", gift_letters.mail_gift_accepted),
        ("mail_gift_ended", gift_letters.mail_gift_ended),
        ("mail_renewal_notice", renewal_letters.mail_renewal_notice),
        ("mail_renewal_failed", renewal_letters.mail_renewal_failed),
        ("mail_renewal_stopped", renewal_letters.mail_renewal_stopped),
        ("mail_reminder", reminding.mail_reminder),
    ):
        jobs.handles(name, handler)
    for name in ("sweep_payments", "announce_renewals", "remind"):
        jobs.every(timedelta(hours=1), name)
