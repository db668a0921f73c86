"""Sessions: rows that can be ended, whatever copies of the cookie are about."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import delete, select

import config
from app import clock, create_app
from app.accounts.models import Account, AccountPerson, AccountRole, AccountSession
from app.accounts.service import grant_role, open_account
from app.audit import AuditEntry
from app.extensions import db
from app.people.models import Person
from app.people.service import add_person
from tests.accounts.mailbox import find_account
from tests.command import run
from tests.foundations.test_config import GOOD
from tests.visitor import TOKEN, Visitor

ALICE = "alice@example.org"


@pytest.fixture
def alice(app: Flask) -> Account:
    add_person("Alice", "Soler", ALICE, clock.now())
    account = open_account(ALICE, clock.now())
    db.session.commit()
    return account


def cookie(visitor: Visitor) -> str:
    found = visitor.client.get_cookie("carnet", domain="127.0.0.1")
    assert found is not None
    return found.value


def copied(app: Flask, value: str) -> Visitor:
    """A thief with a copy of the cookie."""
    thief = Visitor(app)
    thief.client.set_cookie("carnet", value, domain="127.0.0.1")
    return thief


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/account").status_code == 200


def sessions() -> list[AccountSession]:
    return list(db.session.execute(select(AccountSession).order_by(AccountSession.id)).scalars())


def test_signing_out_ends_a_copied_cookie_too(app: Flask, alice: Account) -> None:
    visitor = Visitor(app, ALICE)
    thief = copied(app, cookie(visitor))
    assert is_signed_in(thief)
    assert visitor.post("/sign-out").status_code == 303
    assert not is_signed_in(visitor)
    assert not is_signed_in(thief)


def test_signing_in_starts_a_new_session_and_ends_the_one_this_browser_had(app: Flask, alice: Account) -> None:
    visitor = Visitor(app, ALICE)
    before = cookie(visitor)
    visitor.sign_in(ALICE)
    assert is_signed_in(visitor)
    assert not is_signed_in(copied(app, before))
    assert [row.revoked_at is None for row in sessions()] == [False, True]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_session_planted_before_signing_in_is_worth_nothing_after(app: Flask, alice: Account) -> None:
    victim = Visitor(app)
    victim.get("/sign-in")
    planted = cookie(victim)
    victim.sign_in(ALICE)
    assert not is_signed_in(copied(app, planted))


def test_a_session_can_be_ended_from_another_device(app: Flask, alice: Account) -> None:
    phone, laptop = Visitor(app, ALICE), Visitor(app, ALICE)
    lost = sessions()[0].id
    assert f'formaction="/account/sessions/{lost}/end"' in laptop.get("/account").text
    assert laptop.post(f"/account/sessions/{lost}/end").status_code == 303
    assert not is_signed_in(phone)
    assert is_signed_in(laptop)
    assert laptop.post(f"/account/sessions/{lost}/end").status_code == 303  # once more does no harm
    ended = select(AuditEntry).where(AuditEntry.action == "session_ended")
    assert len(db.session.execute(ended).all()) == 1


@pytest.mark.parametrize("number", ["mine", "0", "999999", "99999999999999999999"])
def test_a_session_of_somebody_else_does_not_exist(app: Flask, alice: Account, number: str) -> None:
    visitor, mallory = Visitor(app, ALICE), Visitor(app, "mallory@example.org")
    foreign = str(sessions()[0].id) if number == "mine" else number
    assert mallory.post(f"/account/sessions/{foreign}/end").status_code == 404
    assert is_signed_in(visitor)


def test_a_disabled_account_is_out_at_its_next_request_and_cannot_come_back(app: Flask, alice: Account) -> None:
    visitor = Visitor(app, ALICE)
    alice.disabled_at = clock.now()
    db.session.commit()
    assert not is_signed_in(visitor)
    with pytest.raises(AssertionError, match="could not sign in: 403"):
        Visitor(app, ALICE)
    assert len(sessions()) == 1


def test_a_lost_role_is_lost_at_the_next_request(app: Flask) -> None:
    account = open_account("admin@example.org", clock.now())
    grant_role(account, "admin", clock.now())
    admin = Visitor(app, "admin@example.org")
    assert admin.get("/admin").status_code == 200
    db.session.execute(delete(AccountRole))
    assert admin.get("/admin").status_code == 403


def test_a_granted_role_counts_at_the_next_request_and_is_granted_once(app: Flask, alice: Account) -> None:
    visitor = Visitor(app, ALICE)
    assert visitor.get("/admin").status_code == 403
    for _ in range(2):
        grant_role(alice, "admin", clock.now())
    assert visitor.get("/admin").status_code == 200
    granted = select(AuditEntry).where(AuditEntry.action == "role_granted")
    assert len(db.session.execute(granted).all()) == 1


@pytest.mark.parametrize(("away", "live"), [("29d", True), ("30d", False)])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_session_unused_for_a_month_is_over(app: Flask, alice: Account, away: str, live: bool) -> None:
    visitor = Visitor(app, ALICE)
    run(app, "clock", "shift", away)
    assert is_signed_in(visitor) is live


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_session_in_daily_use_is_over_after_three_months(app: Flask, alice: Account) -> None:
    visitor = Visitor(app, ALICE)
    for _ in range(3):
        run(app, "clock", "shift", "29d")
        assert is_signed_in(visitor)
    run(app, "clock", "shift", "3d")
    assert not is_signed_in(visitor)


@pytest.mark.parametrize("path", ["/account", "/"])
def test_being_seen_is_noted_now_and_then_only(app: Flask, alice: Account, path: str) -> None:
    visitor = Visitor(app, ALICE)
    first = sessions()[0].last_seen_at
    visitor.get(path)
    assert sessions()[0].last_seen_at == first
    run(app, "clock", "shift", "11m")
    visitor.get(path)
    assert sessions()[0].last_seen_at > first


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cookie_that_was_tampered_with_is_no_cookie(app: Flask, alice: Account) -> None:
    value = cookie(Visitor(app, ALICE))
    for forged in (value[:-2] + ("AA" if value[-2:] != "AA" else "BB"), "", "x" * 3000, value.split(".")[0]):
        assert not is_signed_in(copied(app, forged))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_cookie_is_for_http_on_this_site_only(app: Flask, alice: Account) -> None:
    visitor = Visitor(app)
    header = visitor.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in header and "SameSite=Lax" in header and "Path=/" in header
    assert header.startswith("carnet=") and "Domain" not in header


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_in_production_the_cookie_is_bound_to_https_and_this_very_host(app: Flask, database_url: str) -> None:
    production = create_app(config.load({**GOOD, "DATABASE_URL": database_url}))
    answer = production.test_client().get("/sign-in", base_url="https://alumni.example.org")
    header = answer.headers["Set-Cookie"]
    assert header.startswith("__Host-carnet=") and "Secure" in header and "Domain" not in header
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")


def family(app: Flask) -> tuple[Person, Person]:
    both = [add_person(name, "Puig", "puig@example.org", clock.now()) for name in ("Anna", "Pau")]
    db.session.commit()
    return both[0], both[1]


def test_an_address_of_one_person_on_file_claims_that_record(app: Flask) -> None:
    person = add_person("Alice", "Soler", ALICE, clock.now())
    visitor = Visitor(app, ALICE)
    assert "Alice Soler" in visitor.get("/account").text
    assert db.session.execute(select(AccountPerson.person_id)).scalars().all() == [person.id]
    visitor.sign_in(ALICE)
    assert len(db.session.execute(select(AccountPerson)).all()) == 1


def test_an_address_nobody_is_on_file_with_opens_an_account_for_nobody(app: Flask) -> None:
    visitor = Visitor(app, "stranger@example.org")
    assert visitor.get("/").headers["Location"] == "/join"
    account = find_account("stranger@example.org")
    assert account is not None and account.persons == []


def test_a_shared_address_asks_who_is_here_and_shows_that_persons_pages(app: Flask) -> None:
    anna, pau = family(app)
    visitor = Visitor(app, "puig@example.org")
    for path in ("/account", "/card", "/join", "/"):
        assert visitor.get(path).headers["Location"].startswith("/account/person")
    page = visitor.get("/account/person").text
    assert "Anna Puig" in page and "Pau Puig" in page
    token = {"csrf_token": visitor_token(visitor)}
    chosen = visitor.post_without_token("/account/person", {**token, "person": str(pau.id), "next": "/account"})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/account")
    assert "Pau Puig" in visitor.get("/account").text
    visitor.post_without_token("/account/person", {**token, "person": str(anna.id)})
    assert "Anna Puig" in visitor.get("/account").text


def visitor_token(visitor: Visitor) -> str:
    found = TOKEN.search(visitor.get("/account/person").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("chosen", ["mallory", "", "0", "x", "-1", "9999999999999999999999", "1.0", "１"])
def test_nobody_can_choose_to_be_somebody_else(app: Flask, chosen: str) -> None:
    mallory = add_person("Mallory", "Camps", "mallory@example.org", clock.now())
    family(app)
    visitor = Visitor(app, "puig@example.org")
    wanted = str(mallory.id) if chosen == "mallory" else chosen
    form = {"csrf_token": visitor_token(visitor), "person": wanted}
    assert visitor.post_without_token("/account/person", form).status_code == 404
    assert sessions()[0].person_id is None


def test_a_person_taken_from_an_account_is_gone_from_its_sessions_at_once(app: Flask, alice: Account) -> None:
    visitor = Visitor(app, ALICE)
    assert "Alice Soler" in visitor.get("/account").text
    db.session.execute(delete(AccountPerson))
    assert "Alice Soler" not in visitor.get("/account").text


def test_a_person_claimed_since_is_there_without_signing_in_anew(app: Flask) -> None:
    visitor = Visitor(app, ALICE)
    assert visitor.get("/").headers["Location"] == "/join"
    add_person("Alice", "Soler", ALICE, clock.now())
    open_account(ALICE, clock.now())
    assert "Alice Soler" in visitor.get("/account").text


def test_a_person_who_has_an_account_is_not_claimed_by_another(app: Flask) -> None:
    person = add_person("Alice", "Soler", ALICE, clock.now())
    first = open_account(ALICE, clock.now())
    person.email = "new@example.org"
    second = open_account("new@example.org", clock.now())
    assert first.persons == [person] and second.persons == []
