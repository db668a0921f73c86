"""The ledger: rows that are transfers, so it balances by construction; and sums of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select

from app import audit
from app.extensions import db, insert_once
from app.payments.models import LedgerEntry, Payment

RECEIVED = ("fee_received", "excess_received")
CHANNEL = {"online": "provider", "transfer": "bank", "cash": "cash"}


@dataclass(frozen=True)
class Balance:
    """Cents of one payment, or of many: what came in, what of it is nobody's yet, what was kept as a gift to the
    association, what went back, what it cost, and what disputes have taken and not brought back."""

    received_cents: int = 0
    unallocated_cents: int = 0
    donated_cents: int = 0
    refunded_cents: int = 0
    provider_fee_cents: int = 0
    disputed_cents: int = 0

    @property
    def net_cents(self) -> int:
        """What is left at the bank, in cash and with the provider."""
        return self.received_cents - self.refunded_cents - self.provider_fee_cents - self.disputed_cents

    @property
    def fees_cents(self) -> int:
        """Fees as income: received, less what is unallocated, donated or refunded."""
        return self.received_cents - self.unallocated_cents - self.donated_cents - self.refunded_cents

    @property
    def refundable_cents(self) -> int:
        """What can still go back."""
        return self.received_cents - self.refunded_cents - self.disputed_cents


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
    found = exists().where(LedgerEntry.movement == movement, LedgerEntry.provider_id == provider_id)
    return bool(db.session.execute(select(found)).scalar_one())


def balance_of(payment_id: int) -> Balance:
    return _balance(LedgerEntry.payment_id == payment_id)


def balances_of(payment_ids: Collection[int]) -> dict[int, Balance]:
    """The same for many payments, in one query; one without money has no entry."""
    query = select(LedgerEntry.payment_id, *_sums()).where(LedgerEntry.payment_id.in_(payment_ids))
    rows = db.session.execute(query.group_by(LedgerEntry.payment_id))
    return {row[0]: _read(row[1:]) for row in rows}


def balance_between(first: date, last: date, currency: str) -> Balance:
    """Movements with a value date from `first` to `last`, both included."""
    return _balance(LedgerEntry.value_on.between(first, last), LedgerEntry.currency == currency)


def settled_payments() -> Select[int]:
    """The ids of payments whose money is all where it belongs: none of it is unallocated (any more)."""
    return select(LedgerEntry.payment_id).group_by(LedgerEntry.payment_id).having(_unallocated() == 0)


def _total(*movements: str) -> ColumnElement[int]:
    cents = case((LedgerEntry.movement.in_(movements), LedgerEntry.amount_cents))
    return func.coalesce(func.sum(cents), 0)  # sum passes over NULL


def _unallocated() -> ColumnElement[int]:
    cents = case(
        (LedgerEntry.credit == "unallocated", LedgerEntry.amount_cents),
        (LedgerEntry.debit == "unallocated", -LedgerEntry.amount_cents),
    )
    return func.coalesce(func.sum(cents), 0)


def _balance(*conditions: ColumnElement[bool]) -> Balance:
    return _read(db.session.execute(select(*_sums()).where(*conditions)).one())


def _sums() -> tuple[ColumnElement[int], ...]:
    return (
        _total(*RECEIVED), _unallocated(), _total("donated"), _total("refund_paid"), _total("refund_reversed"),
        _total("provider_fee"), _total("provider_fee_returned"), _total("dispute_withdrawn"),
        _total("dispute_reinstated"),
    )  # fmt: skip


def _read(sums: Sequence[Any]) -> Balance:
    received, free, donated, refunded, back, cost, saved, taken, brought = (int(value) for value in sums)
    return Balance(received, free, donated, refunded - back, cost - saved, taken - brought)
