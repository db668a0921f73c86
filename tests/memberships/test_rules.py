"""RULES of terms and offers, sentence by sentence: the day before, the day of, the day after. No app, no clock."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.memberships.rules import (
    NEVER,
    AlreadyRenewed,
    HeldTerm,
    Offer,
    Standing,
    TermDates,
    TierRules,
    anniversary,
    cut,
    first_term,
    following_term,
    grace_end,
    has_graduated_within,
    is_covered,
    make_offer,
    months_since,
    standing,
)

YEAR = TierRules(months=12, grace_days=30)
OCTOBER = TierRules(months=12, grace_days=30, fixed_start=(10, 1), bonus_days=60)
DAY = timedelta(days=1)
JOINED = date(2026, 11, 23)
END = date(2027, 11, 22)
GRACE_END = date(2027, 12, 22)


def held(dates: TermDates, tier_id: int = 1, suspended: bool = False) -> HeldTerm:
    return HeldTerm(tier_id, dates.anchor_on, dates.starts_on, dates.ends_on, dates.grace_ends_on, suspended)


def run(starts_on: date, ends_on: date, grace_ends_on: date | None = None, tier_id: int = 1) -> HeldTerm:
    return HeldTerm(tier_id, starts_on, starts_on, ends_on, grace_ends_on or ends_on)


ALICE = held(first_term(JOINED, YEAR))


# A term is a run of days, both included.


@pytest.mark.parametrize(
    "day, status",
    [
        (JOINED - DAY, "none"),
        (JOINED, "active"),
        (JOINED + DAY, "active"),
        (END - DAY, "active"),
        (END, "active"),
        (END + DAY, "grace"),
        (GRACE_END - DAY, "grace"),
        (GRACE_END, "grace"),
        (GRACE_END + DAY, "lapsed"),
        (date(2090, 1, 1), "lapsed"),
    ],
)
def test_status_on_the_day_before_of_and_after_each_end(day: date, status: str) -> None:
    assert standing([ALICE], day).status == status


def test_a_lapsed_member_has_the_tier_and_the_days_of_the_last_term() -> None:
    last = held(first_term(date(2030, 1, 1), YEAR), tier_id=2)
    assert standing([ALICE, last], date(2032, 1, 1)) == Standing(
        "lapsed", 2, date(2030, 1, 1), date(2030, 12, 31), date(2031, 1, 30)
    )


def test_without_grace_days_the_day_after_the_end_is_lapsed() -> None:
    term = held(first_term(JOINED, TierRules(months=12, grace_days=0)))
    assert [standing([term], END + n * DAY).status for n in (0, 1)] == ["active", "lapsed"]


def test_who_never_had_a_day_is_none() -> None:
    assert standing([], JOINED) == NEVER


# Ends are computed from the anchor: a chain keeps its day.


def chain(anchor_on: date, terms: int, tier: TierRules = YEAR) -> list[TermDates]:
    dates = [first_term(anchor_on, tier)]
    while len(dates) < terms:
        dates.append(following_term(dates[-1].anchor_on, dates[-1].ends_on, tier))
    return dates


@pytest.mark.parametrize(
    "anchor_on, ends",
    [
        (date(2024, 2, 29), ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-28", "2029-02-28"]),
        (date(2023, 8, 31), ["2024-08-30", "2025-08-30", "2026-08-30"]),
        (date(2026, 11, 23), ["2027-11-22", "2028-11-22", "2029-11-22"]),
        (date(2026, 1, 1), ["2026-12-31", "2027-12-31", "2028-12-31"]),
        (date(2025, 12, 31), ["2026-12-30", "2027-12-30"]),
        (date(2027, 2, 28), ["2028-02-27", "2029-02-27"]),
        (date(2027, 3, 1), ["2028-02-29", "2029-02-28"]),
    ],
)
def test_a_chain_keeps_its_day_year_by_year(anchor_on: date, ends: list[str]) -> None:
    dates = chain(anchor_on, len(ends))
    assert [d.ends_on.isoformat() for d in dates] == ends
    assert {d.anchor_on for d in dates} == {anchor_on}


def test_a_chain_of_a_29_february_comes_back_to_its_day() -> None:
    assert chain(date(2024, 2, 29), 5)[4].starts_on == date(2028, 2, 29)


def test_a_month_without_the_day_takes_the_first_of_the_next_month_and_the_chain_its_day_again() -> None:
    monthly = TierRules(months=1, grace_days=0)
    starts = [d.starts_on.isoformat() for d in chain(date(2026, 12, 31), 5, monthly)]
    assert starts == ["2026-12-31", "2027-01-31", "2027-03-01", "2027-03-31", "2027-05-01"]


@pytest.mark.parametrize(
    "anchor_on, months, day",
    [
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-11-23", 1, "2026-12-23"),
        ("2026-11-23", 2, "2027-01-23"),
        ("2026-11-23", -12, "2025-11-23"),
        ("2026-01-31", 1, "2026-03-01"),
        ("2024-01-31", 1, "2024-03-01"),
        ("2024-01-29", 1, "2024-02-29"),
        ("2026-01-29", 1, "2026-03-01"),
        ("2026-08-31", 1, "2026-10-01"),
        ("2026-10-31", 14, "2027-12-31"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2000-02-29", 1200, "2100-03-01"),
    ],
)
def test_an_anniversary_is_whole_months_after_the_anchor(anchor_on: str, months: int, day: str) -> None:
    assert anniversary(date.fromisoformat(anchor_on), months) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "day, months",
    [
        (JOINED - DAY, None),
        (JOINED, 0),  # the day itself is one
        (JOINED + DAY, None),
        (date(2026, 12, 22), None),
        (date(2026, 12, 23), 1),
        (END, None),
        (END + DAY, 12),
        (date(2025, 11, 23), None),  # before it there is none
    ],
)
def test_a_day_is_an_anniversary_or_is_not(day: date, months: int | None) -> None:
    assert months_since(JOINED, day) == months


@pytest.mark.parametrize("day, months", [(date(2026, 3, 1), 1), (date(2026, 2, 28), None), (date(2026, 3, 31), 2)])
def test_the_first_of_a_month_stands_for_the_day_that_the_month_before_lacks(day: date, months: int | None) -> None:
    assert months_since(date(2026, 1, 31), day) == months


# Fixed years.


@pytest.mark.parametrize(
    "joined, ends_on",
    [
        ("2026-10-01", "2027-09-30"),  # the first day of a year is a whole year
        ("2026-10-02", "2027-09-30"),
        ("2027-01-15", "2027-09-30"),
        ("2027-08-01", "2027-09-30"),  # 61 days before the next year: none of the bonus days
        ("2027-08-02", "2028-09-30"),  # 60 days before: the first of them
        ("2027-09-30", "2028-09-30"),  # the last of them
    ],
)
def test_who_joins_within_the_bonus_days_of_a_fixed_year_gets_the_next_one_too(joined: str, ends_on: str) -> None:
    dates = first_term(date.fromisoformat(joined), OCTOBER)
    assert dates.ends_on == date.fromisoformat(ends_on)
    assert dates.grace_ends_on == dates.ends_on + 30 * DAY


def test_a_fixed_year_without_bonus_days_ends_at_its_end() -> None:
    tier = TierRules(months=12, grace_days=30, fixed_start=(10, 1))
    assert first_term(date(2027, 9, 30), tier).ends_on == date(2027, 9, 30)


def test_renewing_a_fixed_year_gives_one_whole_year_and_no_bonus() -> None:
    dates = following_term(date(2026, 11, 23), date(2027, 9, 30), OCTOBER)
    assert (dates.starts_on, dates.ends_on) == (date(2027, 10, 1), date(2028, 9, 30))


def test_renewing_from_an_odd_day_into_a_fixed_year_ends_with_that_year_without_bonus() -> None:
    dates = following_term(date(2026, 9, 10), date(2027, 9, 9), OCTOBER)
    assert (dates.starts_on, dates.ends_on) == (date(2027, 9, 10), date(2027, 9, 30))


# Offers.


@pytest.mark.parametrize(
    "today, kind, starts_on, ends_on",
    [
        (date(2027, 6, 1), "renew", END + DAY, "2028-11-22"),  # early
        (END - DAY, "renew", END + DAY, "2028-11-22"),
        (END, "renew", END + DAY, "2028-11-22"),  # on the last day
        (END + DAY, "renew", END + DAY, "2028-11-22"),  # in grace: no free days, no lost anniversary
        (GRACE_END, "renew", END + DAY, "2028-11-22"),
        (GRACE_END + DAY, "rejoin", GRACE_END + DAY, "2028-12-22"),  # after grace: today, a new anchor
        (date(2029, 2, 28), "rejoin", date(2029, 2, 28), "2030-02-27"),
    ],
)
def test_what_is_offered_before_on_and_after_the_ends(today: date, kind: str, starts_on: date, ends_on: str) -> None:
    offer = make_offer([ALICE], YEAR, today)
    assert (offer.kind, offer.dates.starts_on, offer.dates.ends_on) == (kind, starts_on, date.fromisoformat(ends_on))
    assert offer.dates.anchor_on == (JOINED if kind == "renew" else starts_on)


def test_joining_starts_today_and_the_offer_holds_thirty_days() -> None:
    assert make_offer([], YEAR, JOINED) == Offer(
        "join", TermDates(JOINED, JOINED, END, GRACE_END), JOINED + timedelta(days=30)
    )


def test_rejoining_leaves_the_gap_visible() -> None:
    again = make_offer([ALICE], YEAR, date(2028, 3, 1)).dates
    both = [ALICE, held(again)]
    assert standing(both, date(2028, 2, 29)).status == "lapsed"
    assert standing(both, date(2028, 3, 1)).status == "active"
    assert standing(both, END).valid_until == END


@pytest.mark.parametrize("today", [JOINED, END, END + DAY - DAY])
def test_nothing_more_is_sold_while_a_term_lies_wholly_in_the_future(today: date) -> None:
    renewal = held(following_term(JOINED, END, YEAR))
    with pytest.raises(AlreadyRenewed):
        make_offer([ALICE, renewal], YEAR, today)


def test_a_renewal_is_sold_again_from_the_first_day_of_the_term_that_was_the_future() -> None:
    renewal = held(following_term(JOINED, END, YEAR))
    assert make_offer([ALICE, renewal], YEAR, END + DAY).dates.starts_on == renewal.ends_on + DAY


def test_nothing_is_sold_to_a_member_for_life() -> None:
    for_life = run(JOINED, date.max, date.max)
    assert standing([for_life], date(9999, 12, 31)).status == "active"
    with pytest.raises(AlreadyRenewed):
        make_offer([for_life], YEAR, END)


def test_an_emptied_future_term_does_not_stop_a_renewal() -> None:
    emptied = run(END + DAY, END)
    assert make_offer([ALICE, emptied], YEAR, END).dates.starts_on == END + DAY


def test_a_renewal_cut_by_a_refund_is_not_followed_by_the_grace_of_the_year_before() -> None:
    """Without grace: the older term's grace had ended with the term that followed it."""
    renewal = run(END + DAY, END + 9 * DAY)
    assert standing([ALICE, renewal], END + 9 * DAY).status == "active"
    after = standing([ALICE, renewal], END + 10 * DAY)
    assert (after.status, after.valid_until) == ("lapsed", END + 9 * DAY)
    offer = make_offer([ALICE, renewal], YEAR, END + 10 * DAY)
    assert (offer.kind, offer.dates.starts_on) == ("rejoin", END + 10 * DAY)


