"""The ledger, the receipts and the audit log only grow: the database itself refuses anything else."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.extensions import db
from tests.cast import Cast

ATTEMPTS = {
    "sqlite": [
        "UPDATE {table} SET id = id",
        "UPDATE OR REPLACE {table} SET id = id + 1000",
        "DELETE FROM {table}",
        "DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
        "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET id = id",
    ],
    "postgresql": [
        "UPDATE {table} SET id = id",
        "DELETE FROM {table}",
        "DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})",
        "TRUNCATE {table}",
        "TRUNCATE {table} CASCADE",
        "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id",
        "MERGE INTO {table} USING (SELECT 1 AS one) s ON true WHEN MATCHED THEN DELETE",
    ],
}


@pytest.mark.parametrize("table", ["audit_entry", "ledger_entry", "receipt"])
def test_the_database_refuses_to_change_or_remove_what_was_written(app: Flask, cast: Cast, table: str) -> None:
    rows = text(f"SELECT * FROM {table} ORDER BY id")
    before = db.session.execute(rows).all()
    assert len(before) > 1
    for attempt in ATTEMPTS[db.engine.dialect.name]:
        with pytest.raises(DatabaseError, match="append-only"):
            db.session.execute(text(attempt.format(table=table)))
        db.session.rollback()
    assert db.session.execute(rows).all() == before
