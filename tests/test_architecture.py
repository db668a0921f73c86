"""The house's rules as checks: who may import whom, who commits, who reads the clock, who may call a page."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.access import declared
from app.extensions import Instant, db

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"

# Left to right; a package imports only what stands to its left.
PACKAGES = (
    "people", "accounts", "memberships", "benefits", "services", "cards", "payments", "verification", "wifi",
    "discounts", "treasury", "portal",
)  # fmt: skip
# What others may import of a package: its front door, its tables, and these rooms named on purpose.
FRONT = {"service", "models"}
ROOMS = {
    "accounts": {"access", "signed_in"},
    "benefits": {"codes", "redeeming", "refusing", "uses", "words"},
    "cards": {"photos", "qr", "withdrawn"},
    "memberships": {"renewal_links"},
    "payments": {
        "checkouts",
        "discrepancies",
        "history",
        "ledger",
        "manual",
        "receipts",
        "refunds",
        "renewing",
        "resolving",
        "transfers",
    },  # fmt: skip
    "services": {"at_desk", "cursors", "desks", "idempotency", "keys", "people", "words"}
    | {"hook_log", "hook_messages", "hook_models", "hook_subjects"},
    "verification": {"judging", "log", "words"},
}
COMMITTING = {"views", "api", "cli", "jobs"}
COMMITTING_TOO = {
    "app/clock.py",
    "app/accounts/signed_in.py",
    "app/services/at_desk.py",
    "app/services/keys.py",  # notes a key's last use after the answer has gone out
    "app/services/idempotency.py",
    "app/payments/checkouts.py",
    "app/payments/hearing.py",
    "app/payments/auto_renewals.py",
}
MODULES = sorted(path for path in APP.rglob("*.py"))


# Refusals that only a command, a program or the worker's log can meet; whatever a page may show is translated.
PLAIN_ENGLISH = {
    "cli.py",
    "hook_cli.py",
    "importing.py",
    "api.py",
    "clock.py",
    "jobs.py",
    "audit.py",
    "access.py",
    "cursors.py",
    "idempotency.py",
}
PLAIN_ENGLISH_TOO = {
    "app/accounts/service.py": {"invite"}, "app/people/service.py": {"resolve_person"},
    "app/payments/views.py": {"check_signed_by_stripe"}, "app/services/service.py": {"admit"},
    "app/services/idempotency.py": {"once", "_again"},
    "app/wifi/reading_role.py": {"grant_role"},
}  # fmt: skip


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, those inside functions too, as dotted names of what is imported."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            is_package = (ROOT / node.module.replace(".", "/")).is_dir()
            yield from (f"{node.module}.{alias.name}" for alias in node.names) if is_package else [node.module]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_package_imports_only_the_front_doors_to_its_left(path: Path) -> None:
    own = path.relative_to(APP).parts[0]
    for module in imports(path):
        parts = module.split(".")
        if parts[0] != "app" or len(parts) < 2 or parts[1] not in PACKAGES or parts[1] == own:
            continue
        if path == APP / "__init__.py":
            continue
        assert own in PACKAGES, f"the foundation {own} imports {module}"
        assert PACKAGES.index(parts[1]) < PACKAGES.index(own), f"{module} stands to the right"
        room = parts[2] if len(parts) > 2 else ""
        assert room in FRONT | ROOMS.get(parts[1], set()), f"{module} is private"


@pytest.mark.parametrize("path", sorted(APP.rglob("rules.py")), ids=name_of)
def test_rules_import_the_standard_library_only(path: Path) -> None:
    outside = [module for module in imports(path) if module.split(".")[0] not in sys.stdlib_module_names]
    assert outside == []


@pytest.mark.parametrize("path", sorted(APP.rglob("service.py")) + sorted(APP.rglob("models.py")), ids=name_of)
def test_services_and_models_know_no_entry_point(path: Path) -> None:
    entries = {f"app.{path.parent.name}.{name}" for name in (*COMMITTING, "forms")}
    assert entries & set(imports(path)) == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_entry_points_commit(path: Path) -> None:
    if path.stem.rpartition("_")[2] in COMMITTING or name_of(path) in COMMITTING_TOO:
        return
    commits = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]
    assert commits == []


def test_only_the_gateway_imports_stripe() -> None:
    users = [name_of(path) for path in MODULES if any(m.split(".")[0] == "stripe" for m in imports(path))]
    assert users == ["app/payments/gateway.py"]


def test_only_the_clock_reads_the_clock() -> None:
    reading = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time)\(")
    users = [name_of(path) for path in MODULES if reading.search(path.read_text(encoding="utf-8"))]
    assert users == ["app/clock.py"]


def test_nothing_in_the_application_knows_the_demo() -> None:
    words = re.compile(r"\b(simulator|if demo)\b", re.IGNORECASE)
    users = [name_of(path) for path in MODULES if words.search(path.read_text(encoding="utf-8"))]
    assert users == []


def test_no_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [name_of(path) for path in MODULES if path.stem in drawers] == []


def test_errors_are_swallowed_nowhere() -> None:
    broad = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            ):
                broad.append(name_of(path))
    assert broad == ["app/jobs.py"]  # a worker outlives any job, and keeps what went wrong


def test_every_column_is_what_its_name_says() -> None:
    wrong = []
    for table in db.metadata.tables.values():
        for column in table.columns:
            if column.name.endswith("_cents") and not isinstance(column.type, sa.Integer):
                wrong.append(f"{column} is no whole number")
            if (column.name == "at" or column.name.endswith("_at")) and not isinstance(column.type, Instant):
                wrong.append(f"{column} is no instant")
            if column.name.endswith("_on") and not isinstance(column.type, sa.Date):
                wrong.append(f"{column} is no day")
            if column.name.endswith("_cents") and column.table.name != "tier_price" and "currency" not in table.columns:
                wrong.append(f"{column} has no currency beside it")
    assert wrong == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and declared(app.view_functions[rule.endpoint]) is None
    ]
    assert undeclared == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_what_a_page_may_refuse_is_said_in_the_readers_language(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    tree, spoken = ast.parse(path.read_text(encoding="utf-8")), []
    elsewhere = PLAIN_ENGLISH_TOO.get(name, set())
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        if path.name in PLAIN_ENGLISH or path.stem.endswith("_api") or function.name in elsewhere:
            continue
        for call in [node for node in ast.walk(function) if isinstance(node, ast.Call)]:
            if isinstance(call.func, ast.Name) and call.func.id == "Refusal" and len(call.args) > 1:
                detail = call.args[1]
                words = [it.value for it in getattr(detail, "values", [detail]) if isinstance(it, ast.Constant)]
                spoken += [word for word in words if str(word).strip()]
    assert spoken == []
