"""The quick way to a yes: `authorize` on PostgreSQL, past everything that a page needs and this does not.

Whatever is not a plain yes (no key, another scope, a refusal, an odd body, SQLite) goes to the view in api.py, which
says why; so does one question a minute, for what the application notes of a key that is used. A yes is not logged.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterable
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.services.service import find_service_by_key
from app.wifi.attributes import as_attributes
from app.wifi.entitling import Entitled
from app.wifi.rules import clean_username

IN_VIEW = "SELECT id, person_id, username, ssha2_256, session_timeout FROM radius.entitlement WHERE username = %(name)s"
PATH = "/radius/v1/authorize"
LARGEST_BODY = 4000  # bytes
WHOLE_WAY_EVERY = 60  # seconds


class Front:
    """A WSGI application around the site's."""

    def __init__(self, app: Flask) -> None:
        self.app, self.site = app, app.wsgi_app
        self.whole_way_at: dict[int, float] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ.get("REQUEST_METHOD") != "POST":
            return self.site(environ, start_response)
        body = self._body(environ)
        found = self._quick_yes(environ, body) if body else None
        if found is None:
            return self.site(environ, start_response)
        answer = json.dumps(as_attributes(found)).encode()
        headers = [
            ("Content-Type", "application/json"), ("Content-Length", str(len(answer))), ("Cache-Control", "no-store"),
        ]  # fmt: skip
        start_response("200 OK", headers)
        return [answer]

    @staticmethod
    def _body(environ: dict[str, Any]) -> bytes:
        """What was sent, left in place for whoever reads after us; nothing where it is too long."""
        length = environ.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdecimal() and 0 < int(length) <= LARGEST_BODY):
            return b""
        body: bytes = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        return body

    def _quick_yes(self, environ: dict[str, Any], body: bytes) -> Entitled | None:
        scheme, _space, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            username = json.loads(body)["username"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if scheme.lower() != "bearer" or not isinstance(username, str) or not username.isascii() or "\0" in username:
            return None
        with self.app.app_context():
            if db.engine.dialect.name != "postgresql":
                return None
            asking = find_service_by_key(key.strip())
            if asking is None or not asking.has_scope("radius"):
                return None
            moment = time.monotonic()
            if moment >= self.whole_way_at.get(asking.key_id, 0):
                self.whole_way_at[asking.key_id] = moment + WHOLE_WAY_EVERY
                return None
            from psycopg import Error  # not where there is SQLite

            try:
                row = _row_in_view(clean_username(username))
            except (Error, SQLAlchemyError):  # the view meets it again, and says so
                return None
        return Entitled(*row) if row else None


def _row_in_view(username: str) -> tuple[Any, ...] | None:
    """One statement by the driver itself: no transaction, and prepared for as long as the connection lives."""
    pooled = db.engine.raw_connection()
    connection: Any = pooled.driver_connection
    connection.autocommit = True
    try:
        row: tuple[Any, ...] | None = connection.execute(IN_VIEW, {"name": username}).fetchone()
        return row
    finally:
        if not connection.closed:
            connection.autocommit = False
        pooled.close()


def put_in_front(app: Flask) -> None:
    app.wsgi_app = Front(app)  # type: ignore[method-assign]
