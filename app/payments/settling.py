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
from app.extensions import db
from app.memberships.service import sell_term
from app.payments import ledger, receipts, rules
from app.payments.discrepancies import note_discrepancy
from app.payments.disputes import settle_dispute
from app.payments.facts import CheckoutFacts, MoneyFacts
from app.payments.models import Payment
from app.payments.refunds import settle_refund
from app.people.models import Person

log = structlog.get_logger()


def settle_checkout(facts: CheckoutFacts, is_live_mode: bool, now: datetime) -> Payment | None:
    """Turn a paid checkout into a term, once, however often we are told; None when it is not ours."""
    payment = _lock_payment_of(facts)
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
        if facts.status == "complete":
            note_completed(payment, facts.money, now)
    elif not facts.is_paid:
        return payment
    if facts.status == "expired":
        close_payment(payment, "expired", now)
    if facts.money is not None:
        settle_money(payment, facts.money, now, is_second=is_second, may_fail=facts.status == "complete")
    db.session.flush()
    return payment


def note_completed(payment: Payment, money: MoneyFacts | None, now: datetime) -> None:
    """The buyer did what there was to do; a debit may still take days, and says so by mail once."""
    if payment.completed_at is None:
        payment.completed_at = now
    if money is not None and money.is_processing and payment.paid_at is None and payment.closed_at is None:
        jobs.enqueue("mail_debit_pending", now, key=f"debit-pending:{money.intent_id}", payment_id=payment.id)


def settle_money(
    payment: Payment, money: MoneyFacts, now: datetime, *, is_second: bool = False, may_fail: bool = True
) -> None:
    """Charge, refunds and disputes behind one intent. The payment's person and itself are locked by the caller."""
    if not is_second:
        payment.stripe_payment_intent_id = money.intent_id
    if money.charge_id is not None:
        _settle_charge(payment, money, is_second, now)
    elif money.has_failed and may_fail and payment.paid_at is None and payment.closed_at is None:
        close_payment(payment, "failed", now)
        if money.is_delayed and payment.stripe_invoice_id is None:
            jobs.enqueue("mail_not_paid", now, key=f"not-paid:{money.intent_id}", payment_id=payment.id)
    for refund in money.refunds:
        settle_refund(payment, refund, now)
    for dispute in money.disputes:
        settle_dispute(payment, dispute, now)
    db.session.flush()


def close_payment(payment: Payment, because: str, now: datetime) -> None:
    """Say that a payment can no longer be paid; one that is paid stays paid."""
    if payment.paid_at is None and payment.closed_at is None:
        payment.closed_at, payment.closed_because = now, because
        audit.record("payment_closed", f"payment:{payment.id}", now, because=because)
        db.session.flush()


def lock_person(person_id: int) -> None:
    """One at a time where a person's terms are about to change."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


def lock_payment(payment: Payment) -> Payment:
    """Its person and itself, in that order, and as they are now."""
    lock_person(payment.person_id)
    return db.session.get_one(Payment, payment.id, with_for_update=True, populate_existing=True)


def book_received(
    payment: Payment, channel: str, received_cents: int, currency: str, provider_id: str | None, value_on: date,
    now: datetime, *, bought_on: date | None = None, arrived_on: date | None = None,
) -> None:  # fmt: skip
    """Post money that came in, sell the term it pays, issue the receipt, give the card.

    `bought_on` is the day that counts for the offer (a debit: the day checkout was completed), `arrived_on` is
    given for a delayed method. Several transfers may settle one payment.
    """
    held_cents = ledger.balance_of(payment.id).unallocated_cents if payment.paid_at is None else 0
    allocation = rules.allocate(payment.amount_cents, received_cents, held_cents)
    reason = _obstacle(payment, allocation, bought_on or value_on, arrived_on, now)
    if reason is not None:
        allocation = rules.Allocation(0, received_cents)
        note_discrepancy(reason, payment.number, payment, held_cents + received_cents, currency, now)
    if reason != "underpaid":
        payment.paid_at, payment.paid_on = now, value_on
        payment.closed_at = payment.closed_because = None
    for movement, debit, credit, cents in (
        ("fee_received", channel, "fees", allocation.fee_cents),
        ("excess_received", channel, "unallocated", allocation.unallocated_cents),
        ("allocated", "unallocated", "fees", allocation.fee_from_held_cents),
    ):
        if cents:
            ledger.post(payment, movement, debit, credit, cents, currency, value_on, provider_id, now)
    db.session.flush()
    if reason is not None:
        letter = "mail_rest_due" if reason == "underpaid" else "mail_unallocated"
        key = f"{letter}:{payment.id}:{held_cents + received_cents}"
        jobs.enqueue(letter, now, key=key, payment_id=payment.id)
        return
    if allocation.unallocated_cents:
        note_discrepancy("overpaid", payment.number, payment, allocation.unallocated_cents, currency, now)
    acknowledge(payment, now)


def acknowledge(payment: Payment, now: datetime) -> None:
    """What follows a fee that counts: receipt, card, letters, and the wish to renew by itself."""
    receipts.issue_receipt(payment, payment.amount_cents, now, clock.day_of(now))
    jobs.enqueue("mail_receipt", now, key=f"receipt:{payment.id}", payment_id=payment.id)
    if payment.kind == "gift":
        jobs.enqueue("mail_gift", now, key=f"gift:{payment.id}", payment_id=payment.id)
    else:
        ensure_card(payment.person_id, now)
    if payment.kind in ("join", "renew", "rejoin"):
        _close_others(payment, now)
    if payment.wants_auto_renewal:
        jobs.enqueue("switch_on_auto_renewal", now, key=f"auto-renewal:{payment.id}", payment_id=payment.id)


def find_open_payment(person_id: int) -> Payment | None:
    """The payment whose checkout somebody may still pay, or that is on its way from there."""
    query = select(Payment).where(
        Payment.person_id == person_id, Payment.method == "online", Payment.stripe_invoice_id.is_(None),
        Payment.paid_at.is_(None), Payment.closed_at.is_(None),
    )  # fmt: skip
    return db.session.execute(query).scalar_one_or_none()


def _close_others(paid: Payment, now: datetime) -> None:
    """Somebody's fee is paid: what else was open for the same days is asked for no longer."""
    waiting = find_open_payment(paid.person_id)
    if waiting is not None and waiting.id != paid.id and waiting.kind != "gift":
        jobs.enqueue("close_checkout", now, payment_id=waiting.id)
    ordered = select(Payment).where(
        Payment.person_id == paid.person_id, Payment.id != paid.id, Payment.method != "online",
        Payment.kind != "gift", Payment.paid_at.is_(None), Payment.closed_at.is_(None),
    )  # fmt: skip
    for order in db.session.execute(ordered).scalars().all():
        if not ledger.balance_of(order.id).received_cents:  # money that came is the treasurer's to decide
            close_payment(order, "replaced", now)


