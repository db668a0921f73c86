"""Whose a day is when days were bought upon each other, pile by pile. No app, no clock."""

from __future__ import annotations

from datetime import date

import pytest

from app.memberships.layers import Days, Layer, lay
from app.memberships.rules import DAY, FOR_LIFE

JOINED, END = date(2027, 1, 1), date(2027, 12, 31)
PLUS, GRAND = date(2027, 3, 1), date(2027, 6, 1)  # upgraded, and once more
GONE = date(2027, 9, 1)


def test_a_term_alone_has_all_its_days() -> None:
    assert lay([Layer(JOINED)], END, []) == [[Days(JOINED, END)]]


def test_an_upgrade_has_the_days_from_its_first_to_the_terms_last() -> None:
    assert lay([Layer(JOINED), Layer(PLUS, 0)], END, []) == [[Days(JOINED, PLUS - DAY)], [Days(PLUS, END)]]


def test_an_upgrade_of_an_upgrade_lies_on_top() -> None:
    assert lay([Layer(JOINED), Layer(PLUS, 0), Layer(GRAND, 1)], END, []) == [
        [Days(JOINED, PLUS - DAY)], [Days(PLUS, GRAND - DAY)], [Days(GRAND, END)],
    ]  # fmt: skip


def test_days_of_an_upgrade_that_nobody_pays_for_any_more_fall_back_to_the_term() -> None:
    assert lay([Layer(JOINED), Layer(PLUS, 0, GONE)], END, []) == [
        [Days(JOINED, PLUS - DAY), Days(GONE, END)], [Days(PLUS, GONE - DAY)],
    ]  # fmt: skip


def test_an_upgrade_that_never_had_a_day_leaves_the_term_in_one_piece() -> None:
    assert lay([Layer(JOINED), Layer(PLUS, 0, PLUS)], END, []) == [[Days(JOINED, END)], []]


def test_a_term_gone_takes_the_upgrades_upon_it_along() -> None:
    assert lay([Layer(JOINED, None, GONE), Layer(PLUS, 0), Layer(GRAND, 1)], END, []) == [
        [Days(JOINED, PLUS - DAY)], [Days(PLUS, GRAND - DAY)], [Days(GRAND, GONE - DAY)],
    ]  # fmt: skip


def test_an_upgrade_gone_takes_only_what_lies_upon_it_along() -> None:
    assert lay([Layer(JOINED), Layer(PLUS, 0, GONE), Layer(GRAND, 1)], END, []) == [
        [Days(JOINED, PLUS - DAY), Days(GONE, END)], [Days(PLUS, GRAND - DAY)], [Days(GRAND, GONE - DAY)],
    ]  # fmt: skip


def test_of_two_upgrades_upon_one_term_the_one_bought_last_has_the_days() -> None:
    one, other = Layer(PLUS, 0), Layer(GRAND, 0)
    assert lay([Layer(JOINED), one, other], END, [])[1:] == [[Days(PLUS, GRAND - DAY)], [Days(GRAND, END)]]
    assert lay([Layer(JOINED), other, one], END, [])[1:] == [[], [Days(PLUS, END)]]


def test_a_term_whose_money_went_back_at_once_has_no_day() -> None:
    assert lay([Layer(JOINED, None, JOINED)], END, []) == [[]]


@pytest.mark.parametrize(
    "starts_on, below, above",
    [
        (END, Days(JOINED, END - DAY), [Days(END, END)]),  # bought for the last day alone
        (END + DAY, Days(JOINED, END), []),
        (JOINED, None, [Days(JOINED, END)]),  # from the term's first day
    ],
)
def test_an_upgrade_on_the_terms_first_or_last_day(starts_on: date, below: Days | None, above: list[Days]) -> None:
    assert lay([Layer(JOINED), Layer(starts_on, 0)], END, []) == [[below] if below else [], above]


@pytest.mark.parametrize(
    "gone_on, days",
    [
        (JOINED + DAY, [Days(JOINED, JOINED)]),
        (END, [Days(JOINED, END - DAY)]),
        (END + DAY, [Days(JOINED, END)]),
    ],
)
def test_the_day_the_money_went_back_is_the_first_without(gone_on: date, days: list[Days]) -> None:
    assert lay([Layer(JOINED, None, gone_on)], END, []) == [days]


@pytest.mark.parametrize(
    "taken, left",
    [
        (Days(PLUS, GRAND), [Days(JOINED, PLUS - DAY), Days(GRAND + DAY, END)]),
        (Days(PLUS, PLUS), [Days(JOINED, PLUS - DAY), Days(PLUS + DAY, END)]),
        (Days(JOINED, PLUS), [Days(PLUS + DAY, END)]),
        (Days(JOINED - 9 * DAY, PLUS), [Days(PLUS + DAY, END)]),
        (Days(JOINED - 9 * DAY, JOINED - DAY), [Days(JOINED, END)]),
        (Days(PLUS, END - DAY), [Days(JOINED, PLUS - DAY), Days(END, END)]),
        (Days(PLUS, END), [Days(JOINED, PLUS - DAY)]),
        (Days(PLUS, END + 9 * DAY), [Days(JOINED, PLUS - DAY)]),
        (Days(END + DAY, END + 9 * DAY), [Days(JOINED, END)]),
        (Days(JOINED, END), []),
    ],
)
def test_days_that_are_somebody_elses_stay_so(taken: Days, left: list[Days]) -> None:
    assert lay([Layer(JOINED)], END, [taken]) == [left]


def test_days_taken_out_of_an_upgrade_do_not_fall_to_the_term_below() -> None:
    assert lay([Layer(JOINED), Layer(PLUS, 0)], END, iter([Days(GRAND, GONE - DAY), Days(GONE + DAY, END)])) == [
        [Days(JOINED, PLUS - DAY)], [Days(PLUS, GRAND - DAY), Days(GONE, GONE)],
    ]  # fmt: skip


def test_days_for_life_can_be_upgraded_and_taken_to_the_last_day_there_is() -> None:
    assert lay([Layer(JOINED), Layer(PLUS, 0)], FOR_LIFE, [Days(GRAND, FOR_LIFE)]) == [
        [Days(JOINED, PLUS - DAY)], [Days(PLUS, GRAND - DAY)],
    ]  # fmt: skip
