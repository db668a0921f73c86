"""Triggers that make a table append-only, for both databases.

Alembic's batch mode rebuilds a SQLite table without its triggers: a migration that alters such a table
drops and makes them anew with these.
"""

from __future__ import annotations

from alembic import op


def protect(table: str) -> None:
    """Refuse UPDATE, DELETE and, on PostgreSQL, TRUNCATE (SQLite has none)."""
    message = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for verb in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
        )


def release(table: str) -> None:
    """Undo `protect`."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_refuse_{verb}")
        return
    for verb in ("update", "delete", "truncate"):
        op.execute(f"DROP TRIGGER {table}_refuse_{verb} ON {table}")
    op.execute(f"DROP FUNCTION {table}_refuse()")
