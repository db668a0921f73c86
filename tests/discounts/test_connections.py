"""A member sees where their membership signs them in, and ends it; the office says which partners there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app import clock
from app.audit import AuditEntry
from app.discounts.models import OpenIdConnection
from app.extensions import db
from app.services.service import add_service
from tests.cast import Cast
from tests.command import is_refused, run
from tests.discounts.shop import BACK, Shop, query_of
from tests.kept import everything_kept
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(app: Flask, cast: Cast) -> Shop:
    return Shop(app)


@pytest.fixture
def alice(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "alice@example.org")


def number() -> int:
    return int(db.session.query(OpenIdConnection.id).order_by(OpenIdConnection.id.desc()).limit(1).scalar())


def test_a_connection_ended_by_the_member_ends_its_tokens_and_codes(shop: Shop, alice: Visitor) -> None:
    token, code = shop.token_of(alice), shop.allowed_by(alice)
    page = alice.get("/account/connections").get_data(as_text=True)
    assert "Courses" in page and "your membership" in page and f"/account/connections/{number()}/end" in page
    for _ in range(2):  # pressed twice is once
        assert alice.post(f"/account/connections/{number()}/end").status_code == 303
    assert "Courses" not in alice.get("/account/connections").get_data(as_text=True).replace("Courses learns", "")
    assert shop.userinfo(token).status_code == 401
    assert shop.introspect(token) == {"active": False}
    assert shop.redeem(code).get_json()["error"] == "invalid_grant"
    assert alice.get(shop.address()).status_code == 200  # asked anew
    assert db.session.query(AuditEntry).filter_by(action="connection_ended").count() == 1


def test_what_is_allowed_again_after_the_end_is_a_new_connection(shop: Shop, alice: Visitor) -> None:
    shop.token_of(alice, scope="openid email")
    first = number()
    alice.post(f"/account/connections/{first}/end")
    shop.token_of(alice)
    assert number() != first
    assert db.session.get_one(OpenIdConnection, number()).scopes == "openid membership"


def test_somebody_elses_connection_is_not_there(app: Flask, shop: Shop, alice: Visitor) -> None:
    token = shop.token_of(alice)
    bob = Visitor(app, "bob@example.org")
    for mine in (number(), 999, "x", "9" * 40, "-1"):
        assert bob.post(f"/account/connections/{mine}/end").status_code == 404
    assert bob.post_without_token(f"/account/connections/{number()}/end").status_code == 400
    assert "Courses" not in bob.get("/account/connections").get_data(as_text=True)
    assert shop.userinfo(token).status_code == 200


@SQLITE
def test_after_a_year_the_person_is_asked_again(shop: Shop, alice: Visitor) -> None:
    token = shop.token_of(alice, scope="openid email")
    row = db.session.get_one(OpenIdConnection, number())
    assert row.expires_at - row.allowed_at == timedelta(days=365)
    row.expires_at = clock.now()
    assert shop.userinfo(token).status_code == 401
    assert alice.get(shop.address(scope="openid")).status_code == 200
    assert "Courses" not in alice.get("/account/connections").get_data(as_text=True)
    shop.token_of(alice)
    assert db.session.get_one(OpenIdConnection, number()).scopes == "openid membership"


@SQLITE
def test_a_closed_account_signs_in_nowhere_else_either(cast: Cast, shop: Shop, alice: Visitor) -> None:
    token = shop.token_of(alice)
    cast.account("alice").disabled_at = clock.now()
    assert shop.userinfo(token).status_code == 401


@SQLITE
def test_the_office_connects_a_partner_and_the_secret_is_shown_once(app: Flask, cast: Cast) -> None:
    add_service("Courses", ["openid"], None, cast.now)
    said = run(app, "openid", "add-client", "Courses", "--redirect-uri", BACK, "--scope", "membership")
    lines = dict(line.split() for line in said.stdout.splitlines())
    assert lines["Issuer"] == app.config["BASE_URL"] and lines["Client"].startswith("c-")
    assert lines["Secret"] not in str(everything_kept())
    assert run(app, "openid", "list").stdout.split() == ["Courses", lines["Client"], "openid", "membership", BACK]
    page = Visitor(app, "admin@example.org").get("/admin/openid").get_data(as_text=True)
    assert "Courses" in page and lines["Client"] in page and BACK in page and "Never" in page
    assert is_refused(run(app, "openid", "add-client", "Courses", "--redirect-uri", BACK))


@SQLITE
@pytest.mark.parametrize(
    "arguments",
    [
        ("add-client", "Nobody", "--redirect-uri", BACK),
        ("add-client", "Library", "--redirect-uri", BACK),  # which has no scope openid
        ("add-client", "Shop", "--redirect-uri", "http://courses.example.org/cb"),
        ("add-client", "Shop", "--redirect-uri", BACK, "--scope", "payments"),
        ("rotate-secret", "Shop"),
        ("end-client", "Shop"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(app: Flask, cast: Cast, arguments: tuple[str, ...]) -> None:
    add_service("Shop", ["openid"], None, cast.now)
    before = everything_kept()
    assert is_refused(run(app, "openid", *arguments))
    assert everything_kept() == before


@SQLITE
def test_an_old_secret_is_good_for_a_day_more_unless_it_leaked(app: Flask, shop: Shop, alice: Visitor) -> None:
    old, new = shop.secret, run(app, "openid", "rotate-secret", "Courses").stdout.strip()
    asked = {"grant_type": "client_credentials"}
    assert [shop.call("/oauth/token", asked, secret=it).status_code for it in (old, new)] == [200, 200]
    newest = run(app, "openid", "rotate-secret", "Courses", "--at-once").stdout.strip()
    answers = [shop.call("/oauth/token", asked, secret=it).status_code for it in (old, new, newest)]
    assert answers == [401, 401, 200]


@SQLITE
def test_the_day_of_an_old_secret_has_an_end(app: Flask, shop: Shop) -> None:
    run(app, "openid", "rotate-secret", "Courses")
    assert run(app, "clock", "shift", "86399s").exit_code == 0
    asked = {"grant_type": "client_credentials"}
    assert shop.call("/oauth/token", asked).status_code == 200
    run(app, "clock", "shift", "2s")
    assert shop.call("/oauth/token", asked).status_code == 401


@SQLITE
def test_a_partner_that_was_ended_signs_nobody_in(app: Flask, shop: Shop, alice: Visitor) -> None:
    token, address = shop.token_of(alice), shop.address()
    assert run(app, "openid", "end-client", "Courses").exit_code == 0
    assert alice.get(address).status_code == 400
    assert shop.userinfo(token).status_code == 401
    assert shop.call("/oauth/token", {"grant_type": "client_credentials"}).status_code == 401
    assert "ended" in Visitor(app, "admin@example.org").get("/admin/openid").get_data(as_text=True)


@SQLITE
def test_other_addresses_and_scopes_count_from_then_on(app: Flask, shop: Shop, alice: Visitor) -> None:
    moved = "https://learn.example.org/cb"
    said = run(app, "openid", "change-client", "Courses", "--redirect-uri", moved, "--scope", "membership")
    assert moved in said.stdout
    assert alice.get(shop.address()).status_code == 400
    page = alice.get(shop.address(redirect_uri=moved, scope="openid email")).get_data(as_text=True)
    assert "Your email address" not in page
    assert "error" not in query_of(alice.post(shop.address(redirect_uri=moved), {"decision": "sign_in"}))