def test_a_renewal_emptied_before_it_began_leaves_the_grace_of_the_year_before() -> None:
    assert standing([ALICE, run(END + DAY, END)], END + 5 * DAY).status == "grace"


def test_after_a_term_cut_short_a_renewal_begins_a_new_chain() -> None:
    cut_short = HeldTerm(1, JOINED, JOINED, date(2027, 3, 9), date(2027, 4, 9))
    dates = make_offer([cut_short], YEAR, date(2027, 3, 20)).dates
    assert (dates.anchor_on, dates.starts_on, dates.ends_on) == (date(2027, 3, 10), date(2027, 3, 10), date(2028, 3, 9))


@pytest.mark.parametrize(
    "years, today, within",
    [
        ([2024], date(2026, 12, 31), True),  # the whole of the last calendar year counts
        ([2024], date(2027, 1, 1), False),
        ([2024], date(2024, 1, 1), True),
        ([2024], date(2023, 12, 31), False),  # has yet to graduate
        ([1998, None, 2025], date(2026, 11, 23), True),  # one of them is enough
        ([1998, None], date(2026, 11, 23), False),
        ([], date(2026, 11, 23), False),
    ],
)
def test_who_graduated_within_two_years(years: list[int | None], today: date, within: bool) -> None:
    assert has_graduated_within(years, 2, today) is within


