"""Migrations: up, check, down and up again on both databases, with rows in every table."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import check, downgrade, upgrade

from app.extensions import Instant, db
from config import ROOT
from tests.cast import Cast
from tests.databases import Databases
from tests.visitor import Visitor

REVISIONS = sorted(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def schema() -> dict[str, str]:
    """Every trigger, constraint, index, function and column of the database: name -> what it says."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.execute(
                sa.text("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            )
            return {name: in_any_order(sql) for name, sql in rows if "alembic" not in name}
        return {
            name: str(says)
            for query in (
                "SELECT 'constraint ' || conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) "
                "FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
                "SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
                "SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
                "SELECT 'function ' || proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
                "SELECT 'column ' || table_name || '.' || column_name, data_type || ' ' || is_nullable "
                "FROM information_schema.columns WHERE table_schema = 'public'",
                "SELECT 'view ' || viewname, definition FROM pg_views WHERE schemaname = 'radius'",
            )
            for name, says in connection.execute(sa.text(query))
            if "alembic" not in name
        }


def in_any_order(sql: str) -> str:
    """A table's columns and constraints sorted: SQLite rebuilds a table to alter it, in an order of its own."""
    first, *lines = sql.strip(")\n ").split("\n\t")
    return "\n".join([first, *sorted(line.strip(", ") for line in lines)])


def names(url: str) -> dict[str, set[str]]:
    """Names of constraints, of indexes made on purpose, and of triggers."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            found = connection.execute(sa.text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
            named = {c for _type, _name, sql in found for c in re.findall(r"CONSTRAINT \"?(\w+)", sql)}
            indexes, triggers = ({name for kind, name, _sql in found if kind == k} for k in ("index", "trigger"))
        else:
            of_ours = "WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
            named = set(connection.execute(sa.text(f"SELECT conname FROM pg_constraint {of_ours}")).scalars())
            indexes = set(
                connection.execute(sa.text("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")).scalars()
            )
            indexes -= named
            triggers = set(
                connection.execute(sa.text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")).scalars()
            )
    engine.dispose()
    return {"constraints": named, "indexes": indexes, "triggers": triggers}


def rows() -> dict[str, int]:
    """How many rows each table that is there has."""
    with db.engine.connect() as connection:
        there = sorted(set(sa.inspect(connection).get_table_names()) - {"alembic_version"})
        count = "SELECT count(*) FROM {}"
        return {name: connection.execute(sa.text(count.format(name))).scalar_one() for name in there}


def a_value(column: sa.Column[object]) -> object:
    """Something the column takes, for a row that no story of the cast makes."""
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Integer):
        return 1
    if isinstance(kind, sa.Date):
        return NOW.date()
    if isinstance(kind, sa.LargeBinary):
        return b"x"
    return NOW if isinstance(kind, Instant) else "x"


SPECIAL: dict[str, dict[str, object]] = {
    "benefit_code": {"expires_at": NOW.replace(hour=11)},
    "discrepancy": {"reason": "mismatch"},
    "dispute": {"status": "open"},
    "photo": {"jpeg": b"x"},
    "redemption": {"state": "reserved", "reserved_until": NOW, "over_limit": False},
    "reminder": {"state": "sent"},
    "suspension": {"term_id": 1},
    "verification_flag": {"why": "differs"},
    "wallet_pass": {"wallet": "apple"},
    "webhook_delivery": {"state": "waiting", "next_at": NOW},
    "wifi_credential": {"slot": 1},
}


def fill(app: Flask) -> None:
    """The cast and its stories, and one row in each table they leave empty."""
    Cast.assemble()
    Visitor(app, "alice@example.org").get("/card")
    for table in db.metadata.sorted_tables:
        if db.session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0:
            needed = {
                column.name: a_value(column)
                for column in table.columns
                if not column.nullable and not (column.primary_key and column.autoincrement is True)
            }
            db.session.execute(sa.insert(table).values(**{**needed, **SPECIAL.get(table.name, {})}))
    db.session.commit()
    db.session.remove()


def test_the_models_and_the_newest_migration_agree(app: Flask) -> None:
    check()


def test_every_migration_goes_down_and_up_again_with_rows_in_every_table(app: Flask) -> None:
    fill(app)
    before, kept = schema(), rows()
    assert set(kept) == set(db.metadata.tables) and all(kept.values())
    for revision in [*reversed(REVISIONS[:-1]), "base"]:
        downgrade(revision=revision)
        left = rows()
        assert left == {name: kept[name] for name in left}  # what stays loses nothing
    assert rows() == {} and schema() == {}
    for revision in REVISIONS:
        upgrade(revision=revision)
    assert schema() == before
    check()


@pytest.mark.parametrize("revision", [REVISIONS[0], REVISIONS[6], REVISIONS[-2]])
def test_going_back_to_a_revision_and_up_again_brings_the_same_schema(app: Flask, revision: str) -> None:
    fill(app)
    before, kept = schema(), rows()
    downgrade(revision=revision)
    left = rows()
    upgrade()
    assert schema() == before
    assert {name: count for name, count in rows().items() if name in left} == {name: kept[name] for name in left}


def test_what_was_append_only_is_so_again_after_down_and_up(app: Flask) -> None:
    fill(app)
    db.session.remove()
    downgrade(revision="base")
    upgrade()
    fill(app)
    for table in ("audit_entry", "ledger_entry", "receipt"):
        with pytest.raises(sa.exc.DatabaseError, match="append-only"):
            db.session.execute(sa.text(f"DELETE FROM {table}"))
        db.session.rollback()


def test_migrating_twice_changes_nothing(app: Flask) -> None:
    fill(app)
    before, kept = schema(), rows()
    upgrade()
    assert (schema(), rows()) == (before, kept)


ONLY_SQLITE = {"term_refuse_overlap_insert", "term_refuse_overlap_update"}  # there a trigger, here an exclusion
ONLY_POSTGRESQL = (
    {"ex_term_overlap"}
    | {f"{table}_refuse_truncate" for table in ("audit_entry", "ledger_entry", "receipt")}
    | {"redemption_guard_truncate"}
)


def test_both_databases_carry_the_same_names_and_those_of_the_models(databases: Databases) -> None:
    lite, post = (names(databases.fresh(kind, "named")) for kind in ("sqlite", "postgresql"))
    for kind in ("constraints", "indexes", "triggers"):
        assert lite[kind] - ONLY_SQLITE == post[kind] - ONLY_POSTGRESQL
    assert lite["triggers"] >= ONLY_SQLITE
    assert post["triggers"] | post["constraints"] >= ONLY_POSTGRESQL
    tables = db.metadata.tables.values()
    assert {str(constraint.name) for table in tables for constraint in table.constraints} <= lite["constraints"]
    assert {str(index.name) for table in tables for index in table.indexes} == lite["indexes"]


def test_the_migrations_form_one_line() -> None:
    assert REVISIONS == [f"{number:04d}" for number in range(1, len(REVISIONS) + 1)]
    for path in (ROOT / "migrations" / "versions").glob("0*.py"):
        assert re.fullmatch(r"\d{4}(_[a-z]+)+\.py", path.name)
        assert isinstance(path, Path)
