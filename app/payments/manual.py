"""Fees that came by bank transfer or in cash, typed in by staff."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier
from app.memberships.service import PricedOffer, offer_for, price_on, renewed_offer
from app.payments import settling
from app.payments.ledger import CHANNEL, RECEIVED, balance_of
from app.payments.models import LedgerEntry, Payment
from app.payments.service import Wanted, add_payment
from app.people.models import Person


def record_payment(
    person: Person, tier: Tier, cents: int, method: str, value_on: date, by: str, locale: str, now: datetime,
    today: date, again: bool = False, order: Payment | None = None,
) -> Payment:  # fmt: skip
    """Book money by its value date: like a paid checkout; onto an order of the same fee that is open, so that
    several transfers may settle one payment. `order` says which one, where its reference was on the transfer.
    Raises Refusal.

    The same payment typed twice is refused unless `again` says that the money really came twice; then it
    is for the same days, so a second full fee is unallocated rather than a silent extra year.
    """
    if method not in CHANNEL or method == "online":
        raise Refusal("unknown_method", _("The method is transfer or cash."))
    if not 0 < cents <= 10_000_000:
        raise Refusal("bad_amount", _("The amount must be from 0.01 to 100000.00."))
    if value_on > today:
        raise Refusal("future_value_date", _("The value date lies in the future."))
    settling.lock_person(person.id)
    twin = _find_twin(person.id, tier.id, cents, method, value_on)
    if twin is not None and not again:
        raise Refusal(
            "recorded_already",
            _(
                "This was recorded already, as %(number)s. If it really came twice, say so (--again).",
                number=twin.number,
            ),
            409,
        )
    payment = _find_order(person.id, tier.id, method, order)
    if payment is None:
        offered = _offer(person, tier, value_on, now)
        if twin is not None:
            offered = PricedOffer(twin.offer, twin.amount_cents, twin.currency)
        payment = add_payment(person.id, Wanted(tier.id), offered, method, by, locale, now, today)
    settling.book_received(payment, CHANNEL[method], cents, payment.currency, None, value_on, now)
    return payment


def _find_order(person_id: int, tier_id: int, method: str, wanted: Payment | None) -> Payment | None:
    """What was asked for by this method and is not paid (in full) yet; cash may pay an order by transfer that no
    money came for. Raises Refusal when the one that was named is not open."""
    query = select(Payment).where(
        Payment.person_id == person_id, Payment.tier_id == tier_id, Payment.method != "online",
        Payment.paid_at.is_(None), Payment.closed_at.is_(None),
    )  # fmt: skip
    if wanted is not None:
        query = query.where(Payment.id == wanted.id)
    for order in db.session.execute(query.order_by(Payment.id)).scalars():
        if order.method == method:
            return order
        if not balance_of(order.id).received_cents:
            order.method = method
            return order
    if wanted is not None:
        raise Refusal("order_not_open", _("%(number)s is not open any more. Look again.", number=wanted.number), 409)
    return None


def _offer(person: Person, tier: Tier, value_on: date, now: datetime) -> PricedOffer:
    """What was on sale on the value date; to somebody who had renewed already, the days they have."""
    try:
        return offer_for(person.id, tier, now, value_on)
    except Refusal as refusal:
        if refusal.code != "already_renewed":
            raise
        price = price_on(tier, value_on)
        return PricedOffer(renewed_offer(person.id, now, value_on), price.fee_cents, price.currency)


def _find_twin(person_id: int, tier_id: int, cents: int, method: str, value_on: date) -> Payment | None:
    """The same money of the same day, booked before; it may have been too little to be paid."""
    received = (
        select(LedgerEntry.payment_id)
        .where(LedgerEntry.movement.in_(RECEIVED), LedgerEntry.value_on == value_on)
        .group_by(LedgerEntry.payment_id)
        .having(func.sum(LedgerEntry.amount_cents) == cents)
    )
    query = select(Payment).where(
        Payment.person_id == person_id, Payment.tier_id == tier_id, Payment.method == method, Payment.id.in_(received)
    )
    return db.session.execute(query.order_by(Payment.id.desc()).limit(1)).scalar()