# Status from all terms; valid_until over a run; suspensions.


def test_valid_until_is_the_last_day_of_the_unbroken_run_and_tier_is_todays() -> None:
    plus = held(following_term(JOINED, END, YEAR), tier_id=2)
    assert standing([plus, ALICE], END) == Standing("active", 1, JOINED, date(2028, 11, 22), date(2028, 12, 22))
    assert standing([plus, ALICE], END + DAY).tier_id == 2


def test_a_run_is_broken_by_a_single_day() -> None:
    later = run(END + 2 * DAY, END + 100 * DAY)
    assert standing([ALICE, later], END).valid_until == END
    assert standing([ALICE, later], END + DAY).status == "grace"


def test_an_early_renewer_stays_active() -> None:
    renewal = held(following_term(JOINED, END, YEAR))
    assert standing([ALICE, renewal], date(2027, 1, 1)).status == "active"


def test_a_future_term_becomes_active_by_itself() -> None:
    future = run(date(2027, 1, 1), date(2027, 12, 31))
    assert [standing([future], day).status for day in (date(2026, 12, 31), date(2027, 1, 1))] == ["none", "active"]


@pytest.mark.parametrize(
    "day, status",
    [
        (JOINED - DAY, "none"),
        (JOINED, "suspended"),
        (END, "suspended"),
        (GRACE_END, "suspended"),
        (GRACE_END + DAY, "lapsed"),
    ],
)
def test_a_hold_suspends_inside_a_term_and_its_grace_only(day: date, status: str) -> None:
    on_hold = held(first_term(JOINED, YEAR), suspended=True)
    it = standing([on_hold], day)
    assert (it.status, it.is_valid) == (status, False)


