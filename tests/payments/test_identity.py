"""Any order and any repetition of the provider's news ends in the same books, and money adds up to the cent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app import audit, clock
from app.extensions import db
from app.memberships.service import add_tier, get_tier
from app.payments import ledger, service, settling
from app.payments.gateway import CheckoutFacts, RefundFacts
from app.payments.models import LedgerEntry
from app.people.service import add_person
from tests.payments.shop import Story, story_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
numbers = iter(range(1, 1_000_000))
STEADY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@st.composite
def lives(draw: st.DrawFn) -> list[CheckoutFacts]:
    """What the provider would have said of one checkout at each moment of its life, in its own order."""
    asked = draw(st.sampled_from([3000, 3000, 3000, 2999, 5000]))
    facts = CheckoutFacts(
        id="cs_1", number="filled in", status="open", is_paid=False, amount_cents=asked, currency="EUR", is_live=False,
        url=None, payment_intent_id=None, charge_id=None, charge_amount_cents=0, charged_at=None, fee_cents=0,
        has_failed=False, refunds=(),
    )  # fmt: skip
    life = [facts]
    if draw(st.integers(0, 5)) == 0:
        return [*life, replace(facts, status="expired")]
    facts = replace(
        facts, status="complete", is_paid=True, payment_intent_id="pi_1", charge_id="ch_1", charge_amount_cents=asked,
        charged_at=NOW,
    )  # fmt: skip
    life.append(facts)
    facts = replace(facts, fee_cents=70)
    life.append(facts)
    left = asked
    for n in range(draw(st.integers(0, 3))):
        cents = draw(st.sampled_from([left, 1000, 1])) if left else 0
        if not 0 < cents <= left:
            continue
        status = draw(st.sampled_from(["succeeded", "pending"]))
        refund = RefundFacts(f"re_{n}", cents, "EUR", status, NOW + timedelta(days=n + 1))
        facts = replace(facts, refunds=(*facts.refunds, refund))
        life.append(facts)
        left -= cents
        if draw(st.integers(0, 2)) == 0:
            facts = replace(facts, refunds=(*facts.refunds[:-1], replace(refund, status="failed")))
            life.append(facts)
            left += cents
    return life


def told(life: list[CheckoutFacts]) -> Story:
    """The books of somebody new to whom these facts happen, in this order."""
    n = next(numbers)
    person = add_person(f"N{n}", "Soler", None, NOW)
    payment = service.open_payment(person, get_tier("basic"), "test", "en", NOW, clock.day_of(NOW))
    for facts in life:
        own = replace(
            facts, id=f"{facts.id}_{n}", number=payment.number,
            payment_intent_id=facts.payment_intent_id and f"{facts.payment_intent_id}_{n}",
            charge_id=facts.charge_id and f"{facts.charge_id}_{n}",
            refunds=tuple(replace(refund, id=f"{refund.id}_{n}") for refund in facts.refunds),
        )  # fmt: skip
        settling.settle_payment(own, False, NOW + timedelta(days=30))
    db.session.flush()
    story = story_of(person.id)
    without_numbers = [receipt.split()[0][0] + receipt.split()[1] for receipt in story.receipts]
    return replace(story, receipts=without_numbers)


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
    if all(refund.status != "failed" for refund in life[-1].refunds):  # one never seen to leave was never here again
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
    for owed in ("fees", "unallocated"):
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
    assert gross == on["fees"] + on["unallocated"] + refunded
    assert on["bank"] + on["cash"] + on["provider"] == gross - refunded - sums["provider_fee"]
    assert on["provider_fees"] == sums["provider_fee"]


def test_the_sums_of_the_ledger_are_those_of_its_accounts(house: Flask) -> None:
    paid = CheckoutFacts(
        id="cs", number="", status="complete", is_paid=True, amount_cents=3000, currency="EUR", is_live=False, url=None,
        payment_intent_id="pi", charge_id="ch", charge_amount_cents=3000, charged_at=NOW, fee_cents=70,
        has_failed=False, refunds=(RefundFacts("re", 1000, "EUR", "succeeded", NOW),),
    )  # fmt: skip
    for _ in range(3):
        told([paid])
    told([replace(paid, charge_amount_cents=2000, amount_cents=2000, refunds=())])
    db.session.commit()
    whole = ledger.balance_between(NOW.date(), NOW.date(), "EUR")
    on = accounts()
    assert (whole.received_cents, whole.refunded_cents, whole.provider_fee_cents) == (11_000, 3_000, 280)
    assert (whole.fees_cents, whole.unallocated_cents) == (on["fees"], on["unallocated"]) == (6_000, 2_000)
    assert whole.net_cents == on["provider"] == 7_720
    assert_sums()
    assert audit.find_break() is None
