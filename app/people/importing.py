"""Reading a register file: checked whole, then taken whole or not at all.

The same file twice changes nothing; a blank cell never erases what is known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app import audit
from app.association import get_association
from app.errors import Refusal
from app.extensions import db
from app.people.models import Degree, Person
from app.people.rules import COLUMNS, REQUIRED, Known, RegisterRow, is_same_person, name_key, read_row

LARGEST_FILE = 300 * 1024 * 1024
MOST_PASSES = 5
FIELDS = (
    "given_name", "family_name", "email", "birth_date", "phone", "country", "language", "student_id",
)  # fmt: skip

Watch = Callable[[list[RegisterRow]], Iterable[RegisterRow]]


@dataclass
class ImportReport:
    """What a file would do or did; `refused` and `review` are (line, reason)."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    review: list[tuple[int, str]] = field(default_factory=list)


def read_register(path: Path) -> list[RegisterRow]:
    """The file's rows (UTF-8 with or without BOM, or Latin-1; `,` `;` or tab). Raises Refusal."""
    if path.stat().st_size > LARGEST_FILE:
        raise Refusal("file_too_large", f"The file is larger than {LARGEST_FILE // 1024 // 1024} MiB: split it.")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    header = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    try:
        names = _header(next(reader, []))
        return [_row(reader.line_num, names, cells) for cells in reader if cells]
    except csv.Error as error:
        raise Refusal("bad_csv", f"Line {reader.line_num} is not CSV: {error}.") from None


def _header(cells: list[str]) -> list[str]:
    names = [name.strip().lower() for name in cells]
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in names]
    if missing or unknown or len(set(names)) != len(names):
        wrong = [f"{name} is missing" for name in missing] + [f"{name[:40]!r} is not known" for name in unknown[:5]]
        raise Refusal(
            "bad_header", f"The first line must name the columns ({', '.join(COLUMNS)}): "
            f"{'; '.join(wrong) or 'a column stands twice'}."
        )  # fmt: skip
    return names


def _row(line: int, names: list[str], cells: list[str]) -> RegisterRow:
    if len(cells) > len(names):
        return RegisterRow(line, "", "", problems=("more cells than the first line names",))
    return read_row(line, dict(zip(names, cells, strict=False)))


def import_register(rows: Iterable[RegisterRow], now: datetime, watch: Watch = iter) -> ImportReport:
    """Add or complete people in this transaction; the caller commits only when nothing was refused.

    `watch` is handed the rows of each pass and gives them back, so that a terminal can show how far it is.
    """
    rows = list(rows)
    report = ImportReport(len(rows), refused=[(row.line, problem) for row in rows for problem in row.problems])
    if report.refused:
        return report
    get_association(for_update=True)  # one import at a time: two at once would each add everybody
    _take(rows, now, report, watch)
    for _again in range(MOST_PASSES):  # what later lines told may say more of whom earlier ones are about
        again = ImportReport()
        _take(rows, now, again, watch)
        if not again.added and not again.changed:
            break
    else:
        report.refused.append((1, "the file contradicts itself about people of one name: give student ids"))
    if report.added or report.changed:
        audit.record("register_imported", "register", now, added=report.added, changed=report.changed)
    return report


def _take(rows: list[RegisterRow], now: datetime, report: ImportReport, watch: Watch) -> None:
    register = _Register()
    for row in watch(rows):
        found = register.find(row)
        person = found or Person(given_name=row.given_name, family_name=row.family_name, created_at=now)
        if found:
            row = register.settle(found, row, report)
        shared = register.with_email(row.email) if row.email and row.email != person.email else []
        if shared:
            db.session.flush()  # those of this file get their numbers
            numbers = ", ".join(other.member_number for other in shared)
            report.review.append((row.line, f"shares its address with {numbers}"))
        changed = _complete(person, row)
        if found is None:
            db.session.add(person)
            report.added += 1
        elif changed:
            report.changed += 1
        else:
            report.unchanged += 1
        register.note(person, row)
    db.session.flush()


def _complete(person: Person, row: RegisterRow) -> bool:
    """Write what the row knows over what the register has; True when anything changed."""
    changed = False
    for name in FIELDS:
        value = getattr(row, name)
        if value is not None and getattr(person, name) != value:
            setattr(person, name, value)
            changed = True
    if row.degree and (row.degree, row.graduation_year) not in _degrees(person):
        person.degrees.append(Degree(name=row.degree, faculty=row.faculty, graduation_year=row.graduation_year))
        changed = True
    return changed


def _degrees(person: Person) -> tuple[tuple[str, int | None], ...]:
    return tuple((degree.name, degree.graduation_year) for degree in person.degrees)


def _known(person: Person) -> Known:
    return Known(
        person.student_id, person.email, person.birth_date, person.phone, person.country, person.language,
        _degrees(person),
    )  # fmt: skip


class _Register:
    """The register's people by student id, by name and by address, and what this file said of whom."""

    def __init__(self) -> None:
        self.by_student: dict[str, Person] = {}
        self.by_name: dict[str, list[Person]] = {}
        self.by_email: dict[str, list[Person]] = {}
        self.keys: dict[Person, tuple[str, str]] = {}
        self.said: dict[Person, dict[str, tuple[Any, int]]] = {}
        everybody = select(Person).options(selectinload(Person.degrees)).order_by(Person.id)
        for person in db.session.execute(everybody).scalars():
            self.index(person)

    def find(self, row: RegisterRow) -> Person | None:
        """Who a row is about; of several it could be, one it says nothing new of, else the first."""
        if row.student_id and row.student_id in self.by_student:
            return self.by_student[row.student_id]
        namesakes = self.by_name.get(name_key(row.given_name, row.family_name), [])
        found = [person for person in namesakes if is_same_person(row, _known(person))]
        return min(found, key=lambda person: _is_news(person, row), default=None)

    def with_email(self, email: str) -> list[Person]:
        return self.by_email.get(email, [])

    def settle(self, person: Person, row: RegisterRow, report: ImportReport) -> RegisterRow:
        """The row without what an earlier line of this file says otherwise: that is for review."""
        said = self.said.get(person, {})
        kept: dict[str, Any] = {}
        for name in FIELDS:
            value, line = said.get(name, (None, 0))
            if value is not None and getattr(row, name) not in (None, value):
                report.review.append((row.line, f"{name} is not what line {line} says"))
                kept[name] = value
        return replace(row, **kept)

    def note(self, person: Person, row: RegisterRow) -> None:
        """Whom this line was about, and what it said."""
        said = self.said.setdefault(person, {})
        for name in FIELDS:
            if getattr(row, name) is not None:
                said.setdefault(name, (getattr(row, name), row.line))
        self.index(person)

    def index(self, person: Person) -> None:
        """Where to find somebody; those who keep their name keep their place among namesakes."""
        if person.student_id:
            self.by_student[person.student_id] = person
        name, email = name_key(person.given_name, person.family_name), person.email or ""
        old_name, old_email = self.keys.get(person, ("", ""))
        for index, old, new in ((self.by_name, old_name, name), (self.by_email, old_email, email)):
            if old != new:
                if old:
                    index[old].remove(person)
                if new:
                    index.setdefault(new, []).append(person)
        self.keys[person] = (name, email)


def _is_news(person: Person, row: RegisterRow) -> bool:
    """Whether a row would change anything of somebody."""
    new_degree = row.degree is not None and (row.degree, row.graduation_year) not in _degrees(person)
    return new_degree or any(getattr(row, name) not in (None, getattr(person, name)) for name in FIELDS)
