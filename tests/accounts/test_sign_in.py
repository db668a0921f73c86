"""Signing in by mail: a link for any device, a code for the browser that asked."""

from __future__ import annotations

import re
import threading

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import clock
from app.accounts import rules
from app.accounts.models import Account, AccountSession, SignIn
from app.accounts.service import open_account
from app.audit import AuditEntry
from app.extensions import db
from app.jobs import Job
from app.people.service import add_person
from tests.accounts.mailbox import letters
from tests.command import run
from tests.visitor import Visitor

ALICE = "alice@example.org"


@pytest.fixture
def alice(app: Flask) -> None:
    """Known here: in the register and with an account."""
    add_person("Alice", "Soler", ALICE, clock.now())
    open_account(ALICE, clock.now())
    db.session.commit()


def count(model: type) -> int:
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def ask(visitor: Visitor, email: str = ALICE, **more: str) -> TestResponse:
    return visitor.post("/sign-in", {"email": email, **more})


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/account").status_code == 200


def test_the_link_signs_in_on_any_device_and_only_once(app: Flask, alice: None) -> None:
    ask(Visitor(app))
    (letter,) = letters(app)
    assert letter.to == ALICE
    phone, other = Visitor(app), Visitor(app)
    assert phone.post(letter.link).status_code == 303
    assert is_signed_in(phone)
    assert other.post(letter.link).status_code == 410
    assert other.get(letter.link).status_code == 410
    assert not is_signed_in(other)
    assert count(AccountSession) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_looking_at_a_link_shows_a_button_and_uses_nothing_up(app: Flask, alice: None) -> None:
    """Mail scanners open every link."""
    ask(Visitor(app))
    (letter,) = letters(app)
    scanner = Visitor(app)
    for _ in range(3):
        page = scanner.get(letter.link)
        assert page.status_code == 200 and "<form" in page.text
    assert scanner.client.head(letter.link, base_url="http://127.0.0.1").status_code == 200
    assert not is_signed_in(scanner)
    assert scanner.post(letter.link).status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("later", "status"), [("14m", 303), ("15m", 410)])
def test_the_link_works_for_fifteen_minutes(app: Flask, alice: None, later: str, status: int) -> None:
    visitor = Visitor(app)
    ask(visitor)
    (letter,) = letters(app)
    run(app, "clock", "shift", later)
    assert visitor.post(letter.link).status_code == status


def test_the_code_works_in_the_browser_that_asked_and_once(app: Flask, alice: None) -> None:
    asking, other = Visitor(app), Visitor(app)
    ask(asking)
    (letter,) = letters(app)
    assert other.post("/sign-in/code", {"code": letter.code}).status_code == 410
    ask(other, "other@example.org")
    assert other.post("/sign-in/code", {"code": letter.code}).status_code == 400
    assert not is_signed_in(other)
    assert asking.post("/sign-in/code", {"code": f" {letter.code} "}).status_code == 303
    assert is_signed_in(asking)
    asking.post("/sign-out")
    assert asking.post("/sign-in/code", {"code": letter.code}).status_code == 410


def test_the_code_uses_up_the_link_of_the_same_mail_and_the_other_way_round(app: Flask, alice: None) -> None:
    first, second = Visitor(app), Visitor(app)
    ask(first)
    (letter,) = letters(app)
    first.post("/sign-in/code", {"code": letter.code})
    assert second.post(letter.link).status_code == 410
    ask(second)
    newest = letters(app)[-1]
    assert Visitor(app).post(newest.link).status_code == 303
    assert second.post("/sign-in/code", {"code": newest.code}).status_code == 410


def test_five_wrong_tries_lock_the_code_but_neither_the_link_nor_the_person(app: Flask, alice: None) -> None:
    visitor = Visitor(app)
    ask(visitor)
    (letter,) = letters(app)
    wrong = f"{(int(letter.code.replace(' ', '')) + 1) % 10**8:08d}"
    for _ in range(5):
        answer = visitor.post("/sign-in/code", {"code": wrong})
        assert answer.status_code == 400
    assert visitor.post("/sign-in/code", {"code": letter.code}).status_code == 410  # right, and too late
    assert not is_signed_in(visitor)
    ask(visitor)
    newest = letters(app)[-1]
    assert visitor.post("/sign-in/code", {"code": newest.code}).status_code == 303
    assert Visitor(app).post(letter.link).status_code == 303


