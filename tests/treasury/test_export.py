"""Payments as a file: every movement one row, to the cent, inert in a spreadsheet, whole or not at all."""

from __future__ import annotations

import csv
import io
import time
import tracemalloc
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select

from app import clock
from app.extensions import db, only_read
from app.payments import ledger
from app.payments.models import LedgerEntry, Payment
from app.people.models import Person
from app.people.service import add_person
from app.treasury.export import COLUMNS, payments_csv
from app.treasury.filters import Filter
from app.treasury.rules import inert
from tests.cast import Cast, pay
from tests.visitor import Visitor

MANY = 50_000


def export(app: Flask, *arguments: str) -> tuple[int, str, str]:
    db.session.commit()
    result = app.test_cli_runner().invoke(args=["treasury", "export", *arguments])
    return result.exit_code, result.stdout_bytes.decode(), result.stderr.strip()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def cents(text: str) -> int:
    whole, _, part = text.partition(".")
    assert len(part) == 2, text
    return int(whole + part)


def everything(cast: Cast) -> tuple[str, ...]:
    return "payments", "--from", "2000-01-01", "--to", cast.today.isoformat()


def test_a_row_says_all_there_is_to_know_of_a_movement(app: Flask, cast: Cast) -> None:
    code, said, _ = export(app, *everything(cast))
    rows = {row["payment_number"] + row["concept"]: row for row in rows_of(said)}
    assert code == 0
    assert tuple(rows_of(said)[0]) == COLUMNS
    alice = rows[f"P-{cast.today.year}-000001fee"]
    value_on = cast.today - timedelta(days=100)
    assert alice == {
        "receipt_number": f"{cast.today.year}-000001",
        "booked_on": cast.today.isoformat(),
        "value_date": value_on.isoformat(),
        "payment_number": f"P-{cast.today.year}-000001",
        "member_number": cast.alice.member_number,
        "name": "Alice Soler",
        "email": "alice@example.org",
        "tier": "plus",
        "term_starts_on": value_on.isoformat(),
        "term_ends_on": alice["term_ends_on"],
        "kind": "join",
        "concept": "fee",
        "method": "transfer",
        "gross": "50.00",
        "provider_fee": "0.00",
        "net": "50.00",
        "fees": "50.00",
        "unallocated": "0.00",
        "donated": "0.00",
        "refunded": "0.00",
        "disputed": "0.00",
        "currency": "EUR",
        "provider_id": "",
        "checkout_id": "",
        "invoice_id": "",
        "entered_by": "test",
    }
    dan = rows[f"P-{cast.today.year}-000004refund"]
    assert (dan["gross"], dan["net"], dan["receipt_number"]) == ("-30.00", "-30.00", f"R{cast.today.year}-000001")


def test_the_rows_add_up_to_the_ledger_to_the_cent(app: Flask, cast: Cast) -> None:
    pay(cast.mallory, cast.basic, cast.today, cents=4999)
    pay(cast.carol, cast.basic, cast.today, cents=1)
    rows = rows_of(export(app, *everything(cast))[1])
    balance = ledger.balance_between(date(2000, 1, 1), cast.today, "EUR")
    assert sum(cents(row["gross"]) for row in rows) == balance.received_cents - balance.refunded_cents
    assert sum(cents(row["net"]) for row in rows) == balance.net_cents
    assert len(rows) == db.session.execute(select(func.count()).select_from(LedgerEntry)).scalar_one()


def test_days_are_value_dates_both_included(app: Flask, cast: Cast) -> None:
    value_on = cast.today - timedelta(days=100)
    for first, last, count in [(0, 0, 1), (-1, -1, 0), (1, 1, 0), (-1, 1, 1), (0, 1, 1), (-1, 0, 1)]:
        days = [(value_on + timedelta(days=n)).isoformat() for n in (first, last)]
        code, said, _ = export(app, "payments", "--from", days[0], "--to", days[1])
        assert (code, len(rows_of(said))) == (0, count), (first, last)


def test_no_payment_is_a_file_with_its_header(app: Flask, cast: Cast) -> None:
    code, said, _ = export(app, "payments", "--from", "1999-01-01", "--to", "1999-12-31")
    assert (code, said) == (0, ",".join(COLUMNS) + "\r\n")


