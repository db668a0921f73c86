"""Settling: from what the provider says now to ledger, term, receipt and card.

One function behind webhook, return page and sweep. Any order and any repetition end in the same state:
every fact is keyed by the provider's id, and days follow the provider's instants, not the moment we heard.
"""

from __future__ import annotations

from datetime import date, datetime

import structlog
from sqlalchemy import select

from app import audit, clock, jobs
from app.cards.service import ensure_card
from app.extensions import db, insert_once
from app.memberships.service import end_term, find_term_of_payment, restore_term, sell_term
from app.payments import ledger, receipts, rules
from app.payments.gateway import CheckoutFacts, RefundFacts
from app.payments.models import Discrepancy, Payment, Refund
from app.people.models import Person

log = structlog.get_logger()


def settle_payment(facts: CheckoutFacts, is_live_mode: bool, now: datetime) -> Payment | None:
    """Turn a paid checkout into a term, once, however often we are told; None when it is not ours."""
    payment = _lock_payment(facts)
    if payment is None:
        if facts.number is None:
            log.info("checkout_not_ours", checkout=facts.id)
        elif facts.is_paid:
            note_discrepancy("unknown_payment", facts.id, None, facts.amount_cents, facts.currency, now)
        return None
    if facts.is_live != is_live_mode:  # no money of this installation moved
        if facts.is_paid:
            note_discrepancy("mismatch", facts.id, payment, facts.amount_cents, facts.currency, now)
        return payment
    is_second = payment.stripe_checkout_id not in (None, facts.id)
    if not is_second:
        payment.stripe_checkout_id = facts.id
        payment.stripe_payment_intent_id = payment.stripe_payment_intent_id or facts.payment_intent_id
        if facts.status == "complete" and payment.completed_at is None:
            payment.completed_at = now
    if facts.is_paid and facts.charge_id:
        _settle_charge(payment, facts, is_second, now)
    elif is_second:
        return payment
    elif facts.status == "expired":
        close_payment(payment, "expired", now)
    elif facts.has_failed:
        close_payment(payment, "failed", now)
    for refund in facts.refunds:
        _settle_refund(payment, refund, now)
    db.session.flush()
    return payment


def close_payment(payment: Payment, because: str, now: datetime) -> None:
    """Say that a payment can no longer be paid; one that is paid stays paid."""
    if payment.paid_at is None and payment.closed_at is None:
        payment.closed_at, payment.closed_because = now, because
        audit.record("payment_closed", f"payment:{payment.id}", now, because=because)
        db.session.flush()


def lock_person(person_id: int) -> None:
    """One at a time where a person's terms are about to change."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


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


def book_received(
    payment: Payment, channel: str, received_cents: int, currency: str, provider_id: str | None, value_on: date,
    now: datetime,
) -> None:  # fmt: skip
    """Post money that came in, sell the term it pays, issue the receipt, give the card."""
    allocation = rules.allocate(payment.amount_cents, received_cents)
    term = None
    if allocation.fee_cents:
        term = sell_term(payment.person_id, payment.tier, payment.id, payment.offer, value_on, now)
        if term is None:
            allocation = rules.Allocation(0, received_cents)
            note_discrepancy("days_covered", payment.number, payment, received_cents, currency, now)
        payment.paid_at, payment.paid_on = now, value_on
        payment.closed_at = payment.closed_because = None
    else:
        note_discrepancy("underpaid", payment.number, payment, received_cents, currency, now)
    if allocation.fee_cents:
        ledger.post(
            payment, "fee_received", channel, "fees", allocation.fee_cents, currency, value_on, provider_id, now
        )
        if allocation.unallocated_cents:
            note_discrepancy("overpaid", payment.number, payment, allocation.unallocated_cents, currency, now)
    if allocation.unallocated_cents:
        ledger.post(
            payment, "excess_received", channel, "unallocated", allocation.unallocated_cents, currency, value_on,
            provider_id, now,
        )  # fmt: skip
    db.session.flush()
    if term is not None:
        receipts.issue_receipt(payment, allocation.fee_cents, now, clock.day_of(now))
        ensure_card(payment.person_id, now)
        jobs.enqueue("mail_receipt", now, key=f"receipt:{payment.id}", payment_id=payment.id)


def _lock_payment(facts: CheckoutFacts) -> Payment | None:
    """Our payment behind a checkout, its person and itself locked in that order."""
    found = db.session.execute(select(Payment).where(Payment.stripe_checkout_id == facts.id)).scalar_one_or_none()
    if found is None and facts.number is not None:
        found = find_payment(facts.number)
    if found is None:
        return None
    lock_person(found.person_id)
    return db.session.get(Payment, found.id, with_for_update=True, populate_existing=True)


def find_payment(number: str) -> Payment | None:
    """By its number, P-2026-000123."""
    digits = number.rpartition("-")[2]
    payment = db.session.get(Payment, int(digits)) if digits.isdecimal() and len(digits) < 10 else None
    return payment if payment is not None and payment.number == number else None


def _settle_charge(payment: Payment, facts: CheckoutFacts, is_second: bool, now: datetime) -> None:
    """Money of a checkout. What differs from what we asked, or comes by a second checkout, is nobody's yet."""
    charge_id, charged_at = facts.charge_id, facts.charged_at
    if charge_id is None or charged_at is None:
        return
    value_on = _day_of(charged_at, now)
    booked = ledger.has_entry("fee_received", charge_id) or ledger.has_entry("excess_received", charge_id)
    if is_second or rules.is_mismatch(
        asked_cents=payment.amount_cents, asked_currency=payment.currency,
        paid_cents=facts.charge_amount_cents, paid_currency=facts.currency,
    ):  # fmt: skip
        note_discrepancy("mismatch", charge_id, payment, facts.charge_amount_cents, facts.currency, now)
        ledger.post(
            payment, "excess_received", "provider", "unallocated", facts.charge_amount_cents, facts.currency,
            value_on, charge_id, now,
        )  # fmt: skip
        if not is_second:
            close_payment(payment, "mismatch", now)
    elif not booked:
        book_received(payment, "provider", facts.charge_amount_cents, facts.currency, charge_id, value_on, now)
    if facts.fee_cents:  # known with the charge or some time after it
        ledger.post(
            payment, "provider_fee", "provider_fees", "provider", facts.fee_cents, facts.currency, value_on,
            charge_id, now,
        )  # fmt: skip


