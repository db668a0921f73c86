"""The application behind a web server of its own, so that other people's programs can call it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from app.extensions import db
from tests.cast import Cast


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@pytest.fixture
def live(make_app: Callable[..., Flask], unlimited: None) -> Iterator[Flask]:
    """With the cast, in an application context of the test's own; its address is BASE_URL."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=Quiet)
    app = server.app = make_app(BASE_URL=f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    with app.app_context():
        Cast.assemble()
        yield app
        db.session.remove()
    server.shutdown()
    server.server_close()
