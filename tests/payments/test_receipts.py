"""Receipts are numbered without gaps, whoever settles at the same moment, and are never changed."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.extensions import db
from app.memberships.service import get_tier
from app.payments import manual, receipts, settling
from app.payments.models import Payment, Receipt
from app.payments.receipt_pdf import receipt_pdf
from app.payments.service import Wanted
from app.people.service import add_person, get_person
from tests.cast import Cast, pay
from tests.payments.bought import pay as buy
from tests.payments.shop import Shop
from tests.payments.telling import checkout, dispute, money, refund
from tests.payments.test_receipt_pdf import text_of as pdf_text
from tests.portal.test_states import read
from tests.visitor import Visitor

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


def told_again(payment: Payment, **news: tuple[object, ...]) -> None:
    """What the provider says of a fee that `bought` had paid, with its refunds or disputes of now."""
    number = (payment.stripe_checkout_id or "").rpartition("_")[2]
    paid = money(3000, payment.opened_at, intent_id=f"pi_{number}", charge_id=f"ch_{number}", **news)
    settling.settle_checkout(
        checkout(payment.number, "complete", paid, id=payment.stripe_checkout_id), False, clock.now()
    )
    db.session.flush()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_second_receipt_says_which_refund_failed_on_every_page_that_shows_it(app: Flask, cast: Cast) -> None:
    payment = buy(cast.mallory, Wanted(cast.basic.id))
    first, second = refund(1, 1000), refund(2, 2000)
    told_again(payment, refunds=(first, second))
    told_again(payment, refunds=(first, replace(second, status="failed")))
    told_again(payment, refunds=(first, replace(second, status="failed")))
    numbers = [(it.number, it.amount_cents) for it in receipts.receipts_of(payment.id)]
    year = cast.today.year
    assert numbers[1:] == [(f"R{year}-000002", 1000), (f"R{year}-000003", 2000), (numbers[3][0], 2000)]
    said = f"Issued again: the refund of R{year}-000003 failed."
    assert list(receipts.why_again(payment.id).values()) == [said]
    number = payment.number
    assert said in read(Visitor(app, "mallory@example.org"), "/account/payments")
    assert said in read(Visitor(app, "treasurer@example.org"), f"/treasury/payments/{number}")
    papers = [pdf_text(receipt_pdf(it)) for it in receipts.receipts_of(payment.id)]
    assert [f"What R{year}-000003 took back" in paper for paper in papers] == [False, False, False, True]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_dispute_won_after_all_brings_a_receipt_that_says_so(app: Flask, cast: Cast) -> None:
    payment = buy(cast.mallory, Wanted(cast.basic.id))
    for status in ("open", "lost", "won"):
        told_again(payment, disputes=(dispute(1, 3000, status),))
    rectifying = receipts.receipts_of(payment.id)[1].number
    said = f"Issued again: the dispute of {rectifying} was won after all."
    assert list(receipts.why_again(payment.id).values()) == [said]
    assert receipts.why_again(buy(cast.carol, Wanted(cast.basic.id)).id) == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("then", ["the refund came back first", "the dispute was won first"])
def test_receipts_say_what_stands_whichever_of_a_refund_and_a_dispute_is_undone_first(cast: Cast, then: str) -> None:
    payment = buy(cast.mallory, Wanted(cast.basic.id))
    sent, back = refund(1, 3000), replace(refund(1, 3000), status="failed")
    told_again(payment, refunds=(sent,))
    assert receipts.receipted_cents(payment.id) == 0
    told_again(payment, refunds=(sent,), disputes=(dispute(1, 500, "lost"),))
    assert receipts.receipted_cents(payment.id) == 0
    if then == "the refund came back first":
        told_again(payment, refunds=(back,), disputes=(dispute(1, 500, "lost"),))
        assert receipts.receipted_cents(payment.id) == 2500
    else:
        told_again(payment, refunds=(sent,), disputes=(dispute(1, 500, "won"),))
        assert receipts.receipted_cents(payment.id) == 0
    told_again(payment, refunds=(back,), disputes=(dispute(1, 500, "won"),))
    assert receipts.receipted_cents(payment.id) == 3000
