"""Databases of one test process: of each kind one at the newest migration, the same with the cast in it, and copies."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_migrate import upgrade

import config as settings
from app import create_app
from app.extensions import db
from tests.cast import Cast

PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main")


def configuration(database_url: str, instance: Path, **environment: str) -> settings.Config:
    """Settings of a test's application: loopback, mail into a folder, generated secrets."""
    return settings.load({"DATABASE_URL": database_url, **environment}, instance=instance)


def migrate(database_url: str, instance: Path) -> None:
    app = create_app(configuration(database_url, instance))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()


class Databases:
    """`kind` is sqlite or postgresql. A database made again under its name keeps its address."""

    def __init__(self, instance: Path) -> None:
        self.instance = instance
        memory = Path("/dev/shm")  # noqa: S108 - a folder of our own within it
        self.folder = Path(tempfile.mkdtemp(prefix="carnet-", dir=memory if os.access(memory, os.W_OK) else None))
        self._made: dict[str, date] = {}
        self._keys: dict[str, str] = {}

    def fresh(self, kind: str, name: str, with_cast: bool = False) -> str:
        """The address of a database of this name, at the newest migration, perhaps with today's cast in it."""
        if with_cast:
            today = datetime.now(ZoneInfo("Europe/Madrid")).date()
            if self._made.get(f"{kind} with cast") != today:
                self._keys[kind] = self._assemble(kind, self._copy(kind, self.migrated(kind), "with_cast"))
                self._made[f"{kind} with cast"] = today
        return self._copy(kind, "with_cast" if with_cast else self.migrated(kind), name)

    def migrated(self, kind: str) -> str:
        if kind not in self._made:
            if kind == "postgresql":
                _maintain(f"CREATE DATABASE migrated_{PROCESS}")
            migrate(self.url(kind, "migrated"), self.instance)
            self._finish(kind, "migrated")
            self._made[kind] = date.min
        return "migrated"

    def url(self, kind: str, name: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name}.sqlite"
        return os.environ["TEST_POSTGRES_URL"].rsplit("/", 1)[0] + f"/{name}_{PROCESS}"

    def drop(self, kind: str, name: str) -> None:
        if kind == "sqlite":
            for end in ("", "-wal", "-shm"):
                (self.folder / f"{name}.sqlite{end}").unlink(missing_ok=True)
        else:
            _maintain(f"DROP DATABASE IF EXISTS {name}_{PROCESS} WITH (FORCE)")

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _copy(self, kind: str, template: str, name: str) -> str:
        self.drop(kind, name)
        if kind == "sqlite":
            shutil.copy(self.folder / f"{template}.sqlite", self.folder / f"{name}.sqlite")
        else:
            _maintain(f"CREATE DATABASE {name}_{PROCESS} TEMPLATE {template}_{PROCESS}")
        return self.url(kind, name)

    def library_key(self, kind: str) -> str:
        """Of the cast in the database of this kind."""
        return self._keys[kind]

    def _assemble(self, kind: str, database_url: str) -> str:
        app = create_app(configuration(database_url, self.instance))
        with app.app_context():
            key = Cast.assemble().library_key
            db.session.remove()
            db.engine.dispose()
        self._finish(kind, "with_cast")
        return key

    def _finish(self, kind: str, name: str) -> None:
        """One file, so that a copy is whole."""
        if kind == "sqlite":
            with contextlib.closing(sqlite3.connect(self.folder / f"{name}.sqlite")) as connection:
                connection.execute("PRAGMA journal_mode=DELETE")


def _maintain(statement: str) -> None:
    engine = sa.create_engine(os.environ["TEST_POSTGRES_URL"], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
