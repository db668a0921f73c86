"""Any order and any repetition of the provider's news ends in the same books, and money adds up to the cent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app import audit, clock
from app.extensions import db
from app.memberships.service import add_tier, get_tier
from app.payments import ledger, service, settling
from app.payments.facts import CheckoutFacts, MoneyFacts
from app.payments.models import LedgerEntry
from app.people.service import add_person
from tests.payments.shop import Story, story_of
from tests.payments.telling import NOW, checkout, dispute, money, refund

numbers = iter(range(1, 1_000_000))
STEADY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@st.composite
def lives(draw: st.DrawFn) -> list[CheckoutFacts]:
    """What the provider would have said of one checkout at each moment of its life, in its own order."""
    asked = draw(st.sampled_from([3000, 3000, 3000, 2999, 5000]))
    life = [checkout("filled in", amount_cents=asked)]
    if draw(st.integers(0, 5)) == 0:
        return [*life, replace(life[0], status="expired")]
    if draw(st.integers(0, 3)) == 0:  # a debit on its way
        life.append(checkout("", "complete", money(0, charge_id=None, is_delayed=True, is_processing=True)))
        if draw(st.booleans()):
            return [*life, checkout("", "complete", money(0, charge_id=None, is_delayed=True, has_failed=True))]
    now = money(asked, is_delayed=len(life) > 1, arrived_at=NOW + timedelta(days=5))
    life.append(checkout("", "complete", now))
    now = replace(now, fee_cents=70)
    life.append(checkout("", "complete", now))
    left = asked
    for n in range(draw(st.integers(0, 3))):
        cents = draw(st.sampled_from([left, 1000, 1])) if left else 0
        if not 0 < cents <= left:
            continue
        at = NOW + timedelta(days=n + 6)
        if draw(st.integers(0, 2)) == 0:
            for status in draw(st.sampled_from([["open"], ["open", "won"], ["open", "lost"], ["lost"], ["inquiry"]])):
                closed_at = at + timedelta(days=9) if status in ("won", "lost") else None
                others = tuple(d for d in now.disputes if d.id != f"dp_{n}")
                now = replace(now, disputes=(*others, dispute(n, cents, status, at, closed_at)))
                life.append(checkout("", "complete", now))
            left -= 0 if now.disputes[-1].status in ("won", "inquiry") else cents
            continue
        now = replace(
            now, refunds=(*now.refunds, refund(n, cents, draw(st.sampled_from(["succeeded", "pending"])), at))
        )
        life.append(checkout("", "complete", now))
        left -= cents
        if draw(st.integers(0, 2)) == 0:
            now = replace(now, refunds=(*now.refunds[:-1], replace(now.refunds[-1], status="failed")))
            life.append(checkout("", "complete", now))
            left += cents
    return life


def told(life: list[CheckoutFacts]) -> Story:
    """The books of somebody new to whom these facts happen, in this order."""
    n = next(numbers)
    person = add_person(f"N{n}", "Soler", None, NOW)
    wanted = service.Wanted(get_tier("basic").id)
    payment = service.open_payment(person, wanted, "test", "en", NOW, clock.day_of(NOW))
    for facts in life:
        own = replace(
            facts, id=f"{facts.id}_{n}", number=payment.number, money=facts.money and of_person(facts.money, n)
        )
        settling.settle_checkout(own, False, NOW + timedelta(days=30))
    db.session.flush()
    story = story_of(person.id)
    without_numbers = [receipt.split()[0][0] + receipt.split()[1] for receipt in story.receipts]
    return replace(story, receipts=without_numbers)


def of_person(it: MoneyFacts, n: int) -> MoneyFacts:
    """The same with ids of its own."""
    return replace(
        it, intent_id=f"{it.intent_id}_{n}", charge_id=it.charge_id and f"{it.charge_id}_{n}",
        refunds=tuple(replace(one, id=f"{one.id}_{n}") for one in it.refunds),
        disputes=tuple(
            replace(one, id=f"{one.id}_{n}", moves=tuple(replace(move, id=f"{move.id}_{n}") for move in one.moves))
            for one in it.disputes
        ),
    )  # fmt: skip


@pytest.fixture
def house(app: Flask) -> Flask:
    add_tier("basic", "Basic", 3000, NOW)
    db.session.commit()
    return app


@given(lives(), st.data())
@STEADY
def test_news_in_any_order_and_number_ends_as_in_the_order_it_happened(
    house: Flask, life: list[CheckoutFacts], data: st.DataObject
) -> None:
    """The provider's object is fetched anew each time, so what was last is heard at last: by the sweep at least."""
    mixed = data.draw(st.lists(st.sampled_from(life), max_size=8))
    once = told(life)
    assert told([one for one in life for _ in range(2)]) == once
    assert told([*life, *mixed]) == once
    some_lost = told([*mixed, life[-1]])
    assert (some_lost.terms, some_lost.status, some_lost.payments) == (once.terms, once.status, once.payments)
    seen = life[-1].money
    if seen is None or all(one.status != "failed" for one in seen.refunds):  # never seen to leave: never here again
        assert Counter(some_lost.ledger) == Counter(once.ledger)
        assert sorted(some_lost.receipts) == sorted(once.receipts)
    assert accounts()["unallocated"] >= 0
    assert_sums()
    db.session.rollback()


def accounts() -> Counter[str]:
    """What stands on each account: debits less credits for what we hold, the other way round for what we owe."""
    balance: Counter[str] = Counter()
    for debit, credit, cents in db.session.execute(
        select(LedgerEntry.debit, LedgerEntry.credit, func.sum(LedgerEntry.amount_cents)).group_by(
            LedgerEntry.debit, LedgerEntry.credit
        )
    ):
        balance[debit] += int(cents)
        balance[credit] -= int(cents)
    for owed in ("fees", "donations", "unallocated"):
        balance[owed] = -balance[owed]
    return balance


def assert_sums() -> None:
    """Gross received = fees + unallocated + refunded; bank, cash and provider hold it less refunds and costs."""
    on = accounts()
    sums: Counter[str] = Counter()
    for movement, cents in db.session.execute(
        select(LedgerEntry.movement, func.sum(LedgerEntry.amount_cents)).group_by(LedgerEntry.movement)
    ):
        sums[movement] = int(cents)
    gross = sums["fee_received"] + sums["excess_received"]
    refunded = sums["refund_paid"] - sums["refund_reversed"]
    assert gross == on["fees"] + on["donations"] + on["unallocated"] + refunded
    costs = sums["provider_fee"] - sums["provider_fee_returned"]
    taken = sums["dispute_withdrawn"] - sums["dispute_reinstated"]
    assert on["bank"] + on["cash"] + on["provider"] == gross - refunded - costs - taken
    assert (on["provider_fees"], on["disputes"]) == (costs, taken)


def test_the_sums_of_the_ledger_are_those_of_its_accounts(house: Flask) -> None:
    paid = checkout("", "complete", money(fee_cents=70, refunds=(refund(1, 1000),)))
    for _ in range(3):
        told([paid])
    told([checkout("", "complete", money(2000, fee_cents=70))])
    db.session.commit()
    whole = ledger.balance_between(NOW.date(), NOW.date(), "EUR")
    on = accounts()
    assert (whole.received_cents, whole.refunded_cents, whole.provider_fee_cents) == (11_000, 3_000, 280)
    assert (whole.fees_cents, whole.unallocated_cents) == (on["fees"], on["unallocated"]) == (6_000, 2_000)
    assert whole.net_cents == on["provider"] == 7_720
    assert_sums()
    assert audit.find_break() is None
