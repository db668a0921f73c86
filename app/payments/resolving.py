"""What the treasurer decides about an entry of the queue: the money buys days, is kept, goes back, or a note."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from app import audit, clock
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import gift_offer, sell_term
from app.payments import ledger
from app.payments.discrepancies import UNALLOCATED
from app.payments.models import Discrepancy, Payment, Refund
from app.payments.refunds import request_refund
from app.payments.settling import acknowledge, lock_payment


def get_open_discrepancy(discrepancy_id: int) -> Discrepancy:
    """Locked. Raises Refusal when there is none, or when somebody resolved it."""
    found = db.session.get(Discrepancy, discrepancy_id, with_for_update=True)
    if found is None:
        raise Refusal("unknown_discrepancy", _("There is no such entry."), 404)
    if found.resolved_at is not None:
        raise Refusal("resolved_already", _("This was resolved already."), 409)
    return found


def ways_to_resolve(found: Discrepancy) -> list[str]:
    """Which of `allocated`, `refunded`, `donated` and `noted` can resolve this."""
    return ways_to_resolve_each([found])[found.id]


def ways_to_resolve_each(entries: Sequence[Discrepancy]) -> dict[int, list[str]]:
    """The same for many entries, in as many queries as for one."""
    payment_ids = {it.payment_id for it in entries if it.payment_id is not None}
    balances = ledger.balances_of(payment_ids)
    bought = set(db.session.execute(select(Term.payment_id).where(Term.payment_id.in_(payment_ids))).scalars())
    return {it.id: _ways(it, balances.get(it.payment_id or 0, ledger.Balance()), bought) for it in entries}


def _ways(found: Discrepancy, balance: ledger.Balance, bought: Container[int | None]) -> list[str]:
    payment = found.payment
    if found.reason not in UNALLOCATED or payment is None:
        return ["noted"]
    free = _free_in(balance)
    is_ours = found.currency == payment.currency
    can_buy = payment.kind in ("join", "renew", "rejoin") and payment.id not in bought
    return [
        *(["allocated"] if can_buy and is_ours and free >= payment.amount_cents else []),
        *(["refunded"] if free > 0 else []),
        *(["donated"] if free > 0 and is_ours else []),
        "noted",
    ]


def resolve(found: Discrepancy, resolution: str, by: str, note: str, now: datetime) -> Refund | None:
    """Close an entry; the refund to send when that is the decision. Raises Refusal."""
    payment = lock_payment(db.session.get_one(Payment, found.payment_id)) if found.payment_id else None
    if resolution not in ways_to_resolve(found):
        raise Refusal("cannot_resolve", _("This cannot be resolved in this way any more. Look again."), 409)
    refund = None
    if payment is None or resolution == "noted":
        if not note.strip():
            raise Refusal("note_missing", _("Write down what was decided and why."))
    elif resolution == "allocated":
        _buy_following_days(payment, now)
    elif resolution == "donated":
        today = clock.day_of(now)
        cents = _free_cents(payment)
        ledger.post(payment, "donated", "unallocated", "donations", cents, payment.currency, today, None, now)
    else:
        refund = request_refund(payment, _free_cents(payment), by, now)
    found.resolved_at, found.resolved_by, found.resolution, found.note = now, by, resolution, note.strip() or None
    db.session.flush()
    audit.record("discrepancy_resolved", f"payment:{found.payment_id or 'unknown'}", now, reason=found.reason,
                 resolution=resolution)  # fmt: skip
    return refund


def _free_cents(payment: Payment) -> int:
    return _free_in(ledger.balance_of(payment.id))


def _free_in(balance: ledger.Balance) -> int:
    return max(0, min(balance.unallocated_cents, balance.refundable_cents))


def _buy_following_days(payment: Payment, now: datetime) -> None:
    """Unallocated money buys what it was asked for, after all days that its person has."""
    today = clock.day_of(now)
    offered = gift_offer(payment.person_id, payment.tier, now, today)
    if sell_term(payment.person_id, payment.tier, payment.id, offered.offer, today, now) is None:
        raise Refusal("days_covered", _("These days are covered already."), 409)
    ledger.post(payment, "allocated", "unallocated", "fees", payment.amount_cents, payment.currency, today, None, now)
    payment.paid_at, payment.paid_on = payment.paid_at or now, payment.paid_on or today
    payment.closed_at = payment.closed_because = None
    acknowledge(payment, now)
