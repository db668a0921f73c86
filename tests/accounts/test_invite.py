"""`flask accounts invite`: a role and a link that works once."""

from __future__ import annotations

import pytest
from flask import Flask

from app import clock
from app.accounts.service import has_role
from app.people.service import add_person
from tests.accounts.mailbox import find_account
from tests.command import run
from tests.visitor import Visitor


def path_of(link: str) -> str:
    start = "http://127.0.0.1:8000"
    assert link.startswith(f"{start}/sign-in/") and link.count("\n") == 1
    return link.removeprefix(start).strip()


@pytest.mark.parametrize(("role", "page"), [("admin", "/admin"), ("treasurer", "/treasury"), ("scanner", "/scan")])
def test_an_invitation_gives_the_role_and_a_link_that_works_once(app: Flask, role: str, page: str) -> None:
    result = run(app, "accounts", "invite", "New@Example.org", "--role", role)
    assert (result.exit_code, result.stderr) == (0, "")
    visitor = Visitor(app)
    assert visitor.post(path_of(result.stdout)).status_code == 303
    assert visitor.get(page).status_code == 200
    assert Visitor(app).post(path_of(result.stdout)).status_code == 410
    account = find_account("new@example.org")
    assert account is not None and has_role(account, role)


def test_an_invited_member_gets_no_role_and_their_own_record(app: Flask) -> None:
    add_person("Alice", "Soler", "alice@example.org", clock.now())
    result = run(app, "accounts", "invite", "alice@example.org", "--role", "member")
    visitor = Visitor(app)
    visitor.post(path_of(result.stdout))
    assert "Alice Soler" in visitor.get("/account").text
    assert visitor.get("/admin").status_code == 403


def test_inviting_twice_makes_one_account_and_two_links(app: Flask) -> None:
    links = [run(app, "accounts", "invite", "a@example.org", "--role", "admin").stdout for _ in range(2)]
    assert links[0] != links[1]
    for link in links:
        assert Visitor(app).post(path_of(link)).status_code == 303
    account = find_account("a@example.org")
    assert account is not None and [held.role for held in account.roles] == ["admin"]


@pytest.mark.parametrize(("later", "status"), [("6d", 303), ("7d", 410)])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_invitation_waits_seven_days(app: Flask, later: str, status: int) -> None:
    link = run(app, "accounts", "invite", "a@example.org", "--role", "member").stdout
    run(app, "clock", "shift", later)
    assert Visitor(app).post(path_of(link)).status_code == status


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_invitation_has_no_code_that_could_be_guessed(app: Flask) -> None:
    run(app, "accounts", "invite", "a@example.org", "--role", "admin")
    visitor = Visitor(app)
    for code in ("00000000", "12345678"):
        assert visitor.post("/sign-in/code", {"code": code}).status_code == 410
