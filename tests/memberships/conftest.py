"""An application that a module's tests share: each leaves by rollback, so none makes a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.extensions import db
from tests.databases import Databases, configuration


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_app(
    request: pytest.FixtureRequest, instance: Path, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    url = databases.fresh(request.param, "shared")
    app = create_app(configuration(url, instance, MAIL_URL=tmp_path_factory.mktemp("mail").as_uri()))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def house(shared_app: Flask) -> Iterator[Flask]:
    """For a test that commits nothing."""
    with shared_app.app_context():
        yield shared_app
        db.session.rollback()
        db.session.remove()
