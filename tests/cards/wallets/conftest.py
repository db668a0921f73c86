"""The application with both wallets set up, towards servers of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.extensions import db
from tests.cards.wallets.authority import Authority
from tests.cards.wallets.servers import GoogleServer, PushServer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def apns(authority: Authority) -> Iterator[PushServer]:
    server = PushServer(authority.folder)
    yield server
    server.stop()


@pytest.fixture
def google() -> Iterator[GoogleServer]:
    server = GoogleServer()
    yield server
    server.stop()


@pytest.fixture
def app(
    make_app: Callable[..., Flask],
    authority: Authority,
    apns: PushServer,
    google: GoogleServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.folder / "root.pem"))
    addresses = {"APPLE_PUSH_URL": apns.url, "GOOGLE_WALLET_API": google.url}
    app = make_app(**authority.apple(), **authority.google(f"{google.url}/token"), **addresses)
    with app.app_context():
        yield app
        db.session.remove()
