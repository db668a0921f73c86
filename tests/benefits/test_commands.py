"""`flask benefits add`: what a tier entitles to."""

from __future__ import annotations

import pytest
from flask import Flask

from app.benefits.service import benefit_names, find_benefit
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
