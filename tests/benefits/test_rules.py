"""Whose a benefit is, what its uses are counted by, what comes off a price, and what a code looks like."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.benefits.rules import (
    ALPHABET,
    CODE_LENGTH,
    BenefitRules,
    free_place,
    grouped,
    period_of,
    read_code,
    takes_off,
    why_not,
    with_check,
)

PLUS, BASIC = 2, 1
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("status", "tier", "in_grace", "because"),
    [
        ("active", PLUS, True, None),
        ("active", PLUS, False, None),
        ("active", BASIC, True, "other_tier"),
        ("grace", PLUS, True, None),
        ("grace", PLUS, False, "not_in_grace"),
        ("grace", BASIC, True, "other_tier"),
        ("lapsed", PLUS, True, "lapsed"),
        ("suspended", PLUS, True, "suspended"),
        ("none", None, True, "none"),
    ],
)
def test_a_benefit_is_for_members_of_its_tiers(
    status: str, tier: int | None, in_grace: bool, because: str | None
) -> None:
    assert why_not(BenefitRules(frozenset({PLUS}), in_grace), status, tier, NOW, TODAY) == because


def test_a_benefit_of_no_tier_is_nobodys() -> None:
    assert why_not(BenefitRules(frozenset(), True), "active", PLUS, NOW, TODAY) == "other_tier"


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        ({"available_from": TODAY + DAY}, "not_yet"),
        ({"available_from": TODAY}, None),
        ({"available_from": TODAY - DAY}, None),
        ({"available_until": TODAY - DAY}, "over"),
        ({"available_until": TODAY}, None),
        ({"available_until": TODAY + DAY}, None),
        ({"available_from": TODAY, "available_until": TODAY}, None),
        ({"closed_at": NOW - timedelta(seconds=1)}, "closed"),
        ({"closed_at": NOW}, "closed"),
        ({"closed_at": NOW + timedelta(seconds=1)}, None),
    ],
)
def test_a_benefit_is_there_within_its_window_until_it_is_closed(facts: Any, because: str | None) -> None:
    assert why_not(BenefitRules(frozenset({PLUS}), True, **facts), "active", PLUS, NOW, TODAY) == because


def test_what_is_wrong_with_the_membership_is_said_before_what_is_wrong_with_the_benefit() -> None:
    ended = BenefitRules(frozenset(), True, available_until=TODAY - DAY)
    assert [why_not(ended, status, PLUS, NOW, TODAY) for status in ("lapsed", "active")] == ["lapsed", "over"]


@pytest.mark.parametrize(
    ("period", "day", "key", "last"),
    [
        ("day", date(2026, 11, 24), "day:2026-11-24", date(2026, 11, 24)),
        ("day", date(2028, 2, 29), "day:2028-02-29", date(2028, 2, 29)),
        ("month", date(2026, 11, 1), "month:2026-11", date(2026, 11, 30)),
        ("month", date(2026, 11, 30), "month:2026-11", date(2026, 11, 30)),
        ("month", date(2026, 12, 31), "month:2026-12", date(2026, 12, 31)),
        ("month", date(2027, 1, 31), "month:2027-01", date(2027, 1, 31)),
        ("month", date(2027, 2, 28), "month:2027-02", date(2027, 2, 28)),
        ("month", date(2028, 2, 28), "month:2028-02", date(2028, 2, 29)),
        ("month", date(2028, 2, 29), "month:2028-02", date(2028, 2, 29)),
        ("month", date(2028, 3, 1), "month:2028-03", date(2028, 3, 31)),
        ("term", date(2026, 11, 24), "term:2026-08-15", date(2027, 8, 14)),
    ],
)
def test_uses_count_by_day_calendar_month_or_the_memberships_own_year(
    period: str, day: date, key: str, last: date
) -> None:
    found = period_of(period, day, (date(2026, 8, 15), date(2027, 8, 14)))
    assert (found.key, found.last) == (key, last)


def test_a_use_without_any_membership_still_counts_somewhere() -> None:
    assert period_of("term", TODAY, None).key == "term:none"


@pytest.mark.parametrize(
    ("night", "hours"), [(date(2026, 10, 25), 25), (date(2027, 3, 28), 23), (date(2026, 11, 24), 24)]
)
def test_a_day_is_the_associations_also_in_the_nights_when_the_clock_changes(night: date, hours: int) -> None:
    zone = ZoneInfo("Europe/Madrid")
    first = datetime.combine(night, datetime.min.time(), zone).astimezone(UTC)
    last = first + timedelta(hours=hours) - timedelta(microseconds=1)
    keys = {period_of("day", it.astimezone(zone).date(), None).key for it in (first, last)}
    assert keys == {f"day:{night}"}
    for outside in (first - timedelta(microseconds=1), last + timedelta(microseconds=1)):
        assert period_of("day", outside.astimezone(zone).date(), None).key not in keys


DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@given(DAYS, st.sampled_from(["day", "month"]))
def test_a_period_ends_where_the_next_begins(day: date, period: str) -> None:
    found = period_of(period, day, None)
    assert found.last is not None and day <= found.last
    assert period_of(period, found.last, None) == found
    assert period_of(period, found.last + DAY, None).key != found.key


@given(st.integers(1, 30), st.sets(st.integers(1, 60)))
def test_the_place_given_is_free_and_within_the_limit(limit: int, taken: set[int]) -> None:
    place = free_place(limit, taken)
    if place is None:
        assert set(range(1, limit + 1)) <= taken
    else:
        assert 1 <= place <= limit and place not in taken


@pytest.mark.parametrize(
    ("price", "percent", "cents", "off"),
    [
        (30000, 20, None, 6000),
        (999, 10, None, 99),
        (1, 99, None, 0),
        (30000, 100, None, 30000),
        (0, 20, None, 0),
        (30000, None, 6000, 6000),
        (6000, None, 6000, 6000),
        (5999, None, 6000, 5999),
        (30000, None, None, 0),
    ],
)
def test_a_discount_is_rounded_down_and_never_more_than_the_price(
    price: int, percent: int | None, cents: int | None, off: int
) -> None:
    assert takes_off(price, percent, cents) == off


DRAWN = st.text(st.sampled_from(ALPHABET), min_size=CODE_LENGTH - 1, max_size=CODE_LENGTH - 1)


@given(DRAWN)
def test_a_code_reads_back_however_it_is_typed(drawn: str) -> None:
    code = with_check(drawn)
    assert len(code) == CODE_LENGTH and set(code) <= set(ALPHABET)
    for typed in (code, grouped(code), code.lower(), f" {grouped(code).replace('-', ' ')}\n"):
        assert read_code(typed) == code


@given(DRAWN, st.integers(0, CODE_LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_noticed(drawn: str, place: int, sign: str) -> None:
    code = with_check(drawn)
    typed = code[:place] + sign + code[place + 1 :]
    assert read_code(typed) == (code if sign == code[place] else None)


@given(DRAWN, st.integers(0, CODE_LENGTH - 1), st.integers(0, CODE_LENGTH - 1))
def test_two_swapped_signs_are_noticed(drawn: str, one: int, other: int) -> None:
    code = with_check(drawn)
    signs = list(code)
    signs[one], signs[other] = signs[other], signs[one]
    typed = "".join(signs)
    assert read_code(typed) == (code if typed == code else None)


@pytest.mark.parametrize("typed", ["", "-", "ABCD", "A" * 13, "O" * 12, "١" * 12, "\0" * 12, "\ud800" * 12, "ß" * 12])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_code(typed) is None
