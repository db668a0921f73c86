"""Whatever happens to money, the list, its totals and its file are the ledger to the cent."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import clock
from app.extensions import db
from app.memberships.service import add_tier
from app.payments import ledger, service, settling
from app.payments.discrepancies import list_discrepancies
from app.payments.facts import CheckoutFacts
from app.payments.models import LedgerEntry
from app.payments.resolving import resolve, ways_to_resolve
from app.people.service import add_person
from app.treasury import listing
from app.treasury.export import ledger_csv, payments_csv
from app.treasury.filters import Filter
from tests.command import is_refused, run
from tests.payments.telling import NOW, checkout, dispute, money, refund
from tests.payments.test_identity import lives, of_person

numbers = iter(range(1, 1_000_000))
COLUMNS = ("gross", "provider_fee", "net", "fees", "unallocated", "donated", "refunded", "disputed")


@pytest.fixture
def house(app: Flask) -> Flask:
    add_tier("basic", "Basic", 3000, NOW)
    db.session.commit()
    return app


def live(life: list[CheckoutFacts], later: int = 0) -> None:
    """Somebody new to whom this happens at the provider; we hear it `later` days after it did."""
    n = next(numbers)
    person = add_person(f"N{n}", "Soler", None, NOW)
    payment = service.open_payment(
        person, service.Wanted(1), "test", "en", NOW, clock.day_of(NOW)
    )  # fmt: skip
    for facts in life:
        own = replace(
            facts, id=f"{facts.id}_{n}", number=payment.number, money=facts.money and of_person(facts.money, n)
        )
        settling.settle_checkout(own, False, NOW + timedelta(days=30 + later))
    db.session.flush()


def decide(choose: st.DataObject) -> None:
    """The treasurer resolves what is open, one way or another."""
    for entry in list_discrepancies():
        ways = [way for way in ways_to_resolve(entry) if way != "refunded"]
        resolve(entry, choose.draw(st.sampled_from(ways)), "test", "decided", NOW + timedelta(days=31))


def cents(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    whole, _, part = text.lstrip("-").partition(".")
    return sign * int(whole + part)


def sums(wanted: Filter) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO("".join(payments_csv(wanted)), newline="")):
        total.update({column: cents(row[column]) for column in COLUMNS})
    return total


def assert_the_ledgers(first: date, last: date) -> None:
    wanted = Filter(from_on=first, to_on=last)
    balance, totals, file = ledger.balance_between(first, last, "EUR"), listing.totals_of(wanted), sums(wanted)
    gone = balance.refunded_cents + balance.disputed_cents
    assert (totals.amount_cents, totals.fee_cents) == (balance.received_cents - gone, balance.provider_fee_cents)
    assert dict(file) == {
        "gross": balance.received_cents - gone, "provider_fee": balance.provider_fee_cents, "net": balance.net_cents,
        "fees": balance.fees_cents, "unallocated": balance.unallocated_cents, "donated": balance.donated_cents,
        "refunded": balance.refunded_cents, "disputed": balance.disputed_cents,
    }  # fmt: skip
    assert totals.amount_cents - totals.fee_cents == balance.net_cents


def value_days() -> list[date]:
    query = db.select(LedgerEntry.value_on).distinct().order_by(LedgerEntry.value_on)
    return list(db.session.execute(query).scalars())


@given(st.lists(lives(), min_size=1, max_size=3), st.booleans(), st.data())
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_totals_and_file_are_the_ledgers_on_every_day_and_over_all(
    house: Flask, stories: list[list[CheckoutFacts]], decides: bool, data: st.DataObject
) -> None:
    for story in stories:
        live(story, data.draw(st.integers(0, 3)))
    if decides:
        decide(data)
    days = value_days()
    for day in days:
        assert_the_ledgers(day, day)
    if days:
        assert_the_ledgers(days[0], days[-1])
        assert listing.totals_of(Filter()).count == len({id(row) for row in listing.page_of(Filter(), 1)}) or len(days)
    db.session.rollback()


def test_a_dispute_is_a_negative_row_with_its_fee_and_its_receipt(house: Flask) -> None:
    lost = dispute(1, 3000, "lost", NOW + timedelta(days=7), NOW + timedelta(days=9))
    live([checkout("", "complete", money(fee_cents=70, disputes=(lost,)))])
    rows = {row.movement: row for row in listing.page_of(Filter(), 1)}
    assert {name: (row.amount_cents, row.fee_cents) for name, row in rows.items()} == {
        "fee_received": (3000, 70),
        "dispute_withdrawn": (-3000, 2000),
    }
    assert [rows[name].Receipt.number[0] for name in ("fee_received", "dispute_withdrawn")] == ["2", "R"]
    assert len(listing.page_of(Filter(state="disputed"), 1)) == 2
    assert listing.page_of(Filter(state="refunded"), 1) == []


def test_a_refund_that_failed_brings_a_receipt_of_its_own_and_no_row_twice(house: Flask) -> None:
    paid = money(fee_cents=70, refunds=(refund(1, 3000),))
    life = [checkout("", "complete", money(fee_cents=70)), checkout("", "complete", paid)]
    live([*life, checkout("", "complete", replace(paid, refunds=(refund(1, 3000, "failed"),)))])
    rows = [(row.movement, row.Receipt.number[:1], row.amount_cents) for row in listing.page_of(Filter(), 1)]
    assert sorted(rows) == [("fee_received", "2", 3000), ("refund_paid", "R", -3000), ("refund_reversed", "2", 3000)]
    assert listing.totals_of(Filter()).count == 3


def test_a_fee_the_provider_names_on_another_day_is_a_row_of_that_day(house: Flask) -> None:
    payment = service.open_payment(
        add_person("Nora", "Gil", None, NOW), service.Wanted(1), "test", "en", NOW, clock.day_of(NOW)
    )  # fmt: skip
    day = clock.day_of(NOW)
    ledger.post(payment, "excess_received", "provider", "unallocated", 3000, "EUR", day, "ch_9", NOW)
    ledger.post(
        payment, "provider_fee", "provider_fees", "provider", 70, "EUR", day + timedelta(days=1), "ch_9", NOW
    )  # fmt: skip
    assert_the_ledgers(day, day)
    assert_the_ledgers(day + timedelta(days=1), day + timedelta(days=1))
    rows = listing.page_of(Filter(), 1)
    assert [(row.movement, row.amount_cents, row.fee_cents) for row in rows] == [
        ("provider_fee", 0, 70), ("excess_received", 3000, 0)
    ]  # fmt: skip


def test_the_ledger_leaves_as_it_stands(house: Flask) -> None:
    live([checkout("", "complete", money(fee_cents=70))])
    day = clock.day_of(NOW)
    rows = list(csv.DictReader(io.StringIO("".join(ledger_csv(day, day)), newline="")))
    assert [(r["movement"], r["debit"], r["credit"], r["amount"], r["currency"]) for r in rows] == [
        ("fee_received", "provider", "fees", "30.00", "EUR"),
        ("provider_fee", "provider_fees", "provider", "0.70", "EUR"),
    ]
    said = run(house, "treasury", "export", "ledger", "--from", day.isoformat(), "--to", day.isoformat())
    assert (said.exit_code, said.stdout.count("\n")) == (0, 3)
    assert is_refused(run(house, "treasury", "export", "members", "--from", "2026-01-01", "--to", "2026-01-02"))
