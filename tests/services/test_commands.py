"""`flask services add`: a key that is shown once and kept as a hash."""

from __future__ import annotations

import hashlib
import re

import pytest
from flask import Flask

from app.extensions import db
from app.services.models import Service, ServiceKey
from tests.cast import Cast
from tests.command import is_refused, run
from tests.kept import everything_kept
from tests.verification.asking import ask, live


def test_the_key_is_printed_once_and_only_its_hash_is_kept(app: Flask, cast: Cast) -> None:
    result = run(app, "services", "add", "Gym", "--scope", "verify", "--benefit", "sports")
    assert (result.exit_code, result.stderr) == (0, "")
    key = result.stdout.strip()
    assert re.fullmatch(r"carnet_[\w-]{43}", key)  # 256 random bits
    kept = str(everything_kept())
    assert key not in kept and key.removeprefix("carnet_") not in kept
    assert hashlib.sha256(key.encode()).hexdigest() in kept
    answer = ask(app, key, live(cast.bob))
    assert answer["reason"] == "not_entitled"  # sports is meant when a request names none


def test_two_services_have_two_keys(app: Flask, cast: Cast) -> None:
    keys = {run(app, "services", "add", name, "--scope", "verify").stdout for name in ("Gym", "Pool")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["Gym", "--scope", "everything"], "everything"),
        (["Gym", "--scope", "verify", "--scope", "members:number"], "members"),
        (["Gym", "--scope", "verify", "--scope", "identity"], "identity"),
        (["Gym", "--scope", "verify", "--benefit", "nothing"], "nothing"),
        (["Library", "--scope", "verify"], "Library"),
        ([" Library ", "--scope", "verify"], "Library"),
        (["  ", "--scope", "verify"], "name"),
        (["Gym"], "scope"),
        ([], "NAME"),
    ],
)
def test_what_makes_no_service_is_refused_and_changes_nothing(
    app: Flask, cast: Cast, arguments: list[str], word: str
) -> None:
    before = everything_kept()
    result = run(app, "services", "add", *arguments)
    assert is_refused(result), (result.stdout, result.stderr)
    assert word in result.stderr
    assert everything_kept() == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_scope_given_twice_is_one(app: Flask, cast: Cast) -> None:
    run(app, "services", "add", "Gym", "--scope", "verify", "--scope", "scan", "--scope", "verify")
    assert db.session.query(Service).filter_by(name="Gym").one().scopes == "scan,verify"
    assert db.session.query(ServiceKey).count() == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_desk_may_be_let_see_who_it_is(app: Flask, cast: Cast) -> None:
    assert run(app, "services", "add", "Gym", "--scope", "scan", "--scope", "identity").exit_code == 0
    assert db.session.query(Service).filter_by(name="Gym").one().has_scope("identity")
