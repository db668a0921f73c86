"""What received cents pay for, what goes back first, and what a payment's state is. No app."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payments.rules import Allocation, allocate, allocate_refund, is_mismatch, is_nothing_left, state_of

cents = st.integers(0, 10_000_000)


@pytest.mark.parametrize(
    "received, fee, unallocated", [(0, 0, 0), (2999, 0, 2999), (3000, 3000, 0), (3001, 3000, 1), (6000, 3000, 3000)]
)
def test_less_than_the_price_pays_nothing_and_the_excess_is_unallocated(
    received: int, fee: int, unallocated: int
) -> None:
    assert allocate(3000, received) == Allocation(fee, unallocated)


@pytest.mark.parametrize(
    "held, received, expected",
    [
        (1000, 1999, Allocation(0, 1999, 0)),  # still too little: it lies here with the rest
        (1000, 2000, Allocation(2000, 0, 1000)),
        (1000, 2500, Allocation(2000, 500, 1000)),
        (2999, 1, Allocation(1, 0, 2999)),
        (3000, 0, Allocation(0, 0, 3000)),
        (5000, 0, Allocation(0, 0, 3000)),  # no more of it than the price
    ],
)
def test_money_that_came_before_and_was_too_little_pays_with_what_comes_after(
    held: int, received: int, expected: Allocation
) -> None:
    assert allocate(3000, received, held) == expected


@pytest.mark.parametrize(
    "unallocated, refunded, of_fee, of_excess",
    [(0, 3000, 3000, 0), (2000, 1999, 0, 1999), (2000, 2000, 0, 2000), (2000, 2001, 1, 2000), (2000, 5000, 3000, 2000)],
)
def test_what_is_nobodys_goes_back_first(unallocated: int, refunded: int, of_fee: int, of_excess: int) -> None:
    assert allocate_refund(unallocated, refunded) == Allocation(of_fee, of_excess)


@given(cents, cents)
def test_the_parts_are_always_the_whole(one: int, other: int) -> None:
    for parts, whole in ((allocate(one, other), other), (allocate_refund(one, other), other)):
        assert parts.fee_cents + parts.unallocated_cents == whole
        assert min(parts.fee_cents, parts.unallocated_cents) >= 0


@pytest.mark.parametrize(
    "received, refunded, full", [(3000, 0, False), (3000, 2999, False), (3000, 3000, True), (0, 0, False), (1, 1, True)]
)
def test_full_means_nothing_of_the_payment_is_left(received: int, refunded: int, full: bool) -> None:
    assert is_nothing_left(received, refunded) is full


@pytest.mark.parametrize("lost, full", [(1999, False), (2000, True), (3000, True)])
def test_what_a_lost_dispute_took_is_gone_like_what_was_refunded(lost: int, full: bool) -> None:
    assert is_nothing_left(3000, 1000, lost) is full


@pytest.mark.parametrize(
    "facts, state",
    [
        ({}, "open"),
        ({"completed": True}, "pending"),
        ({"closed": True}, "closed"),
        ({"completed": True, "closed": True}, "closed"),
        ({"paid": True, "received_cents": 3000}, "paid"),
        ({"paid": True, "received_cents": 3000, "refunded_cents": 2999}, "paid"),
        ({"paid": True, "received_cents": 3000, "refunded_cents": 3000}, "refunded"),
        ({"paid": True, "received_cents": 3000, "refunded_cents": 1000, "lost_cents": 2000}, "refunded"),
        ({"paid": True, "received_cents": 3000, "refunded_cents": 1000, "lost_cents": 1999}, "paid"),
    ],
)
def test_a_payments_state_follows_from_its_facts(facts: dict[str, int], state: str) -> None:
    nothing = {"completed": False, "paid": False, "closed": False, "received_cents": 0, "refunded_cents": 0}
    assert state_of(**{**nothing, **facts}) == state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "paid_cents, currency, mismatch",
    [(3000, "EUR", False), (3000, "eur", False), (2999, "EUR", True), (3001, "EUR", True), (3000, "USD", True)],
)
def test_another_amount_or_currency_is_a_mismatch(paid_cents: int, currency: str, mismatch: bool) -> None:
    assert (
        is_mismatch(asked_cents=3000, asked_currency="EUR", paid_cents=paid_cents, paid_currency=currency) is mismatch
    )
