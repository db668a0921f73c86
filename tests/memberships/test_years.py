"""The membership's own year, which limits are counted by: renewals, upgrades, grace, long and short terms."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.memberships.rules import anniversary, own_year
from app.memberships.service import own_year_of
from app.people.models import Person
from tests.memberships.booking import DAY, buy, somebody, take_back, tier, upgrade


@pytest.mark.parametrize(
    ("starts_on", "sold_ends_on", "day", "first", "last"),
    [
        # A year: the first day, the last, and grace.
        ("2026-08-15", "2027-08-14", "2026-08-15", "2026-08-15", "2027-08-14"),
        ("2026-08-15", "2027-08-14", "2027-08-14", "2026-08-15", "2027-08-14"),
        ("2026-08-15", "2027-08-14", "2027-09-13", "2026-08-15", "2027-08-14"),
        # Half a year is one; a year with bonus days is one.
        ("2026-08-15", "2027-02-14", "2027-01-01", "2026-08-15", "2027-02-14"),
        ("2026-08-20", "2027-09-30", "2027-08-19", "2026-08-20", "2027-09-30"),
        ("2026-08-20", "2027-09-30", "2027-09-30", "2026-08-20", "2027-09-30"),
        # Two years are two.
        ("2026-08-15", "2028-08-14", "2027-08-14", "2026-08-15", "2027-08-14"),
        ("2026-08-15", "2028-08-14", "2027-08-15", "2027-08-15", "2028-08-14"),
        ("2026-08-15", "2028-08-14", "2028-09-01", "2027-08-15", "2028-08-14"),
        # 29 February: the year without one turns on 1 March.
        ("2024-02-29", "2025-02-28", "2025-02-28", "2024-02-29", "2025-02-28"),
        ("2024-02-29", "2026-02-28", "2025-02-28", "2024-02-29", "2025-02-28"),
        ("2024-02-29", "2026-02-28", "2025-03-01", "2025-03-01", "2026-02-28"),
        ("2024-02-29", "2028-02-28", "2028-02-28", "2027-03-01", "2028-02-28"),
        # For life it is one year after the other.
        ("2000-05-01", "9999-12-31", "2026-04-30", "2025-05-01", "2026-04-30"),
        ("2000-05-01", "9999-12-31", "2026-05-01", "2026-05-01", "2027-04-30"),
    ],
)
def test_years_turn_on_the_anniversary(starts_on: str, sold_ends_on: str, day: str, first: str, last: str) -> None:
    year = own_year(date.fromisoformat(starts_on), date.fromisoformat(sold_ends_on), date.fromisoformat(day))
    assert year == (date.fromisoformat(first), date.fromisoformat(last))


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(1, 72), st.integers(0, 60), st.data())
def test_the_years_of_a_term_follow_each_other_without_a_gap(start: date, months: int, bonus: int, data: Any) -> None:
    ends_on = anniversary(start, months) - DAY + timedelta(days=bonus)
    day = data.draw(st.dates(start, ends_on))
    first, last = own_year(start, ends_on, day)
    assert start <= first <= day <= last <= ends_on
    assert own_year(start, ends_on, first) == own_year(start, ends_on, last) == (first, last)
    if last < ends_on:
        assert own_year(start, ends_on, last + DAY)[0] == last + DAY
        assert (last - first).days in (363, 364, 365)
    if first > start:
        assert own_year(start, ends_on, first - DAY)[1] == first - DAY


JOINED, END = date(2026, 11, 23), date(2027, 11, 22)
MIDDLE = date(2027, 3, 1)


def year(person: Person, day: date) -> tuple[date, date] | None:
    found = own_year_of(person.id, day)
    return (found.starts_on, found.ends_on) if found else None


def test_nobody_has_a_year_before_the_first_day(house: Flask) -> None:
    nora = somebody()
    buy(nora, tier("basic", 3000), JOINED)
    assert year(nora, JOINED - DAY) is None
    assert year(nora, JOINED) == year(nora, END) == (JOINED, END)


def test_renewing_early_keeps_this_year_to_its_end_and_begins_the_next_after_it(house: Flask) -> None:
    nora, basic = somebody(), tier("basic", 3000)
    buy(nora, basic, JOINED)
    buy(nora, basic, MIDDLE)
    assert year(nora, MIDDLE) == year(nora, END) == (JOINED, END)
    assert year(nora, END + DAY) == (END + DAY, date(2028, 11, 22))


def test_days_of_grace_belong_to_the_year_before_until_somebody_renews(house: Flask) -> None:
    nora, basic = somebody(), tier("basic", 3000)
    buy(nora, basic, JOINED)
    late = END + 10 * DAY
    assert year(nora, late) == (JOINED, END + 30 * DAY)
    buy(nora, basic, late)
    assert year(nora, late) == (END + DAY, date(2028, 11, 22))


def test_an_upgrade_in_the_middle_begins_no_new_year(house: Flask) -> None:
    nora, basic, plus = somebody(), tier("basic", 3000), tier("plus", 5000)
    buy(nora, basic, JOINED)
    higher = upgrade(nora, plus, MIDDLE)
    assert year(nora, MIDDLE - DAY) == year(nora, MIDDLE) == year(nora, END) == (JOINED, END)
    take_back(higher, MIDDLE + 10 * DAY)
    assert year(nora, MIDDLE + 20 * DAY) == (JOINED, END)


def test_an_upgrade_on_the_day_of_joining_is_of_the_same_year(house: Flask) -> None:
    nora, basic, plus = somebody(), tier("basic", 3000), tier("plus", 5000)
    buy(nora, basic, JOINED)
    upgrade(nora, plus, JOINED)
    assert year(nora, JOINED) == (JOINED, END)


def test_an_upgrade_in_the_second_of_two_years_leaves_both_as_they_were(house: Flask) -> None:
    nora, basic, plus = somebody(), tier("basic", 3000, months=24), tier("plus", 5000, months=24)
    buy(nora, basic, JOINED)
    upgrade(nora, plus, date(2028, 3, 1))
    assert year(nora, MIDDLE) == (JOINED, END)
    assert year(nora, date(2028, 2, 1)) == year(nora, date(2028, 4, 1)) == (END + DAY, date(2028, 11, 22))


def test_rejoining_after_grace_begins_a_year_of_its_own(house: Flask) -> None:
    nora, basic = somebody(), tier("basic", 3000)
    buy(nora, basic, JOINED)
    assert year(nora, date(2028, 5, 1)) == (JOINED, END + 30 * DAY)
    buy(nora, basic, date(2028, 5, 1))
    assert year(nora, date(2028, 5, 1)) == (date(2028, 5, 1), date(2029, 4, 30))
