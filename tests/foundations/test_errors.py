"""What people and programs are shown when something cannot be done, or breaks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.accounts import access
from app.errors import Refusal
from tests.databases import configuration
from tests.visitor import Visitor

pytestmark = pytest.mark.adds_pages
JSON = {"Accept": "application/json"}


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    @app.route("/breaks", methods=["GET", "POST"])
    @access.public
    def breaks() -> str:
        raise KeyError("canary@example.org")

    @app.get("/refuses")
    @access.public
    def refuses() -> str:
        raise Refusal("out_of_cards", "There are no cards left. Come back tomorrow.", 409)

    return Visitor(app)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/breaks", 500, "broken"), ("/refuses", 409, "out_of_cards"), ("/nowhere", 404, "not_found"),
     ("/sign-out", 405, "wrong_method")],
)  # fmt: skip
def test_every_error_is_a_page_for_people_and_a_problem_document_for_programs(
    visitor: Visitor, path: str, status: int, code: str
) -> None:
    page = visitor.get(path, headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert page.text.count("<h1") == 1
    answer = visitor.get(path, headers=JSON)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = answer.get_json()
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"] and problem["title"]


@pytest.mark.parametrize("headers", [{"Accept": "text/html"}, JSON])
def test_a_broken_page_shows_no_trace_of_what_broke(visitor: Visitor, headers: dict[str, str]) -> None:
    answer = visitor.get("/breaks", headers=headers)
    for word in ("canary", "Traceback", "KeyError", ".py"):
        assert word not in answer.text


def test_an_error_page_names_the_request_so_that_it_can_be_found_in_the_log(visitor: Visitor) -> None:
    first, second = visitor.get("/breaks"), visitor.get("/breaks")
    reference = first.headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9A-F]{8}", reference) and reference in first.text
    assert second.headers["X-Request-Id"] != reference


@pytest.mark.parametrize("path", ["/breaks", "/refuses", "/nowhere", "/", "/healthz", "/sign-in"])
def test_every_response_carries_the_headers_that_protect_it(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe-inline" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "Referrer-Policy" in headers and "X-Request-Id" in headers


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_foreign_host_name_gets_no_page_of_ours(visitor: Visitor) -> None:
    answer = visitor.client.get("/", base_url="http://evil.example.net")
    assert answer.status_code == 400
    assert "evil.example.net" not in answer.text and "<a" not in answer.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_without_its_token_is_refused_in_words(visitor: Visitor) -> None:
    answer = visitor.post_without_token("/sign-in", {"email": "alice@example.org"})
    assert answer.status_code == 400
    assert "This form had been open too long" in answer.text
    assert visitor.client.post("/sign-in", headers=JSON, base_url="http://127.0.0.1").get_json()["code"] == "csrf"


@pytest.mark.parametrize(
    "gone", ["postgresql+psycopg://carnet@127.0.0.1:1/carnet", "sqlite:////nowhere/at/all/carnet.sqlite"]
)
@pytest.mark.parametrize("path", ["/", "/sign-in"])
def test_the_error_page_appears_even_with_the_database_gone(instance: Path, gone: str, path: str) -> None:
    visitor = create_app(configuration(gone, instance)).test_client()
    page = visitor.get(path, base_url="http://127.0.0.1:8000")
    assert page.status_code == 500
    assert "Something broke on our side" in page.text and page.headers["X-Request-Id"] in page.text
    assert visitor.get(path, base_url="http://127.0.0.1:8000", headers=JSON).get_json()["code"] == "broken"


def test_being_alive_does_not_depend_on_the_database(instance: Path) -> None:
    visitor = create_app(configuration("postgresql+psycopg://carnet@127.0.0.1:1/carnet", instance)).test_client()
    assert visitor.get("/healthz", base_url="http://127.0.0.1:8000").status_code == 200
    assert visitor.get("/readyz", base_url="http://127.0.0.1:8000").status_code == 500
