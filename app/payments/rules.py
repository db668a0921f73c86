"""Money: what received cents pay for, and what a payment's state is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["open", "pending", "paid", "refunded", "closed"]


@dataclass(frozen=True)
class Allocation:
    """Received cents that are fee, received cents that belong to nobody yet, and fee paid by what lay here before."""

    fee_cents: int
    unallocated_cents: int
    fee_from_held_cents: int = 0


def allocate(price_cents: int, received_cents: int, held_cents: int = 0) -> Allocation:
    """Less than the price pays nothing yet; what exceeds it is unallocated. The parts are the whole.

    `held_cents` came before and was too little: several transfers may settle one payment.
    """
    if held_cents + received_cents < price_cents:
        return Allocation(0, received_cents)
    from_held = min(held_cents, price_cents)
    return Allocation(price_cents - from_held, received_cents - price_cents + from_held, from_held)


def allocate_refund(unallocated_cents: int, refunded_cents: int) -> Allocation:
    """What is nobody's yet goes back first, then the fee. The parts are the whole."""
    free = min(max(unallocated_cents, 0), refunded_cents)
    return Allocation(refunded_cents - free, free)


def is_nothing_left(received_cents: int, refunded_cents: int, lost_cents: int = 0) -> bool:
    """Whether all of a payment went back, by refunds or by disputes that were lost."""
    gone = refunded_cents + lost_cents
    return gone > 0 and gone >= received_cents


def state_of(
    *, completed: bool, paid: bool, closed: bool, received_cents: int, refunded_cents: int, lost_cents: int = 0
) -> State:
    """`pending` is completed at the provider but not yet paid (a bank debit on its way)."""
    if paid:
        return "refunded" if is_nothing_left(received_cents, refunded_cents, lost_cents) else "paid"
    if closed:
        return "closed"
    return "pending" if completed else "open"


def is_mismatch(*, asked_cents: int, asked_currency: str, paid_cents: int, paid_currency: str) -> bool:
    """Whether what the provider took is other than what we asked: amount or currency."""
    return (asked_cents, asked_currency.upper()) != (paid_cents, paid_currency.upper())
