"""What every test stands on: both databases, an application on each, and a small cast of people."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

import config as settings
from app import create_app
from app.extensions import db, limiter
from tests.cast import Cast
from tests.postgres import Postgres

# How long one example takes says more about the machine's other work than about us.
hypothesis.settings.register_profile("carnet", deadline=None)
hypothesis.settings.load_profile("carnet")

_postgres: list[Postgres] = []


def pytest_configure(config: pytest.Config) -> None:
    """The first process starts PostgreSQL; parallel workers find its address in the environment."""
    if not hasattr(config, "workerinput") and "TEST_POSTGRES_URL" not in os.environ:
        _postgres.append(Postgres())
        os.environ["TEST_POSTGRES_URL"] = _postgres[0].url


def pytest_unconfigure(config: pytest.Config) -> None:
    for server in _postgres:
        server.stop()
        os.environ.pop("TEST_POSTGRES_URL", None)
    _postgres.clear()


def configuration(database_url: str, instance: Path, **environment: str) -> settings.Config:
    """Settings of a test's application: loopback, mail into a folder, generated secrets."""
    return settings.load({"DATABASE_URL": database_url, **environment}, instance=instance)


def migrate(database_url: str, instance: Path) -> None:
    app = create_app(configuration(database_url, instance))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where generated secrets live, the same for all tests of a process."""
    return tmp_path_factory.mktemp("instance")


@pytest.fixture(scope="session")
def sqlite_template(instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(f"sqlite:///{path}", instance)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, so that a copy is whole
    return path


@pytest.fixture(scope="session")
def postgres_template(instance: Path) -> str:
    name = f"template_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    _maintain(f"CREATE DATABASE {name}")
    migrate(_postgres_url(name), instance)
    return name


def _postgres_url(name: str) -> str:
    return os.environ["TEST_POSTGRES_URL"].rsplit("/", 1)[0] + f"/{name}"


def _maintain(statement: str) -> None:
    engine = sa.create_engine(os.environ["TEST_POSTGRES_URL"], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


_counter = iter(range(1, 1_000_000))


@contextlib.contextmanager
def fresh_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A database at the newest migration of the kind that `request.param` names."""
    if request.param == "sqlite":
        path = folder / "carnet.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_counter)}"
    _maintain(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_template')}")
    yield _postgres_url(name)
    _maintain(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own at the newest migration, on each of the two kinds."""
    with fresh_database(request, tmp_path) as url:
        yield url


@pytest.fixture
def app(database_url: str, instance: Path, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database of its own, inside an application context."""
    app = create_app(configuration(database_url, instance, MAIL_URL=(tmp_path / "mail").as_uri()))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Tiers, benefits and the named people of the tests."""
    return Cast.assemble()


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many requests in one minute, for a test that needs them."""
    monkeypatch.setattr(limiter, "enabled", False)
