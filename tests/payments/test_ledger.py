"""The ledger's rows and its sums: what is written, once, and what each kind of movement counts for."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit import AuditEntry
from app.extensions import db
from app.memberships.service import add_tier
from app.payments.ledger import (
    Balance,
    balance_between,
    balance_of,
    balances_of,
    entries_of,
    has_entry,
    post,
    settled_payments,
)
from app.payments.models import LedgerEntry, Payment
from app.payments.service import Wanted, open_payment
from app.people.service import add_person

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
EVERY_MOVEMENT = (
    ("fee_received", "provider", "fees", 100_000),
    ("excess_received", "provider", "unallocated", 20_000),
    ("allocated", "unallocated", "fees", 3_000),
    ("donated", "unallocated", "donations", 1_000),
    ("refund_paid", "unallocated", "provider", 500),
    ("refund_paid", "fees", "provider", 7_000),
    ("refund_reversed", "provider", "fees", 200),
    ("provider_fee", "provider_fees", "provider", 90),
    ("provider_fee_returned", "provider", "provider_fees", 30),
    ("dispute_withdrawn", "disputes", "provider", 8),
    ("dispute_reinstated", "provider", "disputes", 3),
)
SUMS_OF_EVERY_MOVEMENT = Balance(
    received_cents=120_000, unallocated_cents=15_500, donated_cents=1_000, refunded_cents=7_300, provider_fee_cents=60,
    disputed_cents=5,
)  # fmt: skip


@pytest.fixture
def payments(app: Flask) -> list[Payment]:
    """Three people who were asked for a fee; no money has moved."""
    wanted = Wanted(add_tier("basic", "Basic", 3000, NOW).id)
    return [
        open_payment(add_person(name, "Soler", None, NOW), wanted, "test", "en", NOW, TODAY)
        for name in ("Anna", "Berta", "Clara")
    ]


def move(
    payment: Payment, movement: str = "fee_received", debit: str = "bank", credit: str = "fees", cents: int = 3000,
    currency: str = "EUR", value_on: date = TODAY, provider_id: str | None = None,
) -> bool:  # fmt: skip
    return post(payment, movement, debit, credit, cents, currency, value_on, provider_id, NOW)


def audited() -> list[AuditEntry]:
    db.session.commit()
    chosen = select(AuditEntry).where(AuditEntry.action.startswith("ledger_")).order_by(AuditEntry.id)
    return list(db.session.execute(chosen).scalars())


def test_a_row_holds_all_that_was_said_of_the_transfer(payments: list[Payment]) -> None:
    assert post(payments[1], "refund_paid", "fees", "provider", 1234, "USD", TODAY - DAY, "re_1", NOW) is True
    [it] = entries_of(payments[1].id)
    assert (it.payment_id, it.movement, it.debit, it.credit) == (payments[1].id, "refund_paid", "fees", "provider")
    assert (it.amount_cents, it.currency, it.value_on, it.provider_id) == (1234, "USD", TODAY - DAY, "re_1")
    assert it.at == NOW


def test_the_audit_log_says_the_same_of_it(payments: list[Payment]) -> None:
    post(payments[1], "refund_paid", "fees", "provider", 1234, "USD", TODAY - DAY, "re_1", NOW)
    [it] = audited()
    assert (it.action, it.subject, it.at) == ("ledger_refund_paid", f"payment:{payments[1].id}", NOW)
    assert json.loads(it.facts) == {
        "cents": 1234, "currency": "USD", "debit": "fees", "credit": "provider", "provider_id": "re_1",
    }  # fmt: skip


def test_what_the_provider_says_twice_is_written_and_audited_once(payments: list[Payment]) -> None:
    assert [move(payments[0], provider_id="ch_1") for _ in range(2)] == [True, False]
    assert (len(entries_of(payments[0].id)), len(audited())) == (1, 1)


def test_one_id_of_the_provider_may_move_money_between_other_accounts_too(payments: list[Payment]) -> None:
    assert move(payments[0], "refund_paid", "fees", "provider", 1000, provider_id="re_1")
    assert move(payments[0], "refund_paid", "unallocated", "provider", 2000, provider_id="re_1")
    assert move(payments[0], "refund_reversed", "provider", "fees", 1000, provider_id="re_1")


def test_money_by_hand_has_no_id_and_may_come_twice(payments: list[Payment]) -> None:
    assert [move(payments[0], debit="cash") for _ in range(2)] == [True, True]
    assert balance_of(payments[0].id).received_cents == 6000


def test_a_payments_rows_are_its_own_in_the_order_they_were_written(payments: list[Payment]) -> None:
    for n, payment in enumerate([payments[0], payments[1], payments[0]]):
        move(payment, cents=n + 1, value_on=TODAY - n * DAY)
    assert [it.amount_cents for it in entries_of(payments[0].id)] == [1, 3]
    assert entries_of(payments[2].id) == []


def test_a_movement_is_known_by_its_kind_and_the_providers_id(payments: list[Payment]) -> None:
    move(payments[0], provider_id="ch_1")
    assert has_entry("fee_received", "ch_1")
    assert not has_entry("fee_received", "ch_2")
    assert not has_entry("refund_paid", "ch_1")


def test_each_kind_of_movement_counts_for_its_own_sum(payments: list[Payment]) -> None:
    for movement, debit, credit, cents in EVERY_MOVEMENT:
        move(payments[0], movement, debit, credit, cents)
    move(payments[1], cents=777)
    assert balance_of(payments[0].id) == SUMS_OF_EVERY_MOVEMENT
    assert balances_of([payments[0].id]) == {payments[0].id: SUMS_OF_EVERY_MOVEMENT}
    assert balance_between(TODAY, TODAY, "EUR").received_cents == 120_777


def test_the_sums_of_nothing_are_nothing(payments: list[Payment]) -> None:
    assert balance_of(payments[0].id) == balance_between(TODAY, TODAY, "EUR") == Balance()


def test_many_payments_sums_are_each_ones_own_and_without_money_there_is_none(payments: list[Payment]) -> None:
    one, other, broke = (payment.id for payment in payments)
    move(payments[0], cents=3000)
    move(payments[1], "excess_received", "bank", "unallocated", 2999)
    move(payments[0], "excess_received", "bank", "unallocated", 1)
    assert balances_of([one, other, broke]) == {one: Balance(3001, 1), other: Balance(2999, 2999)}
    assert balances_of({other}) == {other: Balance(2999, 2999)}
    assert balances_of([]) == {}


def test_a_period_has_both_its_days_and_one_currency(payments: list[Payment]) -> None:
    first, last = TODAY - 9 * DAY, TODAY - 2 * DAY
    for value_on, cents in ((first - DAY, 1), (first, 10), (first + DAY, 100), (last, 1000), (last + DAY, 10_000)):
        move(payments[0], cents=cents, value_on=value_on)
    move(payments[1], cents=100_000, currency="USD", value_on=first)
    assert balance_between(first, last, "EUR") == Balance(1110)
    assert balance_between(first, last, "USD") == Balance(100_000)
    assert balance_between(last + 2 * DAY, TODAY, "EUR") == Balance()


def test_a_payment_is_settled_when_none_of_its_money_is_unallocated_any_more(payments: list[Payment]) -> None:
    move(payments[0])
    move(payments[1], "excess_received", "bank", "unallocated", 2000)
    move(payments[2], "excess_received", "bank", "unallocated", 1)
    move(payments[1], "refund_paid", "unallocated", "bank", 1999)
    settled = set(db.session.execute(settled_payments()).scalars())
    assert settled == {payments[0].id}
    move(payments[1], "donated", "unallocated", "donations", 1)
    assert set(db.session.execute(settled_payments()).scalars()) == {payments[0].id, payments[1].id}


def test_what_is_left_what_is_income_and_what_can_go_back() -> None:
    it = SUMS_OF_EVERY_MOVEMENT
    assert (it.net_cents, it.fees_cents, it.refundable_cents) == (112_635, 96_200, 112_695)


def test_one_charge_of_the_provider_pays_one_payment_only(payments: list[Payment]) -> None:
    move(payments[0], provider_id="ch_1")
    assert not move(payments[1], provider_id="ch_1")
    assert db.session.execute(select(LedgerEntry.payment_id)).scalars().all() == [payments[0].id]
