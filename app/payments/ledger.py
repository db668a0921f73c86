"""The ledger: rows that are transfers, so it balances by construction; and sums of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, case, func, select

from app import audit
from app.extensions import db, insert_once
from app.payments.models import LedgerEntry, Payment

RECEIVED = ("fee_received", "excess_received")
CHANNEL = {"online": "provider", "transfer": "bank", "cash": "cash"}


@dataclass(frozen=True)
class Balance:
    """Cents of one payment, or of many: what came in, what of it is nobody's yet, what went back, what it cost."""

    received_cents: int = 0
    unallocated_cents: int = 0
    refunded_cents: int = 0
    provider_fee_cents: int = 0

    @property
    def net_cents(self) -> int:
        """What is left at the bank, in cash and with the provider."""
        return self.received_cents - self.refunded_cents - self.provider_fee_cents

    @property
    def fees_cents(self) -> int:
        """Income: received, less what is unallocated and what went back."""
        return self.received_cents - self.unallocated_cents - self.refunded_cents


def post(
    payment: Payment, movement: str, debit: str, credit: str, cents: int, currency: str, value_on: date,
    provider_id: str | None, now: datetime,
) -> bool:  # fmt: skip
    """Write one transfer; between the same accounts and with a provider's id, once. True when it is new."""
    new = insert_once(
        LedgerEntry, payment_id=payment.id, movement=movement, debit=debit, credit=credit, amount_cents=cents,
        currency=currency, value_on=value_on, provider_id=provider_id, at=now,
    )  # fmt: skip
    if new:
        audit.record(f"ledger_{movement}", f"payment:{payment.id}", now, cents=cents, currency=currency,
                     debit=debit, credit=credit, provider_id=provider_id)  # fmt: skip
    return new


def entries_of(payment_id: int) -> list[LedgerEntry]:
    query = select(LedgerEntry).where(LedgerEntry.payment_id == payment_id).order_by(LedgerEntry.id)
    return list(db.session.execute(query).scalars())


def has_entry(movement: str, provider_id: str) -> bool:
    query = select(LedgerEntry.id).where(LedgerEntry.movement == movement, LedgerEntry.provider_id == provider_id)
    return db.session.execute(query).first() is not None


def balance_of(payment_id: int) -> Balance:
    return _balance(LedgerEntry.payment_id == payment_id)


def balance_between(first: date, last: date, currency: str) -> Balance:
    """Movements with a value date from `first` to `last`, both included."""
    return _balance(LedgerEntry.value_on.between(first, last), LedgerEntry.currency == currency)


def settled_payments() -> Select[int]:
    """The ids of payments whose money is all where it belongs: none of it is unallocated (any more)."""
    return select(LedgerEntry.payment_id).group_by(LedgerEntry.payment_id).having(_unallocated() == 0)


def _total(*movements: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((LedgerEntry.movement.in_(movements), LedgerEntry.amount_cents), else_=0)), 0)


def _unallocated() -> ColumnElement[int]:
    cents = case(
        (LedgerEntry.credit == "unallocated", LedgerEntry.amount_cents),
        (LedgerEntry.debit == "unallocated", -LedgerEntry.amount_cents),
        else_=0,
    )
    return func.coalesce(func.sum(cents), 0)


def _balance(*conditions: ColumnElement[bool]) -> Balance:
    row = db.session.execute(
        select(
            _total(*RECEIVED), _unallocated(), _total("refund_paid"), _total("refund_reversed"), _total("provider_fee")
        ).where(*conditions)
    ).one()
    received, free, refunded, back, cost = (int(value) for value in row)
    return Balance(received, free, refunded - back, cost)