def test_a_hold_of_one_term_suspends_no_other() -> None:
    on_hold = held(first_term(JOINED, YEAR), suspended=True)
    renewal = held(following_term(JOINED, END, YEAR))
    assert [standing([on_hold, renewal], END + n * DAY).status for n in (0, 1)] == ["suspended", "active"]


def test_an_emptied_term_is_no_membership() -> None:
    emptied = run(JOINED, JOINED - DAY)
    assert emptied.is_empty
    assert [standing([emptied], JOINED + n * DAY).status for n in (-1, 0, 1)] == ["none"] * 3
    assert make_offer([emptied], YEAR, JOINED).kind == "join"


@pytest.mark.parametrize("status, valid", [("active", True), ("grace", True), ("lapsed", False), ("none", False)])
def test_valid_is_active_and_grace(status: str, valid: bool) -> None:
    assert Standing(status, 1, JOINED, END, GRACE_END).is_valid is valid  # type: ignore[arg-type]


# A refund keeps the days before it.


@pytest.mark.parametrize(
    "today, ends_on",
    [
        (JOINED - DAY, JOINED - DAY),  # before it began: emptied
        (JOINED, JOINED - DAY),  # on the first day: emptied
        (JOINED + DAY, JOINED),
        (END, END - DAY),
        (END + DAY, END),
        (GRACE_END, END),
    ],
)
def test_a_refund_keeps_only_the_days_before_it(today: date, ends_on: date) -> None:
    assert cut(JOINED, END, today) == ends_on


@pytest.mark.parametrize(
    "starts_on, ends_on, covered",
    [
        (END + DAY, END + 30 * DAY, False),
        (END, END + 30 * DAY, True),
        (JOINED - 30 * DAY, JOINED - DAY, False),
        (JOINED - 30 * DAY, JOINED, True),
        (JOINED + DAY, END - DAY, True),
        (JOINED - DAY, END + DAY, True),
    ],
)
def test_days_are_covered_when_one_of_them_is_somebodys(starts_on: date, ends_on: date, covered: bool) -> None:
    assert is_covered([ALICE], starts_on, ends_on) is covered
    assert not is_covered([run(JOINED, JOINED - DAY)], starts_on, ends_on)


# Properties.

days = st.dates(date(2000, 1, 1), date(2090, 12, 31))
tiers = st.builds(TierRules, months=st.integers(1, 36), grace_days=st.integers(0, 120)) | st.builds(
    TierRules,
    months=st.just(12),
    grace_days=st.integers(0, 120),
    fixed_start=st.tuples(st.integers(1, 12), st.integers(1, 28)),
    bonus_days=st.integers(0, 366),
)


@given(days, st.integers(-600, 600))
def test_an_anniversary_has_the_anchors_day_or_is_the_first_of_a_month(anchor_on: date, months: int) -> None:
    day = anniversary(anchor_on, months)
    assert day.day in (anchor_on.day, 1)
    assert 0 <= (day.year - anchor_on.year) * 12 + day.month - anchor_on.month - months <= (day.day != anchor_on.day)


@given(days, st.integers(0, 600))
def test_every_anniversary_is_known_as_one(anchor_on: date, months: int) -> None:
    assert months_since(anchor_on, anniversary(anchor_on, months)) == months


