"""Everything somebody paid, got back and was given: one row for each payment, as its pages show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import find_term_of_payment
from app.payments import service, withdrawals
from app.payments.models import Gift, Payment, Receipt, Refund
from app.payments.receipts import receipts_of, why_again
from app.people.models import Person

TOLD_OF = ("failed", "mismatch", "cancelled")  # ways to close that somebody may want to see again


@dataclass(frozen=True)
class HistoryRow:
    """`state` as payment_status in _parts.html knows it. A gift that was accepted has no money of its recipient's:
    `is_received` then, and `amount_cents` is not theirs to see. `why_again` says of a receipt's id why it was issued
    beside an earlier one."""

    number: str
    kind: str
    method: str
    tier_name: str
    on: date
    amount_cents: int
    currency: str
    state: str
    term: Term | None
    gift: Gift | None
    is_received: bool
    withdraw_until: date | None
    withdrawal: Refund | None
    receipts: list[Receipt] = field(default_factory=list)
    why_again: dict[int, str] = field(default_factory=dict)
    refunds: list[Refund] = field(default_factory=list)


def history_of(person: Person, today: date) -> list[HistoryRow]:
    """Newest first. What was begun and never paid is left out."""
    rows = [_row(payment, person, today) for payment in service.payments_of(person.id)]
    return [row for row in rows if row is not None]


def _row(payment: Payment, person: Person, today: date) -> HistoryRow | None:
    found = service.view(payment)
    is_received = payment.person_id != person.id
    has_money = found.balance.received_cents > 0
    if found.state == "open" and payment.method == "online" and not has_money:
        return None
    if found.state == "closed" and not has_money and payment.closed_because not in TOLD_OF:
        return None
    term = find_term_of_payment(payment.id)
    gift = db.session.get(Gift, payment.id)
    refunds = list(
        db.session.execute(select(Refund).where(Refund.payment_id == payment.id).order_by(Refund.id)).scalars()
    )
    is_running = any(refund.status == "requested" for refund in refunds)
    return HistoryRow(
        number=payment.number, kind=payment.kind, method=payment.method, tier_name=payment.tier.name,
        on=payment.paid_on or payment.opened_on, amount_cents=payment.amount_cents, currency=payment.currency,
        state=_state(found, term, gift), term=term, gift=gift, is_received=is_received,
        withdraw_until=None if is_running or is_received else withdrawals.last_day(payment, today),
        withdrawal=next((r for r in refunds if r.cause == "withdrawn" and r.status != "failed"), None),
        receipts=[] if is_received else receipts_of(payment.id),
        why_again={} if is_received else why_again(payment.id), refunds=[] if is_received else refunds,
    )  # fmt: skip


def _state(found: service.PaymentView, term: Term | None, gift: Gift | None) -> str:
    balance = found.balance
    if found.state == "closed":
        return "with_treasurer" if balance.received_cents > balance.refunded_cents else "not_paid"
    if found.state != "paid":
        return {"open": "awaited", "pending": "waiting", "refunded": "refunded"}[found.state]
    if found.dispute is not None and found.dispute.status == "open":
        return "disputed"
    if term is None and gift is None and balance.unallocated_cents > 0:
        return "with_treasurer"
    return "partly_refunded" if balance.refunded_cents else "paid"