def test_the_fifth_try_may_still_be_the_right_one(app: Flask, alice: None) -> None:
    visitor = Visitor(app)
    ask(visitor)
    (letter,) = letters(app)
    for _ in range(4):
        visitor.post("/sign-in/code", {"code": "00000000" if letter.code != "0000 0000" else "11111111"})
    assert visitor.post("/sign-in/code", {"code": letter.code}).status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_code_costs_no_try(app: Flask, alice: None) -> None:
    visitor = Visitor(app)
    ask(visitor)
    for typed in ("", "1234567", "123456789", "abcdefgh", "1234 567x"):
        assert visitor.post("/sign-in/code", {"code": typed}).status_code == 400
    assert db.session.execute(select(SignIn.code_tries)).scalar_one() == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_code_is_not_asked_for_where_none_was_sent(app: Flask) -> None:
    visitor = Visitor(app)
    assert visitor.get("/sign-in/code").headers["Location"] == "/sign-in"
    assert visitor.post("/sign-in/code", {"code": "12345678"}).status_code == 410


def test_known_and_unknown_addresses_get_the_same_answer_and_each_a_mail(app: Flask, alice: None) -> None:
    seen = []
    for email in (ALICE, "nobody@example.org"):
        visitor = Visitor(app)
        asked = ask(visitor, email)
        page = visitor.get("/sign-in/code")
        text = re.sub(r'(name="csrf_token"[^>]*value=")[^"]+', r"\1TOKEN", page.text.replace(email, "ADDRESS"))
        seen.append((asked.status_code, asked.headers["Location"], len(asked.data), page.status_code, text))
    assert seen[0] == seen[1]
    assert [letter.to for letter in letters(app)] == [ALICE, "nobody@example.org"]
    assert count(Account) == 1  # asking opens nothing


def test_too_many_mails_to_one_address_stop_quietly(app: Flask, alice: None) -> None:
    visitor = Visitor(app)
    answers = {ask(visitor).status_code for _ in range(rules.MOST_MAILS_AN_HOUR + 3)}
    assert answers == {303}
    assert len(letters(app)) == rules.MOST_MAILS_AN_HOUR
    ask(visitor, "bob@example.org")
    assert letters(app)[-1].to == "bob@example.org"  # others are not kept out
    run(app, "clock", "shift", "1h")
    clock.forget()
    ask(visitor)
    assert len(letters(app)) == rules.MOST_MAILS_AN_HOUR + 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_too_many_requests_from_one_place_are_told_to_wait(app: Flask) -> None:
    visitor = Visitor(app)
    token = visitor.token()
    form = {"csrf_token": token, "email": "not an address"}
    answers = [visitor.post_without_token("/sign-in", form) for _ in range(41)]
    assert [answer.status_code for answer in answers] == [400] * 40 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert "Too many tries" in answers[-1].text