def test_the_page_gives_the_same_file_as_the_command(app: Flask, cast: Cast) -> None:
    treasurer = Visitor(app, "treasurer@example.org")
    answer = treasurer.get(f"/treasury/payments.csv?from=2000-01-01&to={cast.today}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="payments-{cast.today}.csv"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.get_data(as_text=True) == export(app, *everything(cast))[1]


NAMES = ["=1+1", "+34600", "-2", "@SUM(A1)", "\tTab", "\rReturn", '=HYPERLINK("http://x";"y")', "Ana, Maria", 'O"Neill']


def test_names_that_look_like_formulas_stay_text(app: Flask, cast: Cast) -> None:
    now = clock.now()
    for name in NAMES:
        person = Person(given_name=name, family_name="=cmd", email=None, created_at=now)
        db.session.add(person)
        db.session.flush()
        pay(person, cast.basic, cast.today)
    names = [row["name"] for row in rows_of(export(app, *everything(cast))[1])]
    for name in NAMES:
        expected = f"{name} =cmd"
        assert (f"'{expected}" if name[0] in "=+-@\t\r" else expected) in names
    assert [name for name in names if name.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@given(st.text())
def test_inert_text_starts_no_formula_and_loses_nothing(text: str) -> None:
    cell = inert(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text or cell == text


WRONG = [
    ["payments"],
    ["payments", "--from", "2026-01-01"],
    ["payments", "--from", "2026-01-01", "--to", ""],
    ["payments", "--from", "01/01/2026", "--to", "2026-12-31"],
    ["payments", "--from", "2026-02-30", "--to", "2026-12-31"],
    ["payments", "--from", "2026-12-31", "--to", "2026-01-01"],
    ["payments", "--from", "2026-01-01", "--to", "2026-12-31", "--format", "pdf"],
    ["gifts", "--from", "2026-01-01", "--to", "2026-12-31"],
    ["payments", "--from", "2026-01-01", "--to", "2026-12-31", "--out", "/nowhere/at/all.csv"],
    ["payments", "--from", "2026-01-01", "--to", "2026-12-31", "--out", "."],
    ["payments", "--from", "2026-01-01", "--to", "2026-12-31", "--out", ""],
    ["payments", "--from", "2026-01-01", "--to", "2026-12-31", "--out", "/dev/null/x"],
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_exported_is_refused_plainly(app: Flask) -> None:
    for arguments in WRONG:
        code, said, complaint = export(app, *arguments)
        assert (code, said) == (2, ""), arguments
        assert complaint and "Traceback" not in complaint, arguments


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_is_written_whole_or_not_at_all(
    app: Flask, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out" / "payments.csv"
    out.parent.mkdir()
    out.write_text("last month's")
    with monkeypatch.context() as broken:

        def breaks_off(_row: object) -> list[str]:
            raise OSError(28, "No space left on device")

        broken.setattr("app.treasury.export._cells", breaks_off)
        code, _, complaint = export(app, *everything(cast), "--out", str(out))
        assert (code, "No space left on device" in complaint) == (2, True)
    assert [path.name for path in out.parent.iterdir()] == ["payments.csv"]
    assert out.read_text() == "last month's"
    assert export(app, *everything(cast), "--out", str(out))[0] == 0
    assert [path.name for path in out.parent.iterdir()] == ["payments.csv"]
    assert out.read_bytes().decode() == export(app, *everything(cast))[1]


def test_fifty_thousand_rows_are_streamed_in_little_memory_and_one_query(app: Flask, cast: Cast) -> None:
    paid = db.session.execute(select(Payment).where(Payment.person_id == cast.alice.id)).scalar_one()
    row = {
        "payment_id": paid.id, "movement": "excess_received", "debit": "bank", "credit": "unallocated",
        "amount_cents": 1, "currency": "EUR", "value_on": cast.today, "at": cast.now,
    }  # fmt: skip
    db.session.execute(
        insert(LedgerEntry.__table__), [{**row, "provider_id": f"ch_{n}"} for n in range(MANY)]  # type: ignore[arg-type]
    )  # fmt: skip
    db.session.commit()
    queries: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: queries.append(a[2]))
    lines = payments_csv(Filter(from_on=cast.today, to_on=cast.today))
    tracemalloc.start()
    count = sum(1 for _ in islice(lines, 12_000))  # tracing is slow; fetching all at once would show here
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    started = time.monotonic()
    count += sum(1 for _ in lines)
    seconds = time.monotonic() - started
    assert count > MANY
    assert most < 25_000_000, f"{most:,} bytes"
    assert seconds < 30, f"{seconds:.1f} s"
    assert len([query for query in queries if "ledger_entry" in query]) == 1


def test_others_can_write_while_a_long_export_is_read(app: Flask, cast: Cast) -> None:
    with app.app_context():
        only_read()
        lines = payments_csv(Filter())
        next(lines), next(lines)
        with app.app_context():
            add_person("Nina", "Nova", None, clock.now())
            db.session.commit()
        assert sum(1 for _ in lines) >= 3
