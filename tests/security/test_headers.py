"""Headers on every answer, good or bad; the session's cookie; the hosts we answer for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.accounts import access
from app.cards.keys import complete
from app.clock import date
from app.extensions import db
from tests.cast import Cast
from tests.databases import configuration
from tests.security.routes import MATRIX, Requests
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
FOR_THE_SCANNER = POLICY + "; script-src 'self' 'wasm-unsafe-eval'"


def assert_guarded(response: TestResponse, policy: str = POLICY) -> None:
    assert response.headers.getlist("Content-Security-Policy") == [policy]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Request-Id"]


def test_every_answer_carries_the_strict_policy_and_is_kept_by_nobody(app: Flask, cast: Cast, unlimited: None) -> None:
    requests = Requests(app, cast)
    for route in MATRIX:
        for name in ("stranger", "alice", "scanner"):
            response = requests.send(route, name)
            assert_guarded(response, FOR_THE_SCANNER if route == "GET /scan" else POLICY)
            kept = "public, max-age=300" if "jwks" in route or "card-status" in route else "no-store"
            assert response.headers["Cache-Control"] == kept, route
            assert "Strict-Transport-Security" not in response.headers


def test_errors_carry_it_too(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> str:
        raise ZeroDivisionError

    monkeypatch.setitem(app.view_functions, "portal.privacy", access.public(breaks))
    alice = Visitor(app, "alice@example.org")
    for path, status in (
        ("/nothing", 404), ("/admin", 403), ("/sign-in/used", 410), ("/privacy", 500), ("/api/v1/nothing", 404),
        ("/static/nothing.js", 404), ("/static/../../config.py", 404), ("/scan/verifications", 405),
    ):  # fmt: skip
        response = alice.get(path)
        assert response.status_code == status, path
        assert_guarded(response)
    assert "ZeroDivision" not in alice.get("/privacy").get_data(as_text=True)
    too_large = alice.post("/join", {"tier": "x" * 1_100_000})
    assert too_large.status_code == 413
    assert_guarded(too_large)


def test_our_own_files_may_be_kept(app: Flask) -> None:
    response = Visitor(app).get("/static/carnet.css")
    assert response.status_code == 200
    assert_guarded(response)
    assert "no-store" not in response.headers["Cache-Control"]


def test_only_the_scanner_may_run_webassembly(app: Flask, cast: Cast) -> None:
    scanner = Visitor(app, "scanner@example.org")
    assert_guarded(scanner.get(f"/scan?desk={cast.desk.id}"), FOR_THE_SCANNER)
    for path in ("/card", "/account", "/"):
        assert "wasm" not in scanner.get(path).headers["Content-Security-Policy"]


def cookies(response: TestResponse) -> list[str]:
    return response.headers.getlist("Set-Cookie")


def test_on_loopback_the_cookie_is_plain_but_out_of_scripts_reach(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "alice@example.org")
    (cookie,) = cookies(visitor.post("/account", {"theme": "dark"}))
    parts = {part.strip().partition("=")[0] for part in cookie.split(";")}
    assert cookie.startswith("carnet=")
    assert {"HttpOnly", "Path", "SameSite"} <= parts and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert not {"Secure", "Domain"} & parts


def test_only_the_sessions_cookie_is_ever_set(app: Flask, cast: Cast, unlimited: None) -> None:
    requests = Requests(app, cast)
    names = {
        cookie.partition("=")[0]
        for route in MATRIX
        for name in ("stranger", "alice")
        for cookie in cookies(requests.send(route, name))
    }
    assert names == {"carnet"}


@pytest.fixture
def https_app(database_url: str, instance: Path, tmp_path: Path) -> Iterator[Flask]:
    """The same in production: an https address and secrets of one's own."""
    config = configuration(
        database_url, instance, BASE_URL="https://alumni.example.org", MAIL_URL=tmp_path.as_uri(),
        SECRET_KEY=secrets.token_urlsafe(48), CARD_KEYS=complete(None, date(2026, 1, 1)).dump(),
        STRIPE_SECRET_KEY=f"sk_test_{secrets.token_hex(16)}",
        STRIPE_WEBHOOK_SECRET=f"whsec_{secrets.token_hex(16)}",
    )  # fmt: skip
    app = create_app(config)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_over_https_the_cookie_is_bound_to_the_host(https_app: Flask) -> None:
    response = Visitor(https_app).get("/sign-in")
    (cookie,) = cookies(response)
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert cookie.startswith("__Host-carnet=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.startswith("Domain") for part in parts)
    assert response.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


def knock(client: FlaskClient, host: str, path: str = "/", **headers: str) -> TestResponse:
    return client.get(path, base_url=f"http://{host}", headers=headers)


def test_a_host_that_is_not_ours_is_refused(app: Flask) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "alumni.example.org", "127.0.0.2"):
        for path in ("/", "/sign-in", "/api/v1/openapi.json", "/static/carnet.css", "/nothing"):
            response = knock(app.test_client(), host, path)
            assert response.status_code == 400, (host, path)
            assert host not in response.get_data(as_text=True)
            assert_guarded(response)


def test_in_production_loopback_is_a_foreign_host_too(https_app: Flask) -> None:
    assert knock(https_app.test_client(), "127.0.0.1").status_code == 400
    assert knock(https_app.test_client(), "alumni.example.org").status_code == 200


def test_nobody_talks_us_into_another_host(app: Flask, cast: Cast) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    response = Visitor(app).get("/", headers=headers)
    assert response.status_code == 200
    assert "evil.example" not in response.get_data(as_text=True) + str(response.headers)
    redirect = Visitor(app).get("/card", headers=headers)
    assert redirect.headers["Location"].startswith("/sign-in")


def test_after_signing_in_one_stays_on_this_site(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "\t//e.org"):
        response = alice.get("/sign-in", query_string={"next": elsewhere})
        assert response.headers["Location"] == "/", elsewhere