def _day_of(instant: datetime, now: datetime) -> date:
    """The day of a provider's instant; its clock may be ahead, but nothing has happened after our now."""
    return clock.day_of(min(instant, now))


def _settle_refund(payment: Payment, facts: RefundFacts, now: datetime) -> None:
    refund = _refund_row(payment, facts, now)
    if facts.status == "failed":
        if refund.status != "failed":
            refund.status = "failed"
            _take_back_refund(payment, facts, now)
        return
    if refund.status == "failed":
        return  # an older word than the one we have
    refund.status = facts.status
    book_refund(payment, refund, facts.id, _day_of(facts.created_at, now), now)


def book_refund(payment: Payment, refund: Refund, reference: str, day: date, now: datetime) -> None:
    """Post money that went back; when nothing of the payment is left, its term keeps the days before `day`."""
    if ledger.has_entry("refund_paid", reference):
        return
    parts = rules.allocate_refund(ledger.balance_of(payment.id).unallocated_cents, refund.amount_cents)
    channel = ledger.CHANNEL[payment.method]
    for source, cents in (("unallocated", parts.unallocated_cents), ("fees", parts.fee_cents)):
        if cents:
            ledger.post(payment, "refund_paid", source, channel, cents, refund.currency, day, reference, now)
    if parts.fee_cents and receipts.find_receipt(payment.id) is not None:
        receipts.issue_rectifying(refund, parts.fee_cents, now, clock.day_of(now))
    balance = ledger.balance_of(payment.id)
    if rules.is_fully_refunded(balance.received_cents, balance.refunded_cents):
        term = find_term_of_payment(payment.id)
        if term is not None:
            end_term(term, "refunded", now, day)
    elif parts.fee_cents:
        note_discrepancy("refunded_in_part", reference, payment, parts.fee_cents, refund.currency, now)


def _take_back_refund(payment: Payment, facts: RefundFacts, now: datetime) -> None:
    """A refund that failed after all: the money is here again, and so are the days."""
    for entry in ledger.entries_of(payment.id):
        if entry.movement == "refund_paid" and entry.provider_id == facts.id:
            ledger.post(
                payment, "refund_reversed", entry.credit, entry.debit, entry.amount_cents, entry.currency,
                clock.day_of(now), facts.id, now,
            )  # fmt: skip
    term = find_term_of_payment(payment.id)
    if term is not None:
        restore_term(term, now)
    note_discrepancy("refund_failed", facts.id, payment, facts.amount_cents, facts.currency, now)


def _refund_row(payment: Payment, facts: RefundFacts, now: datetime) -> Refund:
    """Our row of a refund: known by the provider's id, asked for here, or made at the provider."""
    known = db.session.execute(select(Refund).where(Refund.provider_id == facts.id)).scalar_one_or_none()
    if known is not None:
        return known
    asked = select(Refund).where(
        Refund.payment_id == payment.id, Refund.status == "requested", Refund.provider_id.is_(None),
        Refund.amount_cents == facts.amount_cents,
    )  # fmt: skip
    refund = db.session.execute(asked).scalar_one_or_none()
    if refund is None:
        refund = Refund(
            payment_id=payment.id, amount_cents=facts.amount_cents, currency=facts.currency, status="pending",
            requested_by="provider", requested_at=facts.created_at,
        )  # fmt: skip
        db.session.add(refund)
    refund.provider_id, refund.currency = facts.id, facts.currency  # what goes back is what came
    refund.status = "pending"
    db.session.flush()
    audit.record("refund_known", f"payment:{payment.id}", now, refund=refund.id, provider_id=facts.id)
    return refund
