"""The API's manners: problem documents, keys, limits, and a document that says what is true."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from app import clock
from app.extensions import db
from app.services.keys import REMEMBERED, keys_of, revoke_key
from app.services.models import ServiceKey
from app.services.service import add_service
from app.verification.models import Verification
from tests.cast import Cast
from tests.verification.asking import PATH, ask, live, send
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def post(app: Flask, body: bytes, **headers: str) -> TestResponse:
    kind = headers.pop("content_type", "application/json")
    return Visitor(app).post_without_token(PATH, body, content_type=kind, headers=headers)


def assert_problem(response: TestResponse, status: int, code: str) -> None:
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/problem+json"
    problem = response.json
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"] and problem["title"]


BODIES = [
    (b"", "application/json", 400, "bad_json"),
    (b"{", "application/json", 400, "bad_json"),
    (b"\xff\xfe\xff", "application/json", 400, "bad_json"),
    (b"[" * 5000, "application/json", 400, "bad_json"),
    (b'{"credential": 1' + b"0" * 5000 + b"}", "application/json", 400, "bad_json"),
    (b"[]", "application/json", 422, "bad_question"),
    (b"null", "application/json", 422, "bad_question"),
    (b'"text"', "application/json", 422, "bad_question"),
    (b"{}", "application/json", 422, "bad_question"),
    (b'{"credential": null}', "application/json", 422, "bad_question"),
    (b'{"credential": 12}', "application/json", 422, "bad_question"),
    (b'{"credential": ""}', "application/json", 422, "bad_question"),
    (b'{"credential": "' + b"1" * 401 + b'"}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "name": "x"}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "valid": true}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "benefit": "WI FI"}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "benefit": "\\ud800"}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "nonce": ""}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "nonce": "\\u0000"}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "nonce": "\\ud800"}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "nonce": "a\\n"}', "application/json", 400, "bad_nonce"),
    (b'{"credential": "1", "nonce": "' + b"n" * 101 + b'"}', "application/json", 422, "bad_question"),
    (b'{"credential": "1", "benefit": "nothing"}', "application/json", 400, "unknown_benefit"),
    (b'{"credential": "' + b"1" * 20_000 + b'"}', "application/json", 413, "too_large"),
    (b'{"credential": "1"}', "text/plain", 415, "not_json"),
    (b"credential=1", "application/x-www-form-urlencoded", 415, "not_json"),
]


@SQLITE
def test_a_wrong_question_is_a_problem_that_says_so_and_is_not_logged(app: Flask, cast: Cast) -> None:
    for body, kind, status, code in BODIES:
        response = post(app, body, content_type=kind, Authorization=f"Bearer {cast.library_key}")
        assert (response.status_code, response.json["code"]) == (status, code), body[:60]
        assert_problem(response, status, code)
    assert db.session.query(Verification).count() == 0


@SQLITE
def test_the_field_at_fault_is_named(app: Flask, cast: Cast) -> None:
    detail = send(app, cast.library_key, "1", shoe_size=42).json["detail"]
    assert "shoe_size" in detail


@SQLITE
def test_without_a_good_key_nothing_is_answered(app: Flask, cast: Cast) -> None:
    key, code = cast.library_key, live(cast.alice)
    for header in (
        None, "", "Bearer", "Bearer ", f"Basic {key}", key, f"Bearer {key}x", f"Bearer {key[:-1]}", f"Token {key}",
        f"Bearer {key} {key}", f"Bearer {key.upper()}", "Bearer \xe9", f"Bearer,{key}",
    ):  # fmt: skip
        headers = {} if header is None else {"Authorization": header}
        response = Visitor(app).post_json(PATH, {"credential": code}, **headers)
        assert_problem(response, 401, "unknown_service_key")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    in_address = Visitor(app).post_json(f"{PATH}?key={key}&access_token={key}", {"credential": code})
    assert_problem(in_address, 401, "unknown_service_key")
    assert db.session.query(Verification).count() == 0


@SQLITE
def test_the_scheme_is_read_whatever_its_case(app: Flask, cast: Cast) -> None:
    for scheme in ("Bearer", "bearer", "BEARER", "Bearer "):
        headers = {"Authorization": f"{scheme} {cast.library_key}"}
        assert Visitor(app).post_json(PATH, {"credential": "1"}, **headers).status_code == 200


def test_a_revoked_key_is_refused_at_the_next_question(app: Flask, cast: Cast) -> None:
    code = live(cast.alice)
    ask(app, cast.library_key, code)
    (key,) = keys_of(cast.library.id)
    revoke_key(cast.library, key.id, clock.now())
    assert_problem(send(app, cast.library_key, code), 401, "unknown_service_key")


@SQLITE
def test_what_another_process_revoked_is_refused_within_fifteen_seconds(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, passed = live(cast.alice), [0.0]
    monotonic = time.monotonic
    monkeypatch.setattr("app.services.keys.time.monotonic", lambda: monotonic() + passed[0])
    ask(app, cast.library_key, code)
    key = db.session.query(ServiceKey).filter_by(service_id=cast.library.id).one()
    key.revoked_at, key.slot = clock.now(), None  # as another process does: this one is not told
    passed[0] = REMEMBERED
    assert_problem(send(app, cast.library_key, code), 401, "unknown_service_key")
    assert REMEMBERED <= 15


@SQLITE
def test_a_desks_key_may_not_ask(app: Flask, cast: Cast) -> None:
    _service, key = add_service("Door", ["scan"], None, cast.now)
    assert_problem(send(app, key, live(cast.alice)), 403, "missing_scope")


@SQLITE
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"])
def test_another_method_is_told_which_one_to_use(app: Flask, cast: Cast, method: str) -> None:
    response = Visitor(app)._send(method, PATH, headers={"Authorization": f"Bearer {cast.library_key}"})
    assert_problem(response, 405, "wrong_method")
    assert "POST" in response.headers["Allow"]


@SQLITE
@pytest.mark.parametrize("path", ["/", "/card", "/scan", "/C/1", "/treasury", "/api/v1/openapi.json"])
def test_nothing_is_traced(app: Flask, path: str) -> None:
    response = Visitor(app)._send("TRACE", path)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


@SQLITE
def test_an_unknown_address_of_the_api_is_a_problem(app: Flask) -> None:
    assert_problem(Visitor(app).get("/api/v1/nothing"), 404, "not_found")


@SQLITE
def test_each_key_has_a_limit_of_its_own_and_is_told_of_it(app: Flask, cast: Cast) -> None:
    _service, other = add_service("Gym", ["verify"], None, cast.now)
    left = [int(send(app, cast.library_key, "1").headers["X-RateLimit-Remaining"]) for _ in range(2)]
    answer = send(app, other, "1")
    assert left == [599, 598]
    assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("600", "599")
    assert int(answer.headers["X-RateLimit-Reset"]) > 0


@SQLITE
def test_past_the_limit_a_service_is_told_when_to_come_back(app: Flask, cast: Cast) -> None:
    for _ in range(600):
        response = post(app, b"{}", Authorization=f"Bearer {cast.library_key}")
        assert response.status_code == 422
    response = post(app, b"{}", Authorization=f"Bearer {cast.library_key}")
    assert_problem(response, 429, "too_many")
    assert 0 < int(response.headers["Retry-After"]) <= 60


def document(app: Flask) -> dict[str, Any]:
    response = Visitor(app).get("/api/v1/openapi.json")
    assert response.status_code == 200
    found: dict[str, Any] = response.json
    return found


@SQLITE
def test_the_document_is_openapi_3_1(app: Flask) -> None:
    spec = document(app)
    assert spec["openapi"].startswith("3.1")
    validate(spec)
    operation = spec["paths"][PATH]["post"]
    assert operation["security"] == [{"serviceKey": ["verify"]}]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "413", "415", "422", "429"}
    for status, response in operation["responses"].items():
        assert list(response["content"]) == ["application/json" if status == "200" else "application/problem+json"]


@SQLITE
def test_answers_and_problems_are_what_the_document_says(app: Flask, cast: Cast) -> None:
    spec = document(app)

    def check(name: str, value: Any) -> None:
        schema = {**spec["components"]["schemas"][name], "components": spec["components"]}
        OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER).validate(value)

    for code in (live(cast.alice), live(cast.bob), live(cast.carol), "1"):
        check("Answer", ask(app, cast.library_key, code))
    check("Problem", send(app, "no key", "1").json)


@SQLITE
def test_the_same_is_there_to_be_read(app: Flask) -> None:
    page = Visitor(app).get("/api/v1/docs").get_data(as_text=True)
    for word in ("/api/v1/verifications", "credential", "check_identity", "not_entitled", "problem"):
        assert word in page
