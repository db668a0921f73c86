"""Reading a register file: checked whole, then taken whole or not at all.

The same file twice changes nothing; a blank cell never erases what is known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.people.models import Degree, Person
from app.people.rules import COLUMNS, REQUIRED, RegisterRow, is_same_person, name_key, read_row

LARGEST_FILE = 300 * 1024 * 1024
FILLED = ("email", "birth_date", "phone", "country", "language", "student_id")


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
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, restkey="")
    names = [name.strip().lower() for name in reader.fieldnames or []]
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in names]
    if missing or unknown or len(set(names)) != len(names):
        wrong = [f"{name} is missing" for name in missing] + [f"{name!r} is not known" for name in unknown]
        raise Refusal(
            "bad_header", f"The first line must name the columns ({', '.join(COLUMNS)}): "
            f"{'; '.join(wrong) or 'a column stands twice'}."
        )  # fmt: skip
    reader.fieldnames = names
    try:
        return [_row(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise Refusal("bad_csv", f"Line {reader.line_num} is not CSV: {error}.") from None


def _row(line: int, cells: dict[str, str | None]) -> RegisterRow:
    if "" in cells:
        return RegisterRow(line, "", "", problems=("more cells than the first line names",))
    return read_row(line, {name: value or "" for name, value in cells.items()})


def import_register(rows: Iterable[RegisterRow], now: datetime) -> ImportReport:
    """Add or complete people in this transaction; the caller commits only when nothing was refused."""
    report = ImportReport()
    rows = list(rows)
    report.rows = len(rows)
    for row in rows:
        report.refused += [(row.line, problem) for problem in row.problems]
    if report.refused:
        return report
    known = _Register()
    for row in rows:
        person = known.find(row)
        if person is None:
            if row.email and (others := known.with_email(row.email)):
                report.review.append(
                    (row.line, f"shares its address with {', '.join(p.member_number for p in others)}")
                )
            person = Person(
                given_name=row.given_name, family_name=row.family_name, created_at=now,
                **{name: getattr(row, name) for name in FILLED},
            )  # fmt: skip
            db.session.add(person)
            db.session.flush()
            known.add(person)
            report.added += 1
            _complete(person, row)
        elif _complete(person, row):
            report.changed += 1
        else:
            report.unchanged += 1
    db.session.flush()
    if report.added or report.changed:
        audit.record("register_imported", "register", now, added=report.added, changed=report.changed)
    return report


def _complete(person: Person, row: RegisterRow) -> bool:
    """Write what the row knows over what the register has; True when anything changed."""
    changed = False
    for name in ("given_name", "family_name", *FILLED):
        value = getattr(row, name)
        if value is not None and getattr(person, name) != value:
            setattr(person, name, value)
            changed = True
    if row.degree and not any((d.name, d.graduation_year) == (row.degree, row.graduation_year) for d in person.degrees):
        person.degrees.append(Degree(name=row.degree, faculty=row.faculty, graduation_year=row.graduation_year))
        changed = True
    return changed


class _Register:
    """The register's people by student id, by name and by address, for one import."""

    def __init__(self) -> None:
        self.by_student: dict[str, Person] = {}
        self.by_name: dict[str, list[Person]] = {}
        self.by_email: dict[str, list[Person]] = {}
        everybody = select(Person).options(selectinload(Person.degrees)).order_by(Person.id)
        for person in db.session.execute(everybody).scalars():
            self.add(person)

    def add(self, person: Person) -> None:
        if person.student_id:
            self.by_student[person.student_id] = person
        self.by_name.setdefault(name_key(person.given_name, person.family_name), []).append(person)
        if person.email:
            self.by_email.setdefault(person.email, []).append(person)

    def find(self, row: RegisterRow) -> Person | None:
        if row.student_id and row.student_id in self.by_student:
            return self.by_student[row.student_id]
        key = name_key(row.given_name, row.family_name)
        for person in self.by_name.get(key, []):
            if row.student_id and person.student_id:
                continue  # two different student ids are two people
            if is_same_person(row, key, person.email, person.birth_date):
                return person
        return None

    def with_email(self, email: str) -> list[Person]:
        return self.by_email.get(email, [])
