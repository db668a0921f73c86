"""RULES, Reminders: offsets per tier, one of each kind per term, catching up with what is still true."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refusal
from app.memberships import service
from app.memberships.grants import CARRIED_OVER
from app.memberships.models import Term, Tier
from app.memberships.reminders import choose_kind
from app.memberships.tiers import read_offsets
from app.people.models import Person
from tests.memberships.booking import DAY, at, buy, somebody, take_back, tier, upgrade

JOINED, END = date(2026, 11, 23), date(2027, 11, 22)
USUAL = (-30, -7, 0, 15)


@pytest.fixture
def basic(house: Flask) -> Tier:
    return tier("basic", 3000)


@pytest.fixture
def nora(basic: Tier) -> Person:
    return somebody()


def due(on: date) -> list[tuple[int, tuple[int, ...]]]:
    return [(it.kind, it.skipped_kinds) for it in service.due_reminders(at(on), on)]


def remind(on: date) -> list[int]:
    """What a worker does: send what is due, note it and what it stands for."""
    sent = []
    for it in service.due_reminders(at(on), on):
        for kind in it.skipped_kinds:
            assert service.note_reminder(it.term_id, kind, "skipped", at(on))
        assert service.note_reminder(it.term_id, it.kind, "sent", at(on))
        sent.append(it.kind)
    return sent


# The pure rule.


@pytest.mark.parametrize(
    "days_after_end, kind",
    [
        (-31, None), (-30, -30), (-29, -30), (-8, -30), (-7, -7), (-6, -7), (-1, -7), (0, 0), (1, 0), (7, 0),
        (8, None), (14, None), (15, 15), (16, 15), (22, 15), (23, None), (400, None),
    ],
)  # fmt: skip
def test_the_latest_reminder_whose_day_has_come_is_due_while_it_is_true(days_after_end: int, kind: int | None) -> None:
    chosen = choose_kind(USUAL, END, JOINED, [], END + days_after_end * DAY)
    assert (chosen[0] if chosen else None) == kind


@pytest.mark.parametrize(
    "noted, today, chosen",
    [
        ([], END, (0, (-30, -7))),  # a worker that was off: no burst
        ([-30], END, (0, (-7,))),
        ([-30, -7], END, (0, ())),
        ([0], END, None),
        ([0], END + 3 * DAY, None),  # the older ones are never sent after a later one
        ([-30], END - 7 * DAY, (-7, ())),
    ],
)
def test_older_ones_are_skipped_and_none_is_sent_twice(
    noted: list[int], today: date, chosen: tuple[int, tuple[int, ...]] | None
) -> None:
    assert choose_kind(USUAL, END, JOINED, noted, today) == chosen


@pytest.mark.parametrize(
    "sold_on, today, kind",
    [
        (END - 31 * DAY, END - 30 * DAY, -30),
        (END - 30 * DAY, END - 30 * DAY, None),  # bought on that very day: they know
        (END - 29 * DAY, END - 29 * DAY, None),
        (END - 29 * DAY, END - 7 * DAY, -7),
        (END + 3 * DAY, END + 3 * DAY, None),
    ],
)
def test_what_was_due_before_the_term_was_sold_is_not_sent(sold_on: date, today: date, kind: int | None) -> None:
    chosen = choose_kind(USUAL, END, sold_on, [], today)
    assert (chosen[0] if chosen else None) == kind


@given(
    st.sets(st.integers(-60, 60), max_size=6),
    st.sets(st.integers(0, 500)),
    st.dates(date(2024, 2, 1), date(2024, 3, 5)),
)
def test_whatever_days_the_worker_works_each_kind_is_sent_once_in_order(
    offsets: set[int], working: set[int], ends_on: date
) -> None:
    noted: dict[int, str] = {}
    sent: list[int] = []
    start = ends_on - timedelta(days=100)
    for n in sorted(working):
        chosen = choose_kind(offsets, ends_on, start, noted, start + n * DAY)
        if chosen is None:
            continue
        kind, skipped = chosen
        assert not {kind, *skipped} & set(noted)
        noted.update({it: "skipped" for it in skipped} | {kind: "sent"})
        sent.append(kind)
        assert start + n * DAY >= ends_on + timedelta(days=kind)
        assert kind >= 0 or start + n * DAY <= ends_on
    assert sent == sorted(set(sent))


# Of real terms.


def test_reminders_come_on_the_tiers_days_once_each(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    sent = {}
    for n in range(-40, 40):
        day = END + n * DAY
        for _ in range(2):  # the worker twice a day
            for kind in remind(day):
                sent[n] = kind
    assert sent == {-30: -30, -7: -7, 0: 0, 15: 15}


def test_a_tier_has_offsets_of_its_own(nora: Person, basic: Tier) -> None:
    buy(nora, tier("often", 3000, reminders="-10,-3"), JOINED)
    assert [due(END + n * DAY) for n in (-11, -10, -3, 0, 1)] == [[], [(-10, ())], [(-3, (-10,))], [(-3, (-10,))], []]
    silent = somebody("Silent")
    buy(silent, tier("silent", 3000, reminders=""), JOINED)
    assert {it.person_id for n in range(-40, 40) for it in service.due_reminders(at(JOINED), END + n * DAY)} == {
        nora.id
    }


@pytest.mark.parametrize(
    "text, kept", [("-30,-7,0,15", "-30,-7,0,15"), (" 15, -7,+0 ,-7", "-7,0,15"), ("", ""), ("366,-366", "-366,366")]
)
def test_offsets_are_days_in_order(text: str, kept: str) -> None:
    assert read_offsets(text) == kept


@pytest.mark.parametrize("text", ["soon", "1.5", "-367", "400", "1;2", "--3"])
def test_offsets_that_are_no_days_are_refused(text: str) -> None:
    with pytest.raises(Refusal):
        read_offsets(text)


def test_a_renewal_cancels_the_rest_and_its_refund_brings_back_what_is_to_come(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    assert remind(END - 30 * DAY) == [-30]
    renewal = buy(nora, basic, END - 20 * DAY)
    assert [due(END + n * DAY) for n in (-7, 0, 15)] == [[], [], []]
    assert due(renewal.ends_on - 30 * DAY) == [(-30, ())]
    take_back(renewal, END - 10 * DAY)
    assert remind(END - 7 * DAY) == [-7]


def test_a_worker_off_for_three_days_sends_one_reminder_not_a_burst(nora: Person, basic: Tier) -> None:
    close = tier("close", 3000, reminders="-3,-2,-1,0")
    buy(nora, close, JOINED)
    assert due(END) == [(0, (-3, -2, -1))]
    assert remind(END) == [0]
    assert [remind(END + n * DAY) for n in (0, 1, 2)] == [[], [], []]


def test_a_reminder_is_noted_by_one_worker_only(nora: Person, basic: Tier) -> None:
    term = buy(nora, basic, JOINED)
    noted = [service.note_reminder(term.id, 0, state, at(END)) for state in ("sent", "sent", "skipped")]
    assert noted == [True, False, False]
    assert service.note_reminder(term.id, 15, "sent", at(END)) is True


def test_life_and_honorary_members_get_none_and_carried_over_ones_do(nora: Person, basic: Tier) -> None:
    service.grant(nora.id, basic, because="thanks", by="board", now=at(JOINED), today=JOINED, life=True)
    guest, old = somebody("Guest"), somebody("Old")
    service.grant(guest.id, basic, because="honorary", by="board", now=at(JOINED), today=JOINED, months=12)
    dates = service.TermDates(JOINED, JOINED, END, END + 30 * DAY)
    service.grant_term(old.id, basic, dates, "command", CARRIED_OVER, at(JOINED))
    assert [it.person_id for it in service.due_reminders(at(END), END)] == [old.id]


def test_ended_suspended_and_unwilling_members_get_none(nora: Person, basic: Tier) -> None:
    buy(nora, basic, JOINED)
    refunded, held, disputed, unwilling = (somebody(name) for name in ("Rob", "Hal", "Dot", "Una"))
    for person in (refunded, held, disputed, unwilling):
        buy(person, basic, JOINED)
    take_back(term_of(refunded), END)
    service.hold_person(held, "a letter came back", "desk", at(END - DAY))
    service.suspend_days_of_payment(term_of(disputed).payment_id or 0, "dispute", at(END - DAY), at(END - DAY))
    for _ in range(2):
        service.stop_reminders(unwilling.id, at(JOINED))
    assert service.are_reminders_stopped(unwilling.id) and not service.are_reminders_stopped(nora.id)
    assert [it.person_id for it in service.due_reminders(at(END), END)] == [nora.id]
    service.release_person(held, "desk", at(END))
    assert [it.person_id for it in service.due_reminders(at(END, 13), END)] == [nora.id, held.id]


def test_an_upgrade_does_not_start_the_reminders_anew(nora: Person, basic: Tier) -> None:
    plus = tier("plus", 9000)
    buy(nora, basic, JOINED)
    assert remind(END - 30 * DAY) == [-30]
    upgrade(nora, plus, END - 20 * DAY)
    assert [remind(END + n * DAY) for n in (-19, -8, -7, 0)] == [[], [], [-7], [0]]


def term_of(person: Person) -> Term:
    [term] = service.terms_of(person.id)
    return term
