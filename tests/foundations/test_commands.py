"""Every command of the foundations refuses alike: one plain line on standard error, exit 2, nothing changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from config import ROOT
from tests.command import is_refused, run

REFUSED = [
    ["clock", "shift"],
    ["clock", "shift", "soon"],
    ["clock", "shift", "1d", "2d"],
    ["clock", "reset", "now"],
    ["clock", "stop"],
    ["jobs", "retry"],
    ["jobs", "retry", "12"],
    ["jobs", "retry", "twelve"],
    ["jobs", "work", "--twice"],
    ["jobs", "list", "dead"],
    ["audit", "verify", "--quick"],
    ["audit", "mend"],
    ["people", "import"],
    ["people", "import", "/nowhere/at/all.csv"],
    ["people", "import", "/"],
    ["people", "export"],
    ["accounts", "invite"],
    ["accounts", "invite", "new@example.org"],
    ["accounts", "invite", "new@example.org", "--role", "king"],
    ["accounts", "invite", "not an address", "--role", "member"],
    ["accounts", "invite", "a@example.org", "b@example.org", "--role", "member"],
]


def everything() -> dict[str, list[tuple[object, ...]]]:
    db.session.rollback()
    found = {
        table.name: sorted(map(tuple, db.session.execute(sa.select(table)).all()), key=str)
        for table in db.metadata.sorted_tables
    }
    db.session.rollback()
    return found


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_a_wrong_argument_is_refused_in_one_line_and_changes_nothing(app: Flask, arguments: list[str]) -> None:
    before = everything()
    assert is_refused(run(app, *arguments))
    assert everything() == before


def test_a_shell_sees_the_same_refusal(app: Flask, database_url: str, instance: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": database_url, "CARNET_INSTANCE": str(instance), "FLASK_APP": "wsgi"}
    db.session.remove()
    done = subprocess.run(
        [sys.executable, "-m", "flask", "clock", "shift", "soon"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "'soon' is not a duration such as 30d or -12h.\n"


@pytest.mark.parametrize("group", ["clock", "jobs", "audit", "people", "accounts"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_help_says_what_a_group_is_for(app: Flask, group: str) -> None:
    result = run(app, group, "--help")
    assert result.exit_code == 0 and "Commands:" in result.stdout
