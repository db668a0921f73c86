"""Receipts are numbered without gaps, whoever settles at the same moment, and are never changed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.extensions import db
from app.memberships.service import get_tier
from app.payments import manual, receipts
from app.payments.models import Receipt
from app.people.service import add_person, get_person
from tests.cast import Cast, pay
from tests.payments.shop import Shop

PEOPLE = 12


def test_parallel_settles_number_receipts_without_a_gap(shop: Shop) -> None:
    with shop.books():
        people = [add_person(f"N{n}", "Soler", None, clock.now()).id for n in range(PEOPLE)]
        db.session.commit()
    problems: list[BaseException] = []

    def settle(person_id: int, fails: bool) -> None:
        try:
            with shop.books():
                manual.record_payment(
                    get_person(person_id), get_tier("basic"), 3000, "cash", shop.today, "test", "en", clock.now(),
                    shop.today,
                )  # fmt: skip
                if fails:
                    db.session.rollback()
                else:
                    db.session.commit()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=settle, args=(person, n % 3 == 2)) for n, person in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    numbers = shop.in_own_words(select(Receipt.n).order_by(Receipt.n))
    assert numbers == list(range(1, PEOPLE * 2 // 3 + 1))


def test_each_year_and_each_series_begins_with_one(cast: Cast) -> None:
    this_year = receipts.find_receipt(pay(cast.carol, cast.basic, cast.today).id)
    assert this_year is not None
    assert this_year.number == f"{cast.today.year}-000005"
    rectifying = db.session.execute(select(Receipt).where(Receipt.series == "R")).scalar_one()  # dan's refund
    assert rectifying.number == f"R{cast.today.year}-000001"
    too_little = pay(cast.mallory, cast.basic, cast.today, cents=1)
    new_year = datetime(cast.today.year + 1, 1, 1, 12, tzinfo=UTC)
    issued = [receipts.issue_receipt(too_little, 3000, new_year, new_year.date()) for _ in range(2)]
    assert [receipt.number for receipt in issued] == [f"{cast.today.year + 1}-000001"] * 2


@pytest.mark.parametrize("statement", ["UPDATE receipt SET amount_cents = 1", "DELETE FROM receipt"])
def test_no_receipt_is_changed_or_deleted(cast: Cast, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))


@pytest.mark.parametrize("statement", ["UPDATE ledger_entry SET amount_cents = 1", "DELETE FROM ledger_entry"])
def test_no_movement_is_changed_or_deleted(cast: Cast, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))
