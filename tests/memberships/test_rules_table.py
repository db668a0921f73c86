"""docs/quality/rules.md names, for each rule, tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "quality" / "rules.md"
SECTIONS = ("Terms", "Offers", "Money moves membership", "Money", "Reminders")


def rows() -> list[tuple[str, str]]:
    """(rule, its cell of tests), the heads of tables aside."""
    lines = [line.strip() for line in TABLE.read_text(encoding="utf-8").splitlines()]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("|")]
    return [(cell[0], cell[1]) for cell in cells if cell[0] not in ("rule", "---")]


@cache
def names_in(file: str) -> set[str]:
    path = ROOT / "tests" / file
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("rule", "tests"), rows(), ids=lambda text: text[:50])
def test_each_rule_names_tests_that_exist(rule: str, tests: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", tests)
    assert named, f"no test holds: {rule}"
    assert tests.count("`") == 2 * len(named), f"not all of this is the name of a test: {tests}"
    assert [f"{file}::{name}" for file, name in named if name not in names_in(file)] == []


def test_every_part_of_the_rules_has_its_section() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert [name for name in SECTIONS if f"\n## {name}\n" not in text] == []
