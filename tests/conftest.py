"""What every test stands on: both databases, an application on each, and a small cast of people."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask

from app import create_app
from app.extensions import db, limiter
from app.mail import init_mail
from tests.cast import Cast
from tests.databases import Databases, configuration
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


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where generated secrets live, the same for all tests of a process."""
    return tmp_path_factory.mktemp("instance")


@pytest.fixture(scope="session")
def databases(instance: Path) -> Iterator[Databases]:
    databases = Databases(instance)
    yield databases
    databases.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, databases: Databases) -> str:
    """A database of the test's own at the newest migration, on each of the two kinds; with the cast for who needs it.

    Its address is the same for all tests of a process.
    """
    return databases.fresh(request.param, "test", with_cast="cast" in request.fixturenames)


_applications: dict[str, Flask] = {}
_configs: dict[str, dict[str, Any]] = {}  # as they were when the application was made


@pytest.fixture
def make_app(
    request: pytest.FixtureRequest, database_url: str, instance: Path, tmp_path: Path
) -> Iterator[Callable[..., Flask]]:
    """The application on the test's database with these settings.

    One process makes one for each kind of database and sets it back for each test: its pages and statements are
    compiled once. Settings are read when they are used, so they may differ. A test marked `adds_pages` gets its own.
    """
    made: list[Flask] = []
    is_shared = request.node.get_closest_marker("adds_pages") is None

    def make(**environment: str) -> Flask:
        settings = configuration(database_url, instance, MAIL_URL=(tmp_path / "mail").as_uri(), **environment)
        app = _applications.get(database_url) if is_shared and not made else None
        if app is None:
            app = create_app(settings)
            if is_shared and not made:
                _applications[database_url], _configs[database_url] = app, dict(app.config)
        else:
            app.config.clear()
            app.config.update(_configs[database_url])
            app.config.from_object(settings)
            init_mail(app)
            limiter.reset()
            app.extensions.pop("service_keys", None)  # whose key is remembered for some seconds
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application on a database of its own, inside an application context."""
    app = make_app()
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def cast(app: Flask, databases: Databases) -> Cast:
    """Tiers, benefits and the named people of the tests."""
    return Cast.find(databases.library_key(db.engine.dialect.name))


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many requests in one minute, for a test that needs them."""
    monkeypatch.setattr(limiter, "enabled", False)
