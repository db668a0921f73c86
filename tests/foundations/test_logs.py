"""The log: one JSON object a line, and nobody's data in it."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import select

from app import clock, jobs
from app.accounts import access
from app.accounts.models import SignIn
from app.accounts.service import link_and_code
from app.extensions import db
from app.logs import shown_path
from config import ROOT
from tests.visitor import Visitor


@pytest.fixture
def log(app: Flask) -> io.StringIO:
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=written))
    return written


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "/"),
        ("/join", "/join"),
        ("/sign-in", "/sign-in"),
        ("/sign-in/AbCd_-123", "/sign-in/…"),
        ("/sign-in/AbCd/more", "/sign-in/…"),
        ("/sign-in/\nAbCd", "/sign-in/…"),
        ("//sign-in/AbCd", "//sign-in/…"),
        ("/C/123456789", "/C/…"),
        ("/c/123456789", "/c/…"),
        ("/es/C/123456789", "/es/C/…"),
        ("/scan/pair/AbCd", "/scan/pair/…"),
        ("/card", "/card"),
    ],
)
def test_paths_that_carry_a_secret_are_shortened(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def test_signing_in_leaves_no_token_code_or_address_in_the_log(app: Flask, log: io.StringIO) -> None:
    visitor = Visitor(app)
    visitor.post("/sign-in", {"email": "canary@example.org", "next": "/account?canary=1"})
    jobs.work_off(clock.now)
    token, code = link_and_code(db.session.execute(select(SignIn)).scalar_one())
    visitor.post("/sign-in/code", {"code": "00000000"})
    visitor.get(f"/sign-in/{token}")
    visitor.get(f"/sign-in/{token}/")
    assert visitor.post(f"/sign-in/{token}").status_code == 303
    visitor.get("/account?canary=2")
    written = log.getvalue()
    for secret in ("canary", token, token[:12], code, f"{code[:4]} {code[4:]}"):
        assert secret not in written
    requests = [line for line in lines(log) if line["event"] == "request"]
    assert {line["path"] for line in requests} == {"/sign-in", "/sign-in/…", "/account"}
    for line in requests:
        assert set(line) == {"event", "method", "path", "status", "ms", "request_id", "level", "timestamp"}
        assert line["timestamp"].endswith("Z")


@pytest.mark.adds_pages
def test_what_breaks_is_logged_with_its_place_and_without_the_values_that_broke_it(
    app: Flask, log: io.StringIO
) -> None:
    @app.get("/breaks")
    @access.public
    def breaks() -> str:
        try:
            app.view_functions["nobody@canary.example"]
        except KeyError as error:
            raise ValueError("canary Marta") from error
        return ""

    answer = Visitor(app).get("/breaks")
    broken = next(line for line in lines(log) if line["event"] == "broken")
    assert broken["request_id"] == answer.headers["X-Request-Id"]
    assert broken["error"][0].startswith("ValueError") and broken["error"][1].startswith("KeyError")
    assert "canary" not in log.getvalue()


@pytest.mark.adds_pages
def test_a_refused_database_row_is_logged_without_the_row(app: Flask, log: io.StringIO) -> None:
    @app.get("/breaks")
    @access.public
    def breaks() -> str:
        from app.people.service import add_person

        person = add_person("Canary", "Person", "canary@example.org", clock.now())
        person.email = "CANARY@example.org"
        db.session.flush()
        return ""

    assert Visitor(app).get("/breaks").status_code == 500
    assert "IntegrityError" in log.getvalue()
    assert "canary" not in log.getvalue().lower()


def test_line_ends_in_a_path_cannot_forge_a_line(app: Flask, log: io.StringIO) -> None:
    Visitor(app).get('/nowhere%0d%0a{"event":"forged"}')
    assert [line["event"] for line in lines(log)] == ["refused", "request"]
    assert lines(log)[1]["path"] == '/nowhere\r\n{"event":"forged"}'


def test_refusals_are_logged_by_their_code(app: Flask, log: io.StringIO) -> None:
    Visitor(app).get("/sign-in/no-such-token")
    refused = next(line for line in lines(log) if line["event"] == "refused")
    assert (refused["code"], refused["status"]) == ("link_used", 410)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_library_says_becomes_a_line_without_its_values(app: Flask, log: io.StringIO) -> None:
    logging.getLogger("some.library").warning("cannot reach %s", "canary@example.org")
    said = lines(log)[0]
    assert (said["event"], said["said"], said["level"]) == ("some.library", "cannot reach %s", "warning")
    assert "canary" not in log.getvalue()


def test_a_process_that_breaks_writes_nothing_but_json_lines(instance: Path, tmp_path: Path) -> None:
    code = (
        "from app import create_app\n"
        "app = create_app()\n"
        "client = app.test_client()\n"
        "print(client.get('/sign-in/canary', base_url='http://127.0.0.1').status_code)\n"
    )
    environment = {
        **os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite", "CARNET_INSTANCE": str(instance)
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "500\n"
    written = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in written] == ["broken", "request"]
    assert "canary" not in done.stderr
