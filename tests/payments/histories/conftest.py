from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from tests.conftest import configuration, fresh_database
from tests.payments.histories.house import House


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, instance: Path) -> Iterator[House]:
    """The association of all histories of a module, on each database; SQLite in memory where the machine can."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own within it
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    with fresh_database(request, folder) as url:

        def make_app(**environment: str) -> Flask:
            return create_app(configuration(url, instance, MAIL_URL=(folder / "mail").as_uri(), **environment))

        house = House(make_app, folder / "carnet.sqlite" if request.param == "sqlite" else None)
        yield house
        house.stop()
    shutil.rmtree(folder)
