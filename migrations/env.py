"""Alembic's environment: the application's metadata and connection, on SQLite and PostgreSQL."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import text

from app.extensions import db


def run() -> None:
    """One transaction for all migrations; foreign keys rest on SQLite, where tables are rebuilt."""
    with db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            _check_foreign_keys(connection, False)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,  # SQLite can, once a transaction really begins: see extensions
            render_as_batch=True,
            compare_type=True,
            compare_server_default=False,
            autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
        )
        with context.begin_transaction():
            context.run_migrations()
            _keep_time_zone(connection)
        if sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            connection.rollback()
            _check_foreign_keys(connection, True)
            if broken:
                raise RuntimeError(f"foreign keys broken after migrating: {broken[:5]}")


def _check_foreign_keys(connection, on) -> None:  # type: ignore[no-untyped-def]
    # Past SQLAlchemy, which begins a transaction first: within one the pragma does nothing.
    connection.connection.driver_connection.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _keep_time_zone(connection) -> None:  # type: ignore[no-untyped-def]
    """TIME_ZONE is written where carnet_today() reads it."""
    from sqlalchemy import inspect

    if inspect(connection).has_table("association"):
        connection.execute(text("UPDATE association SET time_zone = :zone"), {"zone": current_app.config["TIME_ZONE"]})


run()
