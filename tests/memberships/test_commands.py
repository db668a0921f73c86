"""flask memberships set-price, close-tier, seen-document, grant, hold, release and import, as somebody types them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import audit, clock
from app.audit import AuditEntry
from app.extensions import db
from app.memberships import service
from app.memberships.models import SeenDocument, Term
from app.people.models import Person
from tests.command import is_refused, run
from tests.memberships.booking import DAY, buy, somebody, tier

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def nora(app: Flask) -> Person:
    tier("basic", 3000)
    tier("plus", 5000)
    nora = somebody()
    db.session.commit()
    return nora


def ok(app: Flask, *arguments: str) -> str:
    result = run(app, "memberships", *arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.stderr
    db.session.expire_all()
    return result.stdout.strip()


def count(table: type) -> int:
    return db.session.execute(select(func.count()).select_from(table)).scalar_one()


def test_add_tier_takes_condition_reminders_and_vat(app: Flask, nora: Person) -> None:
    ok(app, "add-tier", "young", "--name", "Young", "--fee", "15.00", "--graduated-within", "2", "--vat", "21")
    ok(
        app,
        "add-tier",
        "jobless",
        "--name",
        "Between jobs",
        "--fee",
        "10.00",
        "--needs-document",
        "--reminders",
        "-10,0",
    )
    young, jobless = service.get_tier("young"), service.get_tier("jobless")
    assert (young.condition, young.condition_years, young.vat_code, young.reminder_days) == (
        "graduated_within", 2, "21", "-30,-7,0,15",
    )  # fmt: skip
    assert (jobless.condition, jobless.condition_years, jobless.vat_code, jobless.reminder_offsets) == (
        "document", None, "exempt", [-10, 0],
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [("--vat", "7"), ("--reminders", "soon"), ("--graduated-within", "-1"), ("--graduated-within", "101"),
     ("--graduated-within", "2", "--needs-document"), ("--graduated-within", "x")],
)  # fmt: skip
def test_add_tier_refuses_a_condition_or_code_that_is_none(app: Flask, nora: Person, wrong: tuple[str, ...]) -> None:
    assert is_refused(run(app, "memberships", "add-tier", "new", "--name", "New", "--fee", "10.00", *wrong))
    assert service.find_tier("new") is None


def test_set_price_is_a_price_with_a_day_and_twice_is_once(app: Flask, nora: Person) -> None:
    tomorrow = clock.today() + DAY
    for _ in range(2):
        said = ok(app, "set-price", "basic", "--fee", "35.00", "--from", tomorrow.isoformat())
        assert said == f"Tier basic costs 35.00 EUR from {tomorrow} on."
    basic = service.get_tier("basic")
    assert [service.price_on(basic, day).fee_cents for day in (tomorrow - DAY, tomorrow)] == [3000, 3500]
    for wrong in (("35.00", "yesterday"), ("0.00", tomorrow.isoformat()), ("35.00", "2020-01-01"), ("x", "2090-01-01")):
        assert is_refused(run(app, "memberships", "set-price", "basic", "--fee", wrong[0], "--from", wrong[1]))


def test_close_tier_names_its_successor(app: Flask, nora: Person) -> None:
    day = (clock.today() + DAY).isoformat()
    said = ok(app, "close-tier", "basic", "--on", day, "--successor", "plus")
    assert said == f"Tier basic is sold no more from {day} on; its holders renew into plus."
    assert "choose another" in ok(app, "close-tier", "plus", "--on", day)
    for wrong in (
        ("none", day, "plus"),
        ("plus", day, "basic"),
        ("basic", "2020-01-01", "plus"),
        ("basic", "x", "plus"),
    ):
        assert is_refused(run(app, "memberships", "close-tier", wrong[0], "--on", wrong[1], "--successor", wrong[2]))


def test_seen_document_is_noted_and_its_last_word_counts(app: Flask, nora: Person) -> None:
    ok(app, "add-tier", "jobless", "--name", "Between jobs", "--fee", "10.00", "--needs-document")
    until = clock.today() + 9 * DAY
    assert ok(app, "seen-document", nora.member_number, "jobless") == f"{nora.member_number} may have jobless."
    said = ok(app, "seen-document", nora.email or "", "jobless", "--until", until.isoformat())
    assert said == f"{nora.member_number} may have jobless until {until}."
    [seen] = db.session.execute(select(SeenDocument)).scalars()
    assert (seen.person_id, seen.valid_until) == (nora.id, until)
    for wrong in (("basic", until.isoformat()), ("jobless", "2020-01-01"), ("jobless", "soon"), ("none", "2090-01-01")):
        assert is_refused(run(app, "memberships", "seen-document", nora.member_number, wrong[0], "--until", wrong[1]))


def test_grant_gives_months_days_or_life_after_what_was_paid(app: Flask, nora: Person) -> None:
    today = clock.today()
    paid = buy(nora, service.get_tier("basic"), today)
    first = paid.ends_on + DAY
    options = ("--tier", "plus", "--because", "for the choir")
    said = ok(app, "grant", nora.member_number, "--months", "1", *options)
    assert said.startswith(f"{nora.member_number} has plus from {first} to ")
    assert ok(app, "grant", nora.member_number, "--life", *options).endswith("for life.")
    assert is_refused(run(app, "memberships", "grant", nora.member_number, "--life", *options))
    terms = service.terms_of(nora.id)
    assert [(it.granted_by, it.granted_because) for it in terms[1:]] == [("command", "for the choir")] * 2
    for wrong in (("--months", "0"), (), ("--months", "1", "--life"), ("--until", "x"), ("--until", "2020-01-01")):
        assert is_refused(run(app, "memberships", "grant", nora.member_number, *options, *wrong))


def test_hold_and_release_say_what_they_did(app: Flask, nora: Person) -> None:
    number = nora.member_number
    hold = ("hold", number, "--because", "a letter came back")
    assert [ok(app, *hold) for _ in range(2)] == [f"{number} is on hold.", f"{number} is on hold already."]
    assert [ok(app, "release", number) for _ in range(2)] == [f"{number} is released.", f"{number} is not on hold."]
    assert is_refused(run(app, "memberships", "hold", number, "--because", " "))
    assert is_refused(run(app, "memberships", "release", "nobody@example.org"))
    actions = db.session.execute(select(AuditEntry.action).where(AuditEntry.subject == f"person:{nora.id}")).scalars()
    assert [it for it in actions if it != "person_added"] == ["person_held", "person_released"]


# import


def written(tmp_path: Path, *lines: str, header: str = "person,tier,starts_on,ends_on") -> str:
    path = tmp_path / "terms.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


def test_running_memberships_are_carried_over_with_their_last_days(app: Flask, nora: Person, tmp_path: Path) -> None:
    today = clock.today()
    ana, pau = somebody("Ana"), somebody("Pau")
    ana.student_id = "u1001"
    db.session.commit()
    last = today + 99 * DAY
    file = written(
        tmp_path, f"{nora.member_number},basic,2019-03-01,{last}", f"u1001,plus,,{last}", f"{pau.email},basic,,life"
    )
    assert ok(app, "import", file, "--dry-run") == "3 would be carried over, 0 left as they were."
    assert count(Term) == 0
    assert ok(app, "import", file) == "3 were carried over, 0 left as they were."
    for again in (file, file):
        assert ok(app, "import", again) == "0 were carried over, 3 left as they were."
    terms = {it.person_id: it for it in db.session.execute(select(Term)).scalars()}
    assert len(terms) == count(Term) == 3
    assert {(it.granted_by, it.granted_because, it.payment_id) for it in terms.values()} == {
        ("command", "carried over", None)
    }
    assert (terms[nora.id].starts_on, terms[nora.id].ends_on) == (date(2019, 3, 1), last)
    assert (terms[nora.id].grace_ends_on, terms[ana.id].ends_on) == (last + 30 * DAY, last)
    assert terms[ana.id].starts_on == a_year_before(last + DAY)
    assert (terms[pau.id].starts_on, terms[pau.id].ends_on) == (today, date.max)
    entries = select(func.count()).where(AuditEntry.action == "term_granted")
    assert db.session.execute(entries).scalar_one() == 3
    assert audit.find_break() is None


def a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1) if (day.month, day.day) != (2, 29) else date(day.year - 1, 3, 1)


def test_a_carried_over_member_renews_and_upgrades_as_others_do(app: Flask, nora: Person, tmp_path: Path) -> None:
    today = clock.today()
    last = today + 99 * DAY
    ok(app, "import", written(tmp_path, f"{nora.member_number},basic,{last}", header="person,tier,ends_on"))
    now = clock.now()
    offered = service.offer_for(nora.id, service.get_tier("basic"), now, today)
    assert (offered.offer.kind, offered.offer.dates.starts_on) == ("renew", last + DAY)
    [upgrade] = service.upgrade_offers(nora.id, now, today)
    assert upgrade.fee_cents < 600  # 100 days of a year, not of the days since the import


def test_one_wrong_line_refuses_the_file_and_says_why(app: Flask, nora: Person, tmp_path: Path) -> None:
    today = clock.today()
    last = (today + 99 * DAY).isoformat()
    held = buy(somebody("Ana"), service.get_tier("basic"), today)
    twin = somebody("Twin")
    twin.email = nora.email
    rob = somebody("Rob")
    db.session.commit()
    lines = {
        f"{rob.member_number},basic,,{last}": None,
        f"M-{held.person_id:06d},basic,,{last}": f"has days from {held.starts_on} to {held.ends_on} already",
        f"{rob.member_number},plus,,{last}": "already",
        f"{nora.email},basic,,{last}": "2 people share",
        f"M-999999,basic,,{last}": "nobody in the register",
        f"{rob.id},basic,,{last}": "nobody in the register",  # neither number nor address nor student id
        f"{nora.member_number},gold,,{last}": "there is no tier 'gold'",
        f"{nora.member_number},basic,,soon": "ends_on 'soon' is not a day",
        f"{nora.member_number},basic,,": "ends_on '' is not a day",
        f"{nora.member_number},basic,2027-02-30,{last}": "starts_on '2027-02-30' is not a day",
        f"{nora.member_number},basic,2090-01-01,{last}": "after that last day",
        f"{nora.member_number},basic,,2900-01-01": "more than 100 years",
        f"{nora.member_number},basic,,{last},more": "more cells",
    }
    result = run(app, "memberships", "import", written(tmp_path, *lines))
    *reasons, summary = result.stderr.splitlines()
    expected = [(n, words) for n, words in enumerate(lines.values(), 2) if words]
    assert [line.partition(":")[0] for line in reasons] == [f"line {n}" for n, _words in expected]
    for line, (_n, words) in zip(reasons, expected, strict=True):
        assert words in line
    assert (result.exit_code, summary) == (2, "Nothing was imported: 12 problems in 13 rows.")
    assert service.terms_of(rob.id) == []


@pytest.mark.parametrize(
    "header", ["", "person,tier", "person,tier,ends_on,colour", "tier,ends_on", "person,tier,ends_on,ends_on"]
)
def test_a_header_that_is_not_understood_is_refused(app: Flask, nora: Person, tmp_path: Path, header: str) -> None:
    assert is_refused(run(app, "memberships", "import", written(tmp_path, header=header)))


def test_semicolons_byte_order_mark_and_blank_lines_are_read(app: Flask, nora: Person, tmp_path: Path) -> None:
    last = clock.today() + timedelta(days=10)
    path = tmp_path / "spanish.csv"
    path.write_bytes(f"\ufeffPerson;Tier;Ends_on\r\n\r\n{nora.member_number};basic;{last}\r\n;;\r\n".encode())
    assert ok(app, "import", str(path)) == "1 were carried over, 0 left as they were."


def test_a_carried_over_term_is_explained_as_one(app: Flask, nora: Person, tmp_path: Path) -> None:
    last = clock.today() + 99 * DAY
    ok(app, "import", written(tmp_path, f"{nora.member_number},basic,,{last}"))
    answer = json.loads(ok(app, "explain", nora.member_number, "--json"))
    assert (answer["status"], answer["terms"][0]["granted_because"]) == ("active", "carried over")
    assert "was carried over from the older system" in answer["because"]