def _obstacle(
    payment: Payment, allocation: rules.Allocation, bought_on: date, arrived_on: date | None, now: datetime
) -> str | None:
    """Why this money buys nothing; None when it bought its days (a gift's are taken when it is accepted)."""
    if not allocation.fee_cents and not allocation.fee_from_held_cents:
        return "underpaid"
    if payment.closed_because == "cancelled":
        return "late_payment"
    if payment.kind == "gift":
        return None
    term = sell_term(
        payment.person_id, payment.tier, payment.id, payment.offer, bought_on, now, arrived_on=arrived_on,
        offered_at=payment.opened_at,
    )  # fmt: skip
    if term is not None:
        return None
    return "nothing_to_upgrade" if payment.kind == "upgrade" else "days_covered"


def _lock_payment_of(facts: CheckoutFacts) -> Payment | None:
    """Our payment behind a checkout, its person and itself locked in that order."""
    found = db.session.execute(select(Payment).where(Payment.stripe_checkout_id == facts.id)).scalar_one_or_none()
    if found is None and facts.number is not None:
        found = find_payment(facts.number)
    return lock_payment(found) if found is not None else None


def find_payment(number: str) -> Payment | None:
    """By its number, P-2026-000123."""
    digits = number.rpartition("-")[2]
    payment = db.session.get(Payment, int(digits)) if digits.isdecimal() and len(digits) < 10 else None
    return payment if payment is not None and payment.number == number else None


def _settle_charge(payment: Payment, money: MoneyFacts, is_second: bool, now: datetime) -> None:
    """Money of a checkout. What differs from what we asked, or comes by a second checkout, is nobody's yet."""
    charge_id, charged_at = money.charge_id, money.charged_at
    if charge_id is None or charged_at is None:
        return
    charged_on = clock.day_of_news(charged_at, now)
    arrived_on = clock.day_of_news(money.arrived_at or now, now) if money.is_delayed else None
    value_on = arrived_on or charged_on
    booked = ledger.has_entry("fee_received", charge_id) or ledger.has_entry("excess_received", charge_id)
    if is_second or rules.is_mismatch(
        asked_cents=payment.amount_cents, asked_currency=payment.currency,
        paid_cents=money.amount_cents, paid_currency=money.currency,
    ):  # fmt: skip
        note_discrepancy("mismatch", charge_id, payment, money.amount_cents, money.currency, now)
        ledger.post(
            payment, "excess_received", "provider", "unallocated", money.amount_cents, money.currency, value_on,
            charge_id, now,
        )  # fmt: skip
        if not is_second:
            close_payment(payment, "mismatch", now)
    elif not booked:
        book_received(
            payment, "provider", money.amount_cents, money.currency, charge_id, value_on, now,
            bought_on=charged_on, arrived_on=arrived_on,
        )  # fmt: skip
    if money.fee_cents:  # known with the charge or some time after it
        ledger.post(
            payment, "provider_fee", "provider_fees", "provider", money.fee_cents, money.currency, value_on,
            charge_id, now,
        )  # fmt: skip
