"""What a line of a register means."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.people.rules import EMAIL, Known, RegisterRow, clean, is_same_person, name_key, read_row

NAMES = {"given_name": "Marta", "family_name": "Soler"}


def problems(**cells: str) -> tuple[str, ...]:
    return read_row(2, {**NAMES, **cells}).problems


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email", "marta@example.org"),
        ("email", "marta.soler+alumni@mail.example.co.uk"),
        ("birth_date", "1990-12-31"),
        ("birth_date", "2000-02-29"),
        ("graduation_year", "1999"),
        ("country", "es"),
        ("language", "CA"),
        ("student_id", "0012-B"),
        ("phone", "+34 600 000 000"),
    ],
)
def test_a_good_cell_is_taken(column: str, value: str) -> None:
    assert problems(**{column: value}) == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email", "marta"),
        ("email", "marta@example"),
        ("email", "marta@@example.org"),
        ("email", "marta@example.org; other@example.org"),
        ("email", "Marta <marta@example.org>"),
        ("birth_date", "31/12/1990"),
        ("birth_date", "1990-02-30"),
        ("birth_date", "19901231"),
        ("birth_date", "1990-W01-1"),
        ("graduation_year", "99"),
        ("graduation_year", "1899"),
        ("graduation_year", "2014.0"),
        ("country", "Spain"),
        ("language", "catalan"),
        ("given_name", ""),
        ("family_name", " \t "),
        ("degree", "x" * 201),
    ],
)
def test_a_wrong_cell_is_named_with_its_column(column: str, value: str) -> None:
    assert len(problems(**{column: value})) == 1
    assert problems(**{column: value})[0].startswith(column)


def test_every_problem_of_a_line_is_said_at_once() -> None:
    assert len(problems(email="x", birth_date="x", graduation_year="x", country="x", language="x")) == 5


def test_addresses_are_kept_in_small_letters_and_countries_in_capitals() -> None:
    row = read_row(2, {**NAMES, "email": "Marta@Example.ORG", "country": "es", "language": "CA"})
    assert (row.email, row.country, row.language) == ("marta@example.org", "ES", "ca")


@given(st.text())
def test_cleaning_leaves_one_line_without_control_characters_and_is_done_once(text: str) -> None:
    cleaned = clean(text)
    assert not any(ord(c) < 32 or ord(c) == 127 for c in cleaned)
    assert clean(cleaned) == cleaned == cleaned.strip()


@given(st.dictionaries(st.sampled_from([*NAMES, "email", "birth_date", "graduation_year", "country"]), st.text()))
def test_no_cell_however_odd_breaks_the_reading(cells: dict[str, str]) -> None:
    row = read_row(7, cells)
    assert row.problems or (row.given_name and row.family_name)
    assert row.email is None or row.problems or EMAIL.fullmatch(row.email)


@pytest.mark.parametrize("other", [("JOSÉ", "núñez"), ("Jose", "Nunez"), ("Jose\u0301", "Nun\u0303ez")])
def test_names_compare_without_case_and_accents(other: tuple[str, str]) -> None:
    assert name_key("José", "Núñez") == name_key(*other)


def row(**known: object) -> RegisterRow:
    return RegisterRow(2, "Joan", "Vidal", **known)  # type: ignore[arg-type]


def known(**facts: object) -> Known:
    blank = dict.fromkeys(("student_id", "email", "birth_date", "phone", "country", "language"))
    return Known(**{**blank, "degrees": (), **facts})  # type: ignore[arg-type]


DAY, OTHER_DAY = date(1990, 1, 1), date(1960, 1, 1)


@pytest.mark.parametrize(
    ("line", "person", "same"),
    [
        # one name and one address: the same, unless a birth date or a student id says otherwise
        (row(email="a@x.org"), known(email="a@x.org"), True),
        (row(email="a@x.org", birth_date=DAY), known(email="a@x.org"), True),
        (row(email="a@x.org", birth_date=DAY), known(email="a@x.org", birth_date=OTHER_DAY), False),
        (row(email="a@x.org", student_id="1"), known(email="a@x.org", student_id="2"), False),
        (row(email="a@x.org", student_id="1"), known(email="a@x.org"), True),
        # one name and one birth date: the same, whatever the address
        (row(email="a@x.org", birth_date=DAY), known(email="b@x.org", birth_date=DAY), True),
        (row(birth_date=DAY, student_id="1"), known(birth_date=DAY, student_id="2"), False),
        # one name and nothing in common
        (row(email="a@x.org"), known(email="b@x.org"), False),
        (row(email="a@x.org"), known(), False),
        (row(birth_date=DAY), known(email="a@x.org"), False),
        (row(student_id="1"), known(email="a@x.org"), False),
        # nothing but a name: whoever it does not contradict
        (row(), known(email="a@x.org"), True),
        (row(phone="1"), known(phone="1"), True),
        (row(phone="1"), known(phone="2"), False),
        (row(degree="Law", graduation_year=2010), known(degrees=(("Law", 2010),)), True),
        (row(degree="Law", graduation_year=2010), known(degrees=(("Law", 2011),)), False),
        (row(degree="Law"), known(), False),
    ],
)
def test_who_counts_as_the_same_person_among_namesakes(line: RegisterRow, person: Known, same: bool) -> None:
    assert is_same_person(line, person) is same
