"""`flask people import`: everything or nothing, the same file twice changes nothing."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app import audit, clock
from app.extensions import db
from app.people import importing
from app.people.importing import import_register, read_register
from app.people.models import Degree, Person
from app.people.rules import COLUMNS, RegisterRow, read_row
from app.people.service import count_people
from tests.command import is_refused, run

Load = Callable[..., Result]

REGISTER = """\
student_id,given_name,family_name,email,birth_date,degree,faculty,graduation_year,phone,country,language
1001,Marta,Soler,marta@example.org,1990-12-31,Law,Laws,2014,+34 600,ES,ca
1001,Marta,Soler,marta@example.org,1990-12-31,Economics,Business,2018,,,
1002,Joan,Núñez,joan@example.org,,,,,,,
,Pere,Vidal,,,,,,,,
"""


@pytest.fixture
def load(app: Flask, tmp_path: Path) -> Load:
    """Import a text (or bytes) as somebody at a terminal does."""

    def load(content: str | bytes, *options: str) -> Result:
        path = tmp_path / "register.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run(app, "people", "import", str(path), *options)

    return load


def people() -> list[tuple[object, ...]]:
    """Everything the register knows, in an order that only depends on it."""
    found = db.session.execute(select(Person).order_by(Person.id)).scalars()
    known: list[tuple[object, ...]] = [
        (p.id, p.given_name, p.family_name, p.email, p.birth_date, p.phone, p.country, p.language, p.student_id,
         [(d.name, d.faculty, d.graduation_year) for d in p.degrees])
        for p in found
    ]  # fmt: skip
    db.session.commit()
    return known


def test_a_register_is_taken_whole(load: Load) -> None:
    result = load(REGISTER)
    assert (result.exit_code, result.stdout) == (0, "3 were added, 1 changed, 0 left as they were.\n")
    marta, joan, pere = people()
    assert marta[1:9] == ("Marta", "Soler", "marta@example.org", date(1990, 12, 31), "+34 600", "ES", "ca", "1001")
    assert marta[9] == [("Law", "Laws", 2014), ("Economics", "Business", 2018)]
    assert joan[1:4] == ("Joan", "Núñez", "joan@example.org")
    assert pere[3:] == (None, None, None, None, None, None, [])


def test_the_same_file_twice_changes_nothing(load: Load) -> None:
    load(REGISTER)
    before = people()
    result = load(REGISTER)
    assert (result.exit_code, result.stdout) == (0, "0 were added, 0 changed, 4 left as they were.\n")
    assert people() == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_spreadsheet_writes_it_differently_and_means_the_same(
    load: Load, encoding: str, delimiter: str, line_end: str
) -> None:
    table = list(csv.reader(io.StringIO(REGISTER)))
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator=line_end).writerows(table)
    assert load(written.getvalue().encode(encoding)).exit_code == 0
    assert people()[1][2] == "Núñez"
    assert len(people()) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_columns_come_in_any_order_and_all_but_the_names_may_be_missing(load: Load) -> None:
    assert load(" Family_Name , EMAIL,given_name\nSoler,marta@example.org,Marta\n").exit_code == 0
    assert people()[0][1:4] == ("Marta", "Soler", "marta@example.org")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "given_name is missing"),
        ("given_name,email\nMarta,m@example.org\n", "family_name is missing"),
        ("given_name,family_name,salary\nMarta,Soler,1\n", "'salary' is not known"),
        ("given_name,family_name,given_name\nMarta,Soler,Anna\n", "a column stands twice"),
        ("given_name,family_name,\nMarta,Soler,\n", "'' is not known"),
        ('given_name,"family_name\nMarta,Soler\n', "Line 2 is not CSV"),
        ('given_name,family_name\nMarta,"Soler\n', "Line 2 is not CSV"),
        ('given_name,family_name\nMarta,"So"ler\n', "Line 2 is not CSV"),
        (REGISTER.encode("utf-16"), "given_name is missing"),
        (b"PK\x03\x04\x14\x00\x06\x00", "given_name is missing"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_register_is_refused_in_one_line(load: Load, content: str | bytes, said: str) -> None:
    result = load(content)
    assert is_refused(result) and said in result.stderr
    assert people() == []


def test_one_wrong_line_keeps_the_whole_file_out_and_every_reason_names_its_line(load: Load, tmp_path: Path) -> None:
    load(REGISTER)
    before = people()
    wrong = (
        "given_name,family_name,email,birth_date\n"
        "Anna,Puig,anna@example.org,\n,Roca,no address,31/12/1990\nA,B,,,extra\n"
    )
    result = load(wrong, "--report", str(tmp_path / "report.csv"))
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.splitlines() == [
        "line 3: given_name is blank",
        "line 3: email 'no address' is not an address",
        "line 3: birth_date '31/12/1990' is not a day such as 1990-12-31",
        "line 4: more cells than the first line names",
        "Nothing was imported: 4 problems in 3 rows.",
    ]
    assert people() == before
    report = list(csv.DictReader((tmp_path / "report.csv").read_text(encoding="utf-8").splitlines()))
    assert [(r["line"], r["kind"]) for r in report] == [("3", "refused")] * 3 + [("4", "refused")]


def test_a_dry_run_says_the_same_and_changes_nothing(load: Load) -> None:
    result = load(REGISTER, "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "3 would be added, 1 changed, 0 left as they were.\n")
    assert people() == []
    assert load(REGISTER).exit_code == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_report_that_cannot_be_written_refuses_before_anything_is_taken(load: Load, tmp_path: Path) -> None:
    assert is_refused(load(REGISTER, "--report", str(tmp_path / "nowhere" / "report.csv")))
    assert people() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_is_too_large_is_refused_unread(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "LARGEST_FILE", 100)
    assert is_refused(load(REGISTER))


def test_a_blank_cell_never_erases(load: Load) -> None:
    load(REGISTER)
    before = people()
    result = load("student_id,given_name,family_name,email,phone,degree\n1001,Marta,Soler,,,\n")
    assert result.stdout.startswith("0 were added, 0 changed, 1 ")
    assert people() == before


def test_a_newer_register_corrects_what_an_older_one_said(load: Load) -> None:
    load(REGISTER)
    result = load("student_id,given_name,family_name,email\n1001,Marta,Soler Pi,new@example.org\n")
    assert result.stdout.startswith("0 were added, 1 changed")
    assert people()[0][1:4] == ("Marta", "Soler Pi", "new@example.org")


def test_a_familys_shared_address_is_for_review_and_nobody_is_merged(load: Load, tmp_path: Path) -> None:
    family = "given_name,family_name,email\nAnna,Puig,puig@example.org\nPau,Puig,puig@example.org\n"
    result = load(family, "--report", str(tmp_path / "report.csv"))
    assert result.exit_code == 0
    assert result.stderr == "line 3: to review: shares its address with M-000001\n"
    assert "3,review,shares its address with M-000001" in (tmp_path / "report.csv").read_text(encoding="utf-8")
    assert [p[1] for p in people()] == ["Anna", "Pau"]
    again = load(family)
    assert again.stdout.startswith("0 were added, 0 changed, 2") and again.stderr == ""


def test_two_student_ids_are_two_people_even_with_one_name_and_one_address(load: Load) -> None:
    twins = "student_id,given_name,family_name,email\n1,Joan,Vidal,vidal@example.org\n2,Joan,Vidal,vidal@example.org\n"
    assert load(twins).stdout.startswith("2 were added")
    assert load(twins).stdout.startswith("0 were added, 0 changed, 2")


def test_a_student_id_that_comes_later_completes_the_person_even_within_one_file(load: Load) -> None:
    load("given_name,family_name,email\nMarta,Soler,marta@example.org\n")
    result = load(
        "student_id,given_name,family_name,email\n7,Marta,Soler,marta@example.org\n7,Marta,Soler,\n7,MARTA,SOLER,\n"
    )
    assert result.exit_code == 0
    assert [(p[0], p[8]) for p in people()] == [(1, "7")]


def test_a_line_that_contradicts_an_earlier_one_is_for_review_and_the_earlier_stands(load: Load) -> None:
    both = "student_id,given_name,family_name,email\n7,Marta,Soler,old@example.org\n7,Marta,Soler,other@example.org\n"
    for _ in range(2):
        result = load(both)
        assert result.stderr == "line 3: to review: email is not what line 2 says\n"
        assert [p[3] for p in people()] == ["old@example.org"]
    assert result.stdout.startswith("0 were added, 0 changed, 2")


def test_an_import_is_in_the_audit_log_once_and_one_that_changed_nothing_is_not(load: Load) -> None:
    load(REGISTER)
    load(REGISTER)
    load(REGISTER, "--dry-run")
    entries = db.session.execute(select(audit.AuditEntry)).scalars().all()
    assert [(entry.action, entry.facts) for entry in entries] == [("register_imported", '{"added": 3, "changed": 1}')]


def test_two_imports_at_once_add_everybody_once(app: Flask) -> None:
    rows = [read_row(n, {"given_name": f"N{n}", "family_name": "F", "email": f"n{n}@example.org"}) for n in range(20)]
    db.session.remove()
    start = threading.Barrier(2)

    def take() -> None:
        with app.app_context():
            now = clock.now()
            db.session.rollback()
            start.wait()
            import_register(rows, now)
            db.session.commit()

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert count_people() == 20


cells = {
    "given_name": st.sampled_from(["Ann", "ANN", "Bea"]),
    "family_name": st.just("Lee"),
    "student_id": st.sampled_from(["", "", "1", "2"]),
    "email": st.sampled_from(["", "a@example.org", "b@example.org"]),
    "birth_date": st.sampled_from(["", "1990-01-01", "1960-01-01"]),
    "degree": st.sampled_from(["", "Law", "Physics"]),
    "phone": st.sampled_from(["", "1", "2"]),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(cells), max_size=7))
def test_whatever_a_file_says_taking_it_again_changes_nothing(app: Flask, table: list[dict[str, str]]) -> None:
    rows: list[RegisterRow] = [read_row(line, cells) for line, cells in enumerate(table, 2)]
    db.session.execute(delete(Degree))
    db.session.execute(delete(Person))
    db.session.expire_all()
    first = import_register(rows, clock.now())
    db.session.expire_all()
    before = people()
    again = import_register(rows, clock.now())
    assert (again.added, again.changed, again.unchanged) == (0, 0, len(rows))
    assert people() == before
    assert first.added <= len(rows)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_columns_are_those_that_were_promised(app: Flask, tmp_path: Path) -> None:
    promised = (
        "student_id given_name family_name email birth_date degree faculty graduation_year phone country language"
    )
    assert set(COLUMNS) == set(promised.split())
    (tmp_path / "r.csv").write_text(REGISTER, encoding="utf-8")
    assert [row.line for row in read_register(tmp_path / "r.csv")] == [2, 3, 4, 5]
