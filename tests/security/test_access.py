"""Who may call what: every route for every kind of caller."""

from __future__ import annotations

import pytest
from flask import Flask

from app.accounts.models import AccountSession
from app.extensions import db
from app.memberships.service import terms_of
from app.payments.service import payments_of
from tests.cast import Cast
from tests.kept import everything_kept
from tests.security.routes import CALLERS, EXEMPT, MATRIX, Requests, routes

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SESSIONS = frozenset({"sign_in", "account_session", "audit_entry", "audit_head"})  # what signing in itself writes


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    assert set(MATRIX) == routes(app)


@pytest.mark.parametrize("name", CALLERS)
def test_each_caller_is_answered_as_the_matrix_says(app: Flask, cast: Cast, unlimited: None, name: str) -> None:
    requests, column = Requests(app, cast), CALLERS.index(name)
    expected = {route: row[column] for route, row in sorted(MATRIX.items(), key=lambda row: "refund" in row[0])}
    assert {route: requests.send(route, name).status_code for route in expected} == expected


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_the_forms_token_every_change_is_refused(
    app: Flask, cast: Cast, unlimited: None, token: str | None
) -> None:
    requests = Requests(app, cast)
    requests.path("GET /wifi/<credential_id>")  # alice has a device from here on
    db.session.commit()
    before = everything_kept(but=SESSIONS)
    for route in sorted(routes(app) - EXEMPT):
        if route.startswith("GET"):
            continue
        for name in ("stranger", "alice", "scanner", "treasurer"):
            response = requests.send(route, name, token)
            assert response.status_code == 400, (route, name)
            assert "had been open too long" in response.get_data(as_text=True)
    assert everything_kept(but=SESSIONS) == before
    assert db.session.query(AccountSession).filter(AccountSession.revoked_at.is_not(None)).count() == 0


def test_the_token_of_one_browser_is_of_no_use_in_another(app: Flask, cast: Cast) -> None:
    requests = Requests(app, cast)
    bobs = requests.caller("bob").token()
    assert requests.send("POST /account", "alice", bobs).status_code == 400


def test_nothing_changes_by_looking(app: Flask, cast: Cast, unlimited: None) -> None:
    requests = Requests(app, cast)
    requests.path("GET /wifi/<credential_id>")  # alice has a device from here on
    db.session.commit()
    before = everything_kept(but=SESSIONS)
    for route in sorted(route for route in routes(app) if route.startswith("GET")):
        for name in ("stranger", "alice", "admin", "treasurer"):
            requests.send(route, name)
    assert everything_kept(but=SESSIONS) == before


def test_somebody_elses_and_nobodys_things_are_equally_not_found(app: Flask, cast: Cast) -> None:
    bob = Requests(app, cast).caller("bob")
    alices = payments_of(cast.alice.id)[0].number
    for path in (f"/payments/{alices}/done", "/payments/P-2026-999999/done", "/payments/x/done"):
        response = bob.get(path)
        assert response.status_code == 404
        assert "There is no such payment." in response.get_data(as_text=True)
    treasurer = Requests(app, cast).caller("treasurer")
    for path in ("/treasury/payments/P-2026-999999", "/treasury/payments/1", "/treasury/payments/%00"):
        assert treasurer.get(path).status_code == 404
    for path in ("/admin/people/M-999999", "/admin/people/x", "/admin/people/0", "/admin/people/" + "9" * 40):
        assert treasurer.get(path).status_code == 404


def test_numbers_out_of_all_proportion_are_not_found(app: Flask, cast: Cast) -> None:
    alice = Requests(app, cast).caller("alice")
    huge = "9" * 40
    assert alice.post(f"/account/sessions/{huge}/end").status_code == 404
    assert alice.post(f"/account/sessions/{'9' * 17}/end").status_code == 404
    assert alice.post("/account/person", {"person": huge}).status_code == 404
    assert alice.get(f"/payments/P-2026-{huge}/done").status_code == 404


def test_fields_nobody_asked_for_do_nothing(app: Flask, cast: Cast) -> None:
    alice = Requests(app, cast).caller("alice")
    before = [(t.ends_on, t.tier_id) for t in terms_of(cast.alice.id)]
    extra = {
        "role": "admin", "roles": "admin", "paid_until": "2099-01-01", "valid_until": "2099-01-01", "amount": "1",
        "amount_cents": "1", "person": str(cast.bob.id), "person_id": str(cast.bob.id), "status": "active",
        "theme": "dark",
    }  # fmt: skip
    assert alice.post("/account", extra).status_code == 303
    assert alice.post("/renew", extra).status_code == 400
    assert alice.post("/join", extra).status_code < 500
    db.session.expire_all()
    assert [(t.ends_on, t.tier_id) for t in terms_of(cast.alice.id)] == before
    assert cast.account("alice").roles == []
    assert alice.get("/admin").status_code == 403
    assert "Alice Soler" in alice.get("/account").get_data(as_text=True)


def test_a_role_taken_away_is_gone_at_the_next_request(app: Flask, cast: Cast) -> None:
    treasurer = Requests(app, cast).caller("treasurer")
    assert treasurer.get("/treasury").status_code == 200
    db.session.delete(cast.account("treasurer").roles[0])
    assert treasurer.get("/treasury").status_code == 403
