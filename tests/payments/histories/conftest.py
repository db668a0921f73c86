from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from tests.databases import Databases, configuration
from tests.payments.histories.house import House


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, instance: Path, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """The association of all histories of a module, on each database."""
    url = databases.fresh(request.param, "house")

    def make_app(**environment: str) -> Flask:
        mail = tmp_path_factory.mktemp("mail").as_uri()
        return create_app(configuration(url, instance, MAIL_URL=mail, **environment))

    house = House(make_app, databases.folder / "house.sqlite" if request.param == "sqlite" else None)
    yield house
    house.stop()
