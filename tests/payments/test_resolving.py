"""The treasurer's queue: money no rule can place buys days, is kept, goes back, or is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app import audit, clock
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import get_tier, terms_of
from app.payments import ledger, receipts
from app.payments.discrepancies import list_discrepancies
from app.payments.manual import record_payment
from app.payments.models import Discrepancy
from app.payments.resolving import get_open_discrepancy, resolve, ways_to_resolve
from tests.cast import Cast

DAY = timedelta(days=1)


@pytest.fixture
def paid_twice(app: Flask, cast: Cast) -> Discrepancy:
    """Alice has renewed, and her bank pays once more."""
    now, today = clock.now(), clock.today()
    for n in range(2):
        record_payment(cast.alice, get_tier("plus"), 5000, "transfer", today - n * DAY, "test", "en", now, today)
    (entry,) = list_discrepancies()
    return entry


def decide(entry: Discrepancy, resolution: str, note: str = "") -> None:
    resolve(get_open_discrepancy(entry.id), resolution, "account:1", note, clock.now())


def test_money_for_covered_days_may_buy_the_year_after(paid_twice: Discrepancy, cast: Cast) -> None:
    assert ways_to_resolve(paid_twice) == ["allocated", "refunded", "donated", "noted"]
    last = terms_of(cast.alice.id)[-1].ends_on
    decide(paid_twice, "allocated")
    term = terms_of(cast.alice.id)[-1]
    assert (term.starts_on, term.payment_id) == (last + DAY, paid_twice.payment_id)
    balance = ledger.balance_of(paid_twice.payment_id or 0)
    assert (balance.fees_cents, balance.unallocated_cents) == (5000, 0)
    assert receipts.receipted_cents(paid_twice.payment_id or 0) == 5000
    assert list_discrepancies() == [] and audit.find_break() is None


def test_money_may_be_kept_as_a_donation(paid_twice: Discrepancy) -> None:
    decide(paid_twice, "donated")
    balance = ledger.balance_of(paid_twice.payment_id or 0)
    assert (balance.donated_cents, balance.unallocated_cents, balance.fees_cents) == (5000, 0, 0)
    assert list_discrepancies() == []


def test_giving_it_back_asks_for_a_refund_of_just_that(paid_twice: Discrepancy) -> None:
    refund = resolve(get_open_discrepancy(paid_twice.id), "refunded", "account:1", "", clock.now())
    assert refund is not None and (refund.amount_cents, refund.status) == (5000, "requested")


def test_a_note_needs_words(paid_twice: Discrepancy) -> None:
    with pytest.raises(Refusal, match="Write down"):
        decide(paid_twice, "noted", "  ")
    decide(paid_twice, "noted", "Agreed by telephone to keep it for next year.")
    assert list_discrepancies() == []


def test_what_was_resolved_is_not_resolved_again(paid_twice: Discrepancy) -> None:
    decide(paid_twice, "donated")
    with pytest.raises(Refusal, match="resolved already"):
        decide(paid_twice, "allocated")
    assert ledger.balance_of(paid_twice.payment_id or 0).donated_cents == 5000


def test_money_that_came_without_a_payment_of_ours_can_only_be_noted(app: Flask) -> None:
    entry = Discrepancy(reason="unknown_payment", reference="cs_x", amount_cents=3000, currency="EUR",
                        found_at=clock.now())  # fmt: skip
    db.session.add(entry)
    db.session.flush()
    assert ways_to_resolve(entry) == ["noted"]
