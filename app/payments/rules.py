"""Money: what received cents pay for, and what a payment's state is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["open", "pending", "paid", "refunded", "closed"]


@dataclass(frozen=True)
class Allocation:
    """Cents of the fee, and cents that belong to nobody yet."""

    fee_cents: int
    unallocated_cents: int


def allocate(price_cents: int, received_cents: int) -> Allocation:
    """Less than the price pays nothing yet; what exceeds it is unallocated. The parts are the whole."""
    if received_cents < price_cents:
        return Allocation(0, received_cents)
    return Allocation(price_cents, received_cents - price_cents)


def allocate_refund(unallocated_cents: int, refunded_cents: int) -> Allocation:
    """What is nobody's yet goes back first, then the fee. The parts are the whole."""
    free = min(max(unallocated_cents, 0), refunded_cents)
    return Allocation(refunded_cents - free, free)


def is_fully_refunded(received_cents: int, refunded_cents: int) -> bool:
    """Nothing of the payment is left."""
    return refunded_cents > 0 and refunded_cents >= received_cents


def state_of(*, completed: bool, paid: bool, closed: bool, received_cents: int, refunded_cents: int) -> State:
    """`pending` is completed at the provider but not yet paid (a bank debit on its way)."""
    if paid:
        return "refunded" if is_fully_refunded(received_cents, refunded_cents) else "paid"
    if closed:
        return "closed"
    return "pending" if completed else "open"


def is_mismatch(*, asked_cents: int, asked_currency: str, paid_cents: int, paid_currency: str) -> bool:
    """Whether what the provider took is other than what we asked: amount or currency."""
    return (asked_cents, asked_currency.upper()) != (paid_cents, paid_currency.upper())
