"""The API's document: whole, true, and with examples that work when they are copied."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from app.extensions import db
from app.services.documenting import METHODS
from app.services.service import SCOPES, add_service
from config import ROOT
from tests.cast import Cast
from tests.services.live import serve
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OWN_PAGES = {"/api/v1/openapi.json", "/api/v1/docs"}


def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = Visitor(app).get("/api/v1/openapi.json").json
    return found


def operations(app: Flask) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): shape[method]
        for path, shape in document(app)["paths"].items()
        for method in METHODS
        if method in shape
    }


def test_the_document_is_valid_openapi_3_1(app: Flask) -> None:
    found = document(app)
    assert found["openapi"].startswith("3.1")
    validate(found)
    assert found["servers"] == [{"url": app.config["BASE_URL"]}]


def test_every_address_of_the_api_is_in_the_document(app: Flask) -> None:
    served = {
        (re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.rule not in OWN_PAGES
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert set(operations(app)) == served


def test_every_operation_says_what_it_is_for_who_may_ask_and_how_it_refuses(app: Flask) -> None:
    for (path, method), it in operations(app).items():
        assert it["summary"] and it["operationId"], path
        named = {sample["lang"] for sample in it["x-codeSamples"]}
        assert named == {"curl", "Python"}
        if path == "/api/v1/card-status":
            continue
        ((scope,),) = [need["serviceKey"] for need in it["security"]]
        assert scope in SCOPES
        for status, said in it["responses"].items():
            kind = "application/problem+json" if int(status) >= 400 else "application/json"
            assert list(said["content"]) == [kind], (path, method, status)
            if int(status) < 400:
                assert "X-RateLimit-Remaining" in said["headers"], (path, method)
        assert {"401", "403", "429"} <= set(it["responses"])


def test_the_page_for_people_shows_every_operation_and_example(app: Flask) -> None:
    page = Visitor(app).get("/api/v1/docs").get_data(as_text=True)
    for (path, method), it in operations(app).items():
        assert f"{method.upper()} {path}" in page
        assert f'id="{it["operationId"]}"' in page
        assert it["x-codeSamples"][0]["source"].splitlines()[0].replace('"', "&#34;") in page


def test_a_wrong_method_is_a_problem_that_names_the_right_one(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app)
    for path in document(app)["paths"]:
        allowed = {method.upper() for other, method in operations(app) if other == path}
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - allowed:
            answer = visitor._send(method, re.sub(r"\{\w+\}", "x", path))
            assert (answer.status_code, answer.mimetype) == (405, "application/problem+json"), (method, path)
            assert allowed <= set(answer.headers["Allow"].split(", "))


def test_whatever_breaks_is_a_problem_document_too(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("canary")

    monkeypatch.setattr("app.portal.members_api.standings_of", breaks)
    _service, key = add_service("Reader", ["members"], None, cast.now)
    answer = Visitor(app).get("/api/v1/members", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert answer.json["code"] == "broken" and "canary" not in answer.get_data(as_text=True)


def test_every_example_works_as_it_stands(app: Flask, cast: Cast, unlimited: None) -> None:
    _service, key = add_service("Reader", SCOPES, None, cast.now)
    number = cast.alice.member_number
    with serve(app) as url:
        for (path, method), it in operations(app).items():
            for sample in it["x-codeSamples"]:
                environment = {
                    "PATH": os.environ["PATH"], "CARNET_URL": url, "CARNET_KEY": key,
                    "REDEMPTION_ID": _redemption(app, number, key),
                }  # fmt: skip
                source = sample["source"].replace("M-000123", number)
                db.session.commit()  # the server gets the lock
                command = ["sh", "-c", source] if sample["lang"] == "curl" else [sys.executable, "-c", source]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
                assert done.returncode == 0, (method, path, sample["lang"], done.stdout, done.stderr)
                assert _is_answer(path, sample["lang"], done.stdout), done.stdout


def test_the_guides_programs_work_as_they_stand(app: Flask, cast: Cast, unlimited: None) -> None:
    _service, key = add_service("Reader", SCOPES, None, cast.now)
    number = cast.alice.member_number
    db.session.commit()
    guide = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").replace("M-000001", number)
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^ {4}.*\n|^\n)+", guide, re.MULTILINE)]
    programs = [[sys.executable, "-c", block] for block in blocks if "import json" in block]
    programs += [["sh", "-c", block.split("\n\n{")[0]] for block in blocks if block.lstrip().startswith("curl")]
    assert len(programs) == 3
    with serve(app) as url:
        environment = {"PATH": os.environ["PATH"], "CARNET_URL": url, "CARNET_KEY": key}
        said = [subprocess.run(it, env=environment, capture_output=True, text=True, timeout=30) for it in programs]
    assert [done.returncode for done in said] == [0, 0, 0], [done.stderr for done in said]
    assert (said[0].stdout, said[1].stdout) == ("True\n", "4 people, 1 active\n")
    assert json.loads(said[2].stdout)["entitled"] is True


def _redemption(app: Flask, number: str, key: str) -> str:
    body = {"credential": number, "benefit": "wifi"}
    answer = Visitor(app).post_json("/api/v1/redemptions", body, Authorization=f"Bearer {key}")
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


def _is_answer(path: str, language: str, said: str) -> bool:
    """A signed list, or what was asked for as JSON (curl) or as Python shows it."""
    if path == "/api/v1/card-status":
        return said.count(".") == 2
    return isinstance(json.loads(said), dict) if language == "curl" else said.startswith("{'")
