from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from tests.conftest import configuration
from tests.payments.shop import Shop


@pytest.fixture
def shop(database_url: str, instance: Path, tmp_path: Path) -> Iterator[Shop]:
    """The association in miniature, on each database."""

    def make_app(**environment: str) -> Flask:
        mail = (tmp_path / "mail").as_uri()
        return create_app(configuration(database_url, instance, MAIL_URL=mail, **environment))

    shop = Shop(make_app)
    yield shop
    shop.stop()
