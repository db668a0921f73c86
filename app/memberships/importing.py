"""Carrying running memberships over from an older system, as granted terms with their present last days.

A file is checked whole, then taken whole or not at all; the same file twice changes nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select

from app import audit
from app.association import get_association
from app.errors import Refusal
from app.extensions import db
from app.memberships import rules
from app.memberships.grants import CARRIED_OVER, until_day
from app.memberships.models import Term, Tier
from app.memberships.rules import DAY, TermDates
from app.memberships.terms import add_term, note
from app.memberships.tiers import list_tiers
from app.people.models import Person
from app.people.service import number_in

COLUMNS = ("person", "tier", "starts_on", "ends_on")
LARGEST_FILE = 50 * 1024 * 1024
LIFE = "life"


@dataclass(frozen=True)
class CarriedOver:
    """One line: somebody's tier and days as the older system has them. `ends_on` may be the word life."""

    line: int
    person: str
    tier: str
    ends_on: str
    starts_on: str = ""
    problem: str | None = None


Watch = Callable[[list[CarriedOver]], Iterable[CarriedOver]]


@dataclass
class ImportReport:
    """What a file would do or did; `refused` is (line, reason)."""

    rows: int = 0
    added: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def read_terms(path: Path) -> list[CarriedOver]:
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
        names = [name.strip().lower() for name in next(reader, [])]
        if sorted(names) not in (sorted(COLUMNS), sorted(set(COLUMNS) - {"starts_on"})):
            raise Refusal("bad_header", "The first line must name the columns person, tier, ends_on and, if known, "
                          "starts_on: no others.")  # fmt: skip
        return [_row(reader.line_num, names, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise Refusal("bad_csv", f"Line {reader.line_num} is not CSV: {error}.") from None


def _row(line: int, names: list[str], cells: list[str]) -> CarriedOver:
    values = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
    problem = "more cells than the first line names" if len(cells) > len(names) else None
    return CarriedOver(
        line, values.get("person", ""), values.get("tier", ""), values.get("ends_on", "").lower(),
        values.get("starts_on", ""), problem,
    )  # fmt: skip


def import_terms(rows: Iterable[CarriedOver], by: str, now: datetime, today: date, watch: Watch = iter) -> ImportReport:
    """Grant what the rows say in this transaction; the caller commits only when nothing was refused."""
    rows = list(rows)
    report = ImportReport(len(rows))
    get_association(for_update=True)  # one import at a time: the same file twice at once would collide
    register = _Register()
    for row in watch(rows):
        try:
            if _take(row, register, by, now, today):
                report.added += 1
            else:
                report.unchanged += 1
        except Refusal as refusal:
            report.refused.append((row.line, refusal.detail))
    if report.added:
        audit.record("terms_imported", "register", now, added=report.added)
    return report


def _take(row: CarriedOver, register: _Register, by: str, now: datetime, today: date) -> bool:
    """One row; False when it was carried over before. Raises Refusal saying what is wrong with it."""
    if row.problem:
        raise Refusal("bad_row", row.problem)
    person_id, tier = register.find(row.person), register.tiers.get(row.tier)
    if tier is None:
        raise Refusal("unknown_tier", f"there is no tier {row.tier!r}")
    ends_on = rules.FOR_LIFE if row.ends_on == LIFE else _day("ends_on", row.ends_on)
    given = _day("starts_on", row.starts_on) if row.starts_on else None
    terms = register.terms.setdefault(person_id, [])
    for term in terms:
        if (term.granted_because, term.continues_id, term.tier_id, term.sold_ends_on) == (
            CARRIED_OVER, None, tier.id, ends_on
        ) and given in (None, term.starts_on):  # fmt: skip
            return False
    starts_on = given or _likely_start(tier, ends_on, today)
    dates = until_day(TermDates(starts_on, starts_on, starts_on, starts_on), tier, ends_on, today)
    for term in terms:
        if term.starts_on <= term.ends_on and term.starts_on <= ends_on and starts_on <= term.ends_on:
            last = "for life" if term.ends_on == rules.FOR_LIFE else f"to {term.ends_on}"
            raise Refusal("days_covered", f"has days from {term.starts_on} {last} already")
    term = add_term(person_id, tier, dates, now, granted_by=by, granted_because=CARRIED_OVER)
    note("term_granted", term, now)
    terms.append(term)
    return True


def _likely_start(tier: Tier, ends_on: date, today: date) -> date:
    """When the older system does not say: one length of the tier before its end, and not after today.

    An upgrade's price asks how long the whole term is; starting today would make every rest a whole one.
    """
    if ends_on == rules.FOR_LIFE:
        return today
    return min(rules.anniversary(ends_on + DAY, -tier.months), today)


def _day(column: str, text: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("bad_day", f"{column} {text[:40]!r} is not a day such as 2027-11-22") from None


class _Register:
    """Everybody by id, address and student id; tiers by code; terms by person: one query each, however long a file."""

    def __init__(self) -> None:
        self.tiers = {tier.code: tier for tier in list_tiers()}
        self.ids: set[int] = set()
        self.by_email: dict[str, list[int]] = {}
        self.by_student: dict[str, int] = {}
        for person_id, email, student_id in db.session.execute(select(Person.id, Person.email, Person.student_id)):
            self.ids.add(person_id)
            if email:
                self.by_email.setdefault(email, []).append(person_id)
            if student_id:
                self.by_student[student_id] = person_id
        self.terms: dict[int, list[Term]] = {}
        for term in db.session.execute(select(Term).order_by(Term.starts_on, Term.id)).scalars():
            self.terms.setdefault(term.person_id, []).append(term)

    def find(self, text: str) -> int:
        """Who a cell names: a member number, an address or a student id. Raises Refusal."""
        if "@" in text:
            found = self.by_email.get(text.lower(), [])
            if len(found) > 1:
                raise Refusal("ambiguous_person", f"{len(found)} people share {text!r}: give a member number")
        elif re.fullmatch(r"[Mm]-\d{1,9}", text, re.ASCII):
            number = number_in(text)
            found = [number] if number in self.ids and number is not None else []
        else:
            found = [self.by_student[text]] if text in self.by_student else []
        if not found:
            raise Refusal("unknown_person", f"nobody in the register is {text[:80]!r}")
        return found[0]
