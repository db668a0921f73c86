"""RULES, Terms: days by the association's clock, holds, and what money that moves does to days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app import clock
from app.extensions import db
from app.memberships import service
from app.memberships.models import Suspension, Tier
from app.people.models import Person
from tests.memberships.booking import DAY, at, bill, buy, come_back, days, give, somebody, status, take_back, tier

JOINED, END, GRACE_END = date(2026, 11, 23), date(2027, 11, 22), date(2027, 12, 22)


@pytest.fixture
def basic(house: Flask) -> Tier:
    return tier("basic", 3000)


@pytest.fixture
def nora(basic: Tier) -> Person:
    return somebody()


# A member until 23:59:59 local on the last day.


@pytest.mark.parametrize(
    "ends_on, last_moment",
    [
        (date(2027, 11, 22), "2027-11-22T22:59:59"),  # winter: UTC+1
        (date(2027, 7, 9), "2027-07-09T21:59:59"),  # summer: UTC+2
        (date(2026, 3, 28), "2026-03-28T22:59:59"),  # the evening before clocks go forward
        (date(2026, 3, 29), "2026-03-29T21:59:59"),  # the day of 23 hours
        (date(2026, 10, 24), "2026-10-24T21:59:59"),  # the evening before they go back
        (date(2026, 10, 25), "2026-10-25T22:59:59"),  # the day of 25 hours
        (date(2028, 2, 29), "2028-02-29T22:59:59"),
        (date(2026, 12, 31), "2026-12-31T22:59:59"),
    ],
)
def test_a_member_is_one_until_the_last_second_of_the_last_day_where_the_association_is(
    nora: Person, basic: Tier, ends_on: date, last_moment: str
) -> None:
    dates = service.TermDates(ends_on, ends_on, ends_on, ends_on)
    service.grant_term(nora.id, basic, dates, "board", "a day", at(ends_on))
    last = datetime.fromisoformat(last_moment).replace(tzinfo=UTC)
    first_after = last + timedelta(seconds=1)
    answers = [service.standing_of(nora.id, it, clock.day_of(it)).status for it in (last, first_after)]
    assert answers == ["active", "lapsed"]
    assert clock.day_end(ends_on) == first_after


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_year_bought_on_a_night_when_clocks_change_has_whole_days(nora: Person, basic: Tier, night: date) -> None:
    for instant in (at(night), at(night, 23, 59, 59)):
        assert clock.day_of(instant) == night
    buy(nora, basic, night)
    last = date(2027, night.month, night.day) - DAY
    assert [status(nora, day) for day in (night - DAY, night, last, last + DAY)] == [
        "none",
        "active",
        "active",
        "grace",
    ]


def test_a_future_term_begins_by_itself_and_nothing_runs_at_midnight(nora: Person, basic: Tier) -> None:
    starts_on = date(2027, 1, 1)
    service.grant_term(
        nora.id, basic, service.TermDates(starts_on, starts_on, END, END), "board", "a prize", at(JOINED)
    )
    before, after = at(date(2026, 12, 31), 23, 59, 59), at(starts_on, 0, 0, 0)
    assert [service.standing_of(nora.id, it, clock.day_of(it)).status for it in (before, after)] == ["none", "active"]


# Holds: of a term its days only, of a person all of them.


def test_a_dispute_suspends_the_days_its_payment_bought_and_no_others(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    renewal = buy(nora, basic, JOINED)
    opened = at(END - 30 * DAY)
    for _ in range(2):
        service.suspend_days_of_payment(renewal.payment_id or 0, "dispute", opened, opened)
    assert [status(nora, day) for day in (END - 30 * DAY, END, END + DAY)] == ["active", "active", "suspended"]
    assert db.session.query(Suspension).count() == 1
    won = at(END + 9 * DAY)
    for _ in range(2):
        service.lift_suspension_of_payment(renewal.payment_id or 0, "dispute", won, won)
    assert [service.standing_of(nora.id, won + timedelta(seconds=n), END + 9 * DAY).status for n in (-1, 0, 1)] == [
        "suspended", "active", "active",
    ]  # fmt: skip


def test_an_instant_ahead_of_our_clock_holds_and_frees_at_once(nora: Person, basic: Tier) -> None:
    payment_id, now = buy(nora, basic, JOINED).payment_id or 0, at(JOINED)
    service.suspend_days_of_payment(payment_id, "dispute", now + timedelta(minutes=5), now)
    assert service.standing_of(nora.id, now, JOINED).status == "suspended"
    service.lift_suspension_of_payment(payment_id, "dispute", now + timedelta(minutes=9), now)
    assert service.standing_of(nora.id, now, JOINED).status == "active"


def test_a_hold_of_another_cause_outlives_a_dispute(nora: Person, basic: Tier) -> None:
    term = buy(nora, basic, JOINED)
    payment_id, now = term.payment_id or 0, at(JOINED)
    for cause in ("dispute", "inquiry"):
        service.suspend_days_of_payment(payment_id, cause, now, now)
    service.lift_suspension_of_payment(payment_id, "dispute", now, now)
    assert status(nora, JOINED) == "suspended"
    service.lift_suspension_of_payment(payment_id, "inquiry", now - timedelta(days=1), now)  # told of an earlier end
    assert status(nora, JOINED) == "active"


def test_staff_hold_a_person_and_release_them_once_each(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    buy(nora, basic, JOINED)
    held, released = at(JOINED, 10), at(JOINED, 11)
    assert [service.hold_person(nora, "a letter came back", "desk", held) for _ in range(2)] == [True, False]
    assert service.is_on_hold(nora.id)
    assert [service.standing_of(nora.id, held, day).status for day in (JOINED - DAY, JOINED, END + DAY)] == [
        "none", "suspended", "suspended",
    ]  # fmt: skip
    assert [service.release_person(nora, "desk", released) for _ in range(2)] == [True, False]
    assert service.standing_of(nora.id, released, JOINED).status == "active"
    assert service.standing_of(nora.id, held, JOINED).status == "suspended"


def test_releasing_a_person_leaves_a_disputed_payments_days_on_hold(nora: Person, basic: Tier) -> None:
    term = buy(nora, basic, JOINED)
    service.suspend_days_of_payment(term.payment_id or 0, "dispute", at(JOINED), at(JOINED))
    service.hold_person(nora, "a letter came back", "desk", at(JOINED))
    service.release_person(nora, "desk", at(JOINED))
    assert status(nora, JOINED) == "suspended"


# Money moves membership.


@pytest.mark.parametrize("because", ["refunded", "withdrawn", "dispute_lost"])
@pytest.mark.parametrize(
    "on, kept",
    [
        (JOINED - DAY, []),
        (JOINED, []),
        (JOINED + DAY, [("basic", "2026-11-23", "2026-11-23")]),
        (date(2027, 3, 28), [("basic", "2026-11-23", "2027-03-27")]),
        (date(2027, 1, 1), [("basic", "2026-11-23", "2026-12-31")]),
        (END, [("basic", "2026-11-23", "2027-11-21")]),
        (END + DAY, [("basic", "2026-11-23", "2027-11-22")]),
    ],
)
def test_money_that_went_back_leaves_the_days_before_it_without_grace(
    nora: Person, basic: Tier, because: str, on: date, kept: list[tuple[str, str, str]]
) -> None:
    term = buy(nora, basic, JOINED)
    for day in (on, on + 5 * DAY):  # told again later: the first day counts
        assert take_back(term, day, because) == []
    assert days(nora) == kept
    assert (term.ended_because, term.grace_ends_on) == (because, term.ends_on)
    assert [status(nora, day) for day in (max(on, JOINED), max(on, JOINED) + DAY)] == (
        ["lapsed"] if kept else ["none"]
    ) * 2
    assert come_back(term, on + 9 * DAY) is True
    assert days(nora) == [("basic", "2026-11-23", "2027-11-22")]
    assert [status(nora, day) for day in (END, END + DAY, GRACE_END, GRACE_END + DAY)] == [
        "active", "grace", "grace", "lapsed",
    ]  # fmt: skip


def test_a_refund_of_next_year_leaves_this_year_and_its_grace(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    take_back(buy(nora, basic, JOINED), END - DAY)
    assert days(nora) == [("basic", "2026-11-23", "2027-11-22")]
    assert status(nora, GRACE_END) == "grace"


def test_a_refund_of_this_year_leaves_next_year(nora: Person, basic: Tier) -> None:
    this = buy(nora, basic, JOINED)
    buy(nora, basic, JOINED)
    take_back(this, END - 9 * DAY)
    assert [status(nora, END + n * DAY) for n in (-10, -9, 0, 1)] == ["active", "lapsed", "lapsed", "active"]


def test_a_second_payment_for_covered_days_buys_no_extra_year(nora: Person, basic: Tier) -> None:
    offered = service.offer_for(nora.id, basic, at(JOINED), JOINED)
    first = bill(nora, basic, offered, JOINED)
    second = bill(nora, basic, offered, JOINED)
    sold = [service.sell_term(nora.id, basic, it.id, offered.offer, JOINED, at(JOINED)) for it in (first, second)]
    assert (sold[0] is not None, sold[1]) == (True, None)
    assert (
        service.end_terms_of_payment(second.id, "refunded", at(JOINED), JOINED) == []
    )  # refunding it leaves the other
    assert service.restore_terms_of_payment(second.id, at(JOINED), JOINED) is True
    assert days(nora) == [("basic", "2026-11-23", "2027-11-22")]


def test_bought_again_since_the_days_do_not_come_back_twice(nora: Person, basic: Tier) -> None:
    lost = buy(nora, basic, JOINED)
    take_back(lost, date(2027, 3, 1))
    buy(nora, basic, date(2027, 3, 6))
    assert come_back(lost, date(2027, 3, 20)) is False
    assert days(nora) == [("basic", "2026-11-23", "2027-03-05"), ("basic", "2027-03-06", "2028-03-05")]
    assert lost.ended_because == "days_taken"


def test_what_a_partial_refund_leaves_alone_stays(nora: Person, basic: Tier) -> None:
    """Ending is asked for only when nothing of a payment is left; restoring what never ended changes nothing."""
    term = buy(nora, basic, JOINED)
    assert come_back(term, JOINED + DAY) is True
    assert (term.ends_on, term.ended_because) == (END, None)


def test_a_term_is_found_by_its_payment_and_one_without_a_term_changes_nothing(nora: Person, basic: Tier) -> None:
    term = buy(nora, basic, JOINED)
    assert service.find_term_of_payment(term.payment_id or 0) is term
    assert service.find_term_of_payment(999_999) is None
    assert service.end_terms_of_payment(999_999, "refunded", at(JOINED), JOINED) == []
    assert service.restore_terms_of_payment(999_999, at(JOINED), JOINED) is True


def test_a_term_is_continued_once_by_one_row(nora: Person, basic: Tier) -> None:
    """The database refuses a second continuation of the same row."""
    gift = give(somebody("Giver"), nora, basic, JOINED)
    values = {
        column.name: getattr(gift, column.name) for column in gift.__table__.columns if column.name != "id"
    } | {"ends_on": gift.starts_on - DAY, "grace_ends_on": gift.starts_on - DAY, "continues_id": gift.id}  # fmt: skip
    db.session.add(type(gift)(**values))
    db.session.flush()
    db.session.add(type(gift)(**values))
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()


@pytest.mark.parametrize(
    "code", ["refunded", "withdrawn", "dispute_lost", "upgraded", "base_ended", "days_taken", "merge"]
)
def test_every_reason_for_an_early_end_has_words(house: Flask, code: str) -> None:
    word = service.ended_word(code)
    assert word and word != code and word[0].isupper()
    assert service.ended_word(None) is None