@given(days, st.integers(1, 36), st.integers(1, 12))
def test_a_chain_keeps_its_day_however_it_is_cut_into_terms(anchor_on: date, months: int, terms: int) -> None:
    dates = chain(anchor_on, terms, TierRules(months=months, grace_days=0))
    assert dates[-1].ends_on == anniversary(anchor_on, months * terms) - DAY
    for earlier, later in zip(dates, dates[1:], strict=False):
        assert later.starts_on == earlier.ends_on + DAY


@given(days, tiers)
def test_joining_covers_today_and_grace_follows_the_end(today: date, tier: TierRules) -> None:
    dates = first_term(today, tier)
    assert dates.anchor_on == dates.starts_on == today <= dates.ends_on
    assert dates.grace_ends_on == grace_end(dates.ends_on, tier) == dates.ends_on + tier.grace_days * DAY


@given(days, tiers, st.data())
def test_renewing_on_any_day_of_the_run_or_its_grace_gives_the_same_days(
    joined: date, tier: TierRules, data: st.DataObject
) -> None:
    term = held(first_term(joined, tier))
    today = data.draw(st.dates(joined, term.grace_ends_on))
    offer = make_offer([term], tier, today)
    assert (offer.kind, offer.dates) == ("renew", following_term(term.anchor_on, term.ends_on, tier))


@st.composite
def histories(draw: st.DrawFn) -> list[HeldTerm]:
    """A life of joins, renewals, gaps and refunds, as the rules write it."""
    terms: list[HeldTerm] = []
    today = draw(days)
    for _ in range(draw(st.integers(1, 8))):
        today += timedelta(days=draw(st.integers(0, 500)))
        tier = draw(tiers)
        if terms and draw(st.integers(0, 4)) == 0:  # money went back
            n = draw(st.integers(0, len(terms) - 1))
            it = terms[n]
            ends_on = cut(it.starts_on, it.ends_on, today)
            terms[n] = HeldTerm(it.tier_id, it.anchor_on, it.starts_on, ends_on, ends_on, it.suspended)
        try:
            offer = make_offer(terms, tier, today)
        except AlreadyRenewed:
            continue
        if not is_covered(terms, offer.dates.starts_on, offer.dates.ends_on):
            terms.append(held(offer.dates, len(terms) + 1, draw(st.integers(0, 9)) == 0))
    return terms


@given(histories())
def test_terms_of_one_person_never_overlap(terms: list[HeldTerm]) -> None:
    real = sorted((t for t in terms if not t.is_empty), key=lambda t: t.starts_on)
    for earlier, later in zip(real, real[1:], strict=False):
        assert earlier.ends_on < later.starts_on


@given(histories())
def test_what_is_offered_is_never_covered(terms: list[HeldTerm]) -> None:
    today = max(t.starts_on for t in terms)
    try:
        offer = make_offer(terms, YEAR, today)
    except AlreadyRenewed:
        return
    assert not is_covered(terms, offer.dates.starts_on, offer.dates.ends_on)


@given(days, st.integers(0, 800), st.integers(-900, 900))
def test_a_cut_never_lengthens_and_empties_at_most(starts_on: date, length: int, after: int) -> None:
    ends_on, today = starts_on + length * DAY, starts_on + after * DAY
    left = cut(starts_on, ends_on, today)
    assert starts_on - DAY <= left <= ends_on
    assert left < today or left == starts_on - DAY
    assert cut(starts_on, left, today) == left


def naive(terms: list[HeldTerm], today: date) -> tuple[str, int | None, date | None]:
    """The same by walking the calendar day by day: status, tier, last day of the run."""
    owner = {
        t.starts_on + n * DAY: t for t in terms if not t.is_empty for n in range((t.ends_on - t.starts_on).days + 1)
    }
    current = owner.get(today)
    status = "active"
    if current is None:
        before = [day for day in owner if day < today]
        if not before:
            return "none", None, None
        current = owner[max(before)]
        if today > current.grace_ends_on:
            return "lapsed", current.tier_id, current.ends_on
        status = "grace"
    last = current.ends_on
    while last + DAY in owner:
        last += DAY
    return ("suspended" if current.suspended else status), current.tier_id, last


@given(histories(), st.data())
def test_standing_agrees_with_a_calendar_walked_day_by_day(terms: list[HeldTerm], data: st.DataObject) -> None:
    edges = [t.starts_on for t in terms] + [t.ends_on for t in terms] + [t.grace_ends_on for t in terms]
    today = data.draw(st.sampled_from(edges)) + data.draw(st.integers(-1, 1)) * DAY
    assume(today > date(1999, 1, 1))
    it = standing(terms, today)
    assert (it.status, it.tier_id, it.valid_until) == naive(terms, today)