@pytest.mark.parametrize(
    "email", ["", "alice", "alice@", "a@b", "alice@example.org\x00", "x" * 250 + "@example.org", "a b@example.org"]
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_address_is_told_so_and_gets_no_mail(app: Flask, email: str) -> None:
    answer = ask(Visitor(app), email)
    assert answer.status_code == 400 and "aria-describedby" in answer.text
    assert count(SignIn) == count(Job) == 0


def test_an_address_is_the_same_whatever_its_letters(app: Flask, alice: None) -> None:
    visitor = Visitor(app)
    ask(visitor, "  Alice@Example.ORG ")
    (letter,) = letters(app)
    visitor.post(letter.link)
    assert is_signed_in(visitor) and count(Account) == 1


@pytest.mark.parametrize(
    ("asked", "leads"),
    [("/card", "/card"), ("/join?tier=plus", "/join?tier=plus"), ("//evil.example.net", "/"),
     ("https://evil.example.net/card", "/"), ("/\\evil.example.net", "/"), ("javascript:alert(1)", "/"), ("", "/")],
)  # fmt: skip
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_signing_in_leads_on_to_our_own_pages_only(app: Flask, alice: None, asked: str, leads: str) -> None:
    visitor = Visitor(app)
    ask(visitor, next=asked)
    (letter,) = letters(app)
    assert visitor.post(letter.link).headers["Location"] == leads
    again = visitor.get("/sign-in", query_string={"next": asked})
    assert again.headers["Location"] == leads  # signed in already


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_for_members_sends_to_sign_in_and_back(app: Flask, alice: None) -> None:
    visitor = Visitor(app)
    sent = visitor.get("/account/why")
    assert (sent.status_code, sent.headers["Location"]) == (302, "/sign-in?next=/account/why")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/sign-in/AbC", "/sign-out", "/account/person"])
def test_without_the_forms_token_nothing_happens(app: Flask, alice: None, path: str) -> None:
    visitor = Visitor(app, ALICE)
    before = [count(model) for model in (SignIn, AccountSession, AuditEntry, Job)]
    for form in ({"email": ALICE, "code": "12345678", "person": "1"}, {"csrf_token": "forged", "email": ALICE}):
        answer = visitor.post_without_token(path, form)
        assert answer.status_code == 400 and "This form had been open too long" in answer.text
    assert [count(model) for model in (SignIn, AccountSession, AuditEntry, Job)] == before
    assert is_signed_in(visitor)


def test_a_link_without_the_forms_token_stays_usable(app: Flask, alice: None) -> None:
    ask(Visitor(app))
    (letter,) = letters(app)
    assert Visitor(app).post_without_token(letter.link).status_code == 400
    assert Visitor(app).post(letter.link).status_code == 303


def test_two_presses_of_one_link_at_once_let_one_in(app: Flask, alice: None) -> None:
    ask(Visitor(app))
    (letter,) = letters(app)
    visitors = [Visitor(app), Visitor(app)]
    tokens = [visitor.token() for visitor in visitors]
    db.session.remove()
    start, codes = threading.Barrier(2), []

    def press(visitor: Visitor, token: str) -> None:
        with app.app_context():
            start.wait()
            codes.append(visitor.post_without_token(letter.link, {"csrf_token": token}).status_code)

    threads = [threading.Thread(target=press, args=pair) for pair in zip(visitors, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(codes) == [303, 410]


def test_two_first_sign_ins_of_one_address_at_once_open_one_account(app: Flask) -> None:
    visitors = [Visitor(app), Visitor(app)]
    for visitor in visitors:
        ask(visitor, "new@example.org")
    links = [letter.link for letter in letters(app)]
    tokens = [visitor.token() for visitor in visitors]
    db.session.remove()
    start, codes = threading.Barrier(2), []

    def press(visitor: Visitor, token: str, link: str) -> None:
        with app.app_context():
            start.wait()
            codes.append(visitor.post_without_token(link, {"csrf_token": token}).status_code)

    threads = [threading.Thread(target=press, args=given) for given in zip(visitors, tokens, links, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert codes == [303, 303]
    assert count(Account) == 1


def test_neither_link_nor_code_is_kept(app: Flask, alice: None) -> None:
    ask(Visitor(app))
    (letter,) = letters(app)
    token, code = letter.link.rpartition("/")[2], letter.code.replace(" ", "")
    kept = " ".join(str(row) for table in ("sign_in", "job", "audit_entry") for row in rows_of(table))
    assert token not in kept and code not in kept


def rows_of(table: str) -> list[object]:
    return list(db.session.execute(select(db.metadata.tables[table])).all())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mail_that_waited_too_long_is_not_sent(app: Flask, alice: None) -> None:
    ask(Visitor(app))
    run(app, "clock", "shift", "16m")
    clock.forget()
    assert letters(app) == []
