from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.payments.shop import Shop


@pytest.fixture
def shop(make_app: Callable[..., Flask]) -> Iterator[Shop]:
    """The association in miniature, on each database."""
    shop = Shop(make_app)
    yield shop
    shop.stop()
