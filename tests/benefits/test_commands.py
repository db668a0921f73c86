"""`flask benefits ...`: what a tier entitles to, how often, and what it is worth."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.audit import AuditEntry
from app.benefits.models import Benefit
from app.benefits.service import benefit_names, find_benefit
from app.extensions import db
from tests.cast import Cast
from tests.command import is_refused, run
from tests.kept import everything_kept
from tests.verification.asking import ask, live


def test_a_benefit_added_at_the_terminal_counts_at_once(app: Flask, cast: Cast) -> None:
    result = run(app, "benefits", "add", "books", "--name", "Library books", "--tier", "plus", "--no-grace")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Library books" in result.stdout
    assert ask(app, cast.library_key, live(cast.alice), benefit="books")["entitled"] is True
    assert ask(app, cast.library_key, live(cast.bob), benefit="books")["reason"] == "not_entitled"


def test_a_benefit_is_listed_with_its_tiers(app: Flask, cast: Cast) -> None:
    assert benefit_names(cast.plus) == ["Campus Wi-Fi", "Sports hall"]
    assert benefit_names(cast.basic) == ["Campus Wi-Fi"]


def test_a_tier_named_twice_is_one(app: Flask, cast: Cast) -> None:
    result = run(app, "benefits", "add", "books", "--name", "Books", "--tier", "plus", "--tier", "plus")
    assert result.exit_code == 0, result.stderr
    benefit = find_benefit("books")
    assert benefit is not None and [tier.code for tier in benefit.tiers] == ["plus"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["wifi", "--name", "Again", "--tier", "plus"], "wifi"),
        (["books", "--name", "Books", "--tier", "gold"], "gold"),
        (["books", "--name", "Books"], "tier"),
        (["books", "--tier", "plus"], "name"),
        (["books", "--name", " ", "--tier", "plus"], "name"),
        (["Books", "--name", "Books", "--tier", "plus"], "Books"),
        (["b" * 32, "--name", "Books", "--tier", "plus"], "bbb"),
        (["wi fi", "--name", "Books", "--tier", "plus"], "wi fi"),
        (["", "--name", "Books", "--tier", "plus"], "letters"),
    ],
)
def test_what_makes_no_benefit_is_refused_and_changes_nothing(
    app: Flask, cast: Cast, arguments: list[str], word: str
) -> None:
    before = everything_kept()
    result = run(app, "benefits", "add", *arguments)
    assert is_refused(result), (result.stdout, result.stderr)
    assert word in result.stderr
    assert everything_kept() == before


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BOOKS = ("benefits", "add", "books", "--name", "Books", "--tier", "plus")


def the(code: str) -> Benefit:
    db.session.expire_all()
    found = find_benefit(code)
    assert found is not None
    return found


def done(app: Flask, *arguments: str) -> str:
    result = run(app, "benefits", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return str(result.stdout)


def test_everything_about_a_benefit_can_be_said_and_changed_at_the_terminal(app: Flask, cast: Cast) -> None:
    done(
        app, *BOOKS[1:], "--description", "Ten loans.", "--kind", "partner", "--from", "2026-01-01", "--until",
        "2030-12-31", "--limit", "10", "--per", "term", "--value", "2.50", "--cost", "1", "--percent", "20",
        "--no-grace", "--offline", "--codes",
    )  # fmt: skip
    it = the("books")
    assert (it.description, it.kind, it.in_grace, it.offline_ok, it.by_code) == (
        "Ten loans.",
        "partner",
        False,
        True,
        True,
    )
    assert (it.available_from, it.available_until) == (date(2026, 1, 1), date(2030, 12, 31))
    assert (it.limit_count, it.limit_period, it.value_cents, it.cost_cents) == (10, "term", 250, 100)
    assert (it.discount_percent, it.discount_cents, it.currency) == (20, None, "EUR")
    said = done(
        app, "edit", "books", "--tier", "basic", "--limit", "none", "--until", "none", "--percent", "none",
        "--takes-off", "60.00", "--name", "Loans", "--no-offline", "--value", "none",
    )  # fmt: skip
    it = the("books")
    assert (it.limit_count, it.limit_period, it.available_until, it.value_cents) == (None, None, None, None)
    assert (it.discount_percent, it.discount_cents, it.name, it.offline_ok) == (None, 6000, "Loans", False)
    assert [tier.code for tier in it.tiers] == ["basic"] and it.available_from == date(2026, 1, 1)
    assert "Loans" in said and "60.00" in said
    subject = f"benefit:{it.id}"
    actions = sa.select(AuditEntry.action).filter_by(subject=subject).order_by(AuditEntry.id)
    assert list(db.session.scalars(actions)) == ["benefit_added", "benefit_changed"]


@SQLITE
def test_a_closed_benefit_is_nobodys_and_a_reopened_one_theirs_again(app: Flask, cast: Cast) -> None:
    for _ in range(2):
        done(app, "close", "wifi")
    assert ask(app, cast.library_key, live(cast.alice), benefit="wifi")["reason"] == "not_entitled"
    assert "wifi" not in done(app, "list") and "closed" in done(app, "list", "--all")
    assert benefit_names(cast.plus) == ["Sports hall"]
    done(app, "reopen", "wifi")
    assert ask(app, cast.library_key, live(cast.alice), benefit="wifi")["reason"] == "ok"


@SQLITE
def test_the_catalogue_can_be_read_by_a_machine(app: Flask, cast: Cast) -> None:
    done(app, "edit", "sports", "--limit", "2", "--per", "day", "--value", "6.00")
    assert "2 times a day" in done(app, "list")
    sports: dict[str, Any] = json.loads(done(app, "list", "--json"))[1]
    expected = {
        "code": "sports", "tiers": ["plus"], "limit_count": 2, "limit_period": "day", "value": "6.00",
        "currency": "EUR", "closed": False, "available_from": None,
    }  # fmt: skip
    assert {name: sports[name] for name in expected} == expected


@SQLITE
def test_a_benefit_can_be_a_partners(app: Flask, cast: Cast) -> None:
    assert "Library" in done(app, "partner", "wifi", "Library")
    assert the("wifi").partner_id == cast.library.id
    done(app, "partner", "wifi", "none")
    assert the("wifi").partner_id is None
    assert is_refused(run(app, "benefits", "partner", "wifi", "Nobody"))


@SQLITE
@pytest.mark.parametrize(
    "arguments",
    [
        ["edit", "wifi"], ["edit", "nothing", "--name", "X"], ["edit", "wifi", "--limit", "10"],
        ["edit", "wifi", "--limit", "0", "--per", "day"], ["edit", "wifi", "--limit", "1001", "--per", "day"],
        ["edit", "wifi", "--limit", "x", "--per", "day"], ["edit", "wifi", "--per", "day"],
        ["edit", "wifi", "--limit", "1", "--per", "week"], ["edit", "wifi", "--value", "0.00"],
        ["edit", "wifi", "--cost", "1,50"], ["edit", "wifi", "--percent", "0"], ["edit", "wifi", "--percent", "101"],
        ["edit", "wifi", "--percent", "20", "--takes-off", "5.00"], ["edit", "wifi", "--from", "tomorrow"],
        ["edit", "wifi", "--from", "2027-01-02", "--until", "2027-01-01"], ["edit", "wifi", "--kind", "other"],
        ["edit", "wifi", "--name", " "], ["edit", "wifi", "--name", "x" * 81], ["edit", "wifi", "--tier", "gold"],
        ["edit", "wifi", "--description", "x" * 501], ["close", "nothing"],
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_and_changes_nothing(app: Flask, cast: Cast, arguments: list[str]) -> None:
    before = everything_kept()
    assert is_refused(run(app, "benefits", *arguments))
    assert everything_kept() == before
