"""What a line of a register means: pure reading of cells."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

COLUMNS = (
    "student_id", "given_name", "family_name", "email", "birth_date", "degree",
    "faculty", "graduation_year", "phone", "country", "language",
)  # fmt: skip
REQUIRED = ("given_name", "family_name")
EMAIL = re.compile(r"[^@\s,;<>\"\x00-\x1f\x7f]+@[^@\s,;<>\"\x00-\x1f\x7f]+\.[^@\s,;<>\".\x00-\x1f\x7f]+")
LONGEST_CELL = 200


@dataclass(frozen=True)
class RegisterRow:
    """One person as a register names them; None where the cell is blank or the column absent."""

    line: int
    given_name: str
    family_name: str
    student_id: str | None = None
    email: str | None = None
    birth_date: date | None = None
    degree: str | None = None
    faculty: str | None = None
    graduation_year: int | None = None
    phone: str | None = None
    country: str | None = None
    language: str | None = None
    problems: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Known:
    """What the register knows of somebody, as far as matching asks; degrees as (name, year)."""

    student_id: str | None
    email: str | None
    birth_date: date | None
    phone: str | None
    country: str | None
    language: str | None
    degrees: tuple[tuple[str, int | None], ...]


def read_row(line: int, cells: dict[str, str]) -> RegisterRow:
    """Cells by column name -> a row whose `problems` say, in words, what must be mended."""
    problems: list[str] = []
    text: dict[str, str | None] = {}
    for column in COLUMNS:
        value = clean(cells.get(column, ""))
        if len(value) > LONGEST_CELL:
            problems.append(f"{column} is longer than {LONGEST_CELL} characters")
            value = value[:LONGEST_CELL]
        text[column] = value or None
    for column in REQUIRED:
        if text[column] is None:
            problems.append(f"{column} is blank")
    email = text["email"]
    if email and not EMAIL.fullmatch(email):
        problems.append(f"email {email!r} is not an address")
    birth_date = _day(text["birth_date"], problems)
    year = text["graduation_year"]
    if year and not re.fullmatch(r"(19|20)\d\d", year, re.ASCII):
        problems.append(f"graduation_year {year!r} is not a year such as 2014")
        year = None
    if text["country"] and not re.fullmatch(r"[A-Za-z]{2}", text["country"]):
        problems.append(f"country {text['country']!r} is not a two-letter code such as ES")
    if text["language"] and not re.fullmatch(r"[A-Za-z]{2}", text["language"]):
        problems.append(f"language {text['language']!r} is not a two-letter code such as ca")
    return RegisterRow(
        line=line,
        given_name=text["given_name"] or "",
        family_name=text["family_name"] or "",
        student_id=text["student_id"],
        email=email.lower() if email else None,
        birth_date=birth_date,
        degree=text["degree"],
        faculty=text["faculty"],
        graduation_year=int(year) if year else None,
        phone=text["phone"],
        country=text["country"].upper() if text["country"] else None,
        language=text["language"].lower() if text["language"] else None,
        problems=tuple(problems),
    )


def clean(text: str) -> str:
    """One line of text: composed letters, single spaces, no control characters."""
    visible = "".join(c for c in " ".join(text.split()) if unicodedata.category(c) != "Cc")
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def name_key(given_name: str, family_name: str) -> str:
    """Names folded for comparison: case and accents aside."""
    folded = unicodedata.normalize("NFKD", f"{given_name} {family_name}".casefold())
    return "".join(c for c in folded if not unicodedata.combining(c))


def is_same_person(row: RegisterRow, known: Known) -> bool:
    """Whether a row is about somebody of the same name whom no student id settles.

    It needs the same birth date or the same address, and nothing that contradicts; an address alone is
    never enough: families share them. A row with nothing but a name is about whoever it does not
    contradict, or the same file taken twice would add people.
    """
    if row.student_id and known.student_id:
        return row.student_id == known.student_id  # two different student ids are two people
    if row.birth_date and known.birth_date:
        return row.birth_date == known.birth_date
    if row.student_id or row.birth_date or row.email:
        return row.email is not None and row.email == known.email
    same_details = all(
        mine is None or theirs is None or mine == theirs
        for mine, theirs in ((row.phone, known.phone), (row.country, known.country), (row.language, known.language))
    )
    return same_details and (row.degree is None or (row.degree, row.graduation_year) in known.degrees)


def _day(value: str | None, problems: list[str]) -> date | None:
    if value is None:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError:
        problems.append(f"birth_date {value!r} is not a day such as 1990-12-31")
        return None
