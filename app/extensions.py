"""The extensions, made once and bound to an application by create_app; the databases' manners."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app, g, has_app_context, has_request_context, request
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import CursorResult, DateTime, Dialect, Engine, MetaData, TypeDecorator, UpdateBase, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase

READING_METHODS = {"GET", "HEAD", "OPTIONS"}


class Base(DeclarativeBase):
    """Root of all tables; constraint names follow from it, so both databases and Alembic agree."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime; a naive one is refused. SQLite keeps it as UTC without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must be an aware datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


db: SQLAlchemy = SQLAlchemy(model_class=Base)
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(get_remote_address)


def insert_once(model: type[Base], **values: Any) -> bool:
    """Insert a row unless a unique constraint already holds one like it; True when it was inserted."""
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    return changed_rows(dialect.insert(model).values(**values).on_conflict_do_nothing()) == 1


def changed_rows(statement: UpdateBase) -> int:
    """Execute an INSERT, UPDATE or DELETE; how many rows it touched."""
    # An INSERT may come back with its new id; without the option psycopg's count is lost with that.
    result = db.session.execute(statement, execution_options={"preserve_rowcount": True})
    return cast(CursorResult[Any], result).rowcount


def is_migrated() -> bool:
    """Whether the database stands at the newest migration of this code."""
    folder = ScriptDirectory(current_app.extensions["migrate"].directory)
    return MigrationContext.configure(db.session.connection()).get_current_heads() == tuple(folder.get_heads())


def begin_writing() -> None:
    """End the read of a GET and let what follows write (a return page that settles, a session seen)."""
    db.session.rollback()
    g.may_write = True


def only_read() -> None:
    """Say that this command writes nothing, so that a long export does not keep others from writing."""
    db.session.rollback()
    g.may_write = False


def _is_reading() -> bool:
    if not has_app_context():
        return False
    may_write: bool = g.get("may_write", not (has_request_context() and request.method in READING_METHODS))
    return not may_write


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not type(connection).__module__.startswith("sqlite3"):
        return
    connection.isolation_level = None  # SQLAlchemy's begin event below says when a transaction starts
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    # Under WAL a transaction that reads first and writes later fails at once when another wrote in
    # between, so whatever may write takes the write lock when it begins.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if _is_reading() else "BEGIN IMMEDIATE")
