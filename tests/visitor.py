"""Somebody at a browser: Flask's test client that finds the CSRF token as a page's form would carry it."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import clock
from app.accounts import rules
from app.accounts.service import _new_sign_in
from app.extensions import db

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Visitor:
    """`email` is signed in through a real one-time link; None stays a stranger."""

    def __init__(self, app: Flask, email: str | None = None) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        if email is not None:
            self.sign_in(email)

    def sign_in(self, email: str) -> None:
        _row, token = _new_sign_in(email, "/", "en", clock.now(), rules.LINK_LIFE)
        db.session.commit()
        response = self.post(f"/sign-in/{token}")
        if response.status_code != 303:
            raise AssertionError(f"{email} could not sign in: {response.status_code}")

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self._send("GET", path, **kwargs)

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Send a form with the token of the sign-in or account page of this same browser."""
        return self.post_without_token(path, {"csrf_token": self.token(), **(data or {})}, **kwargs)

    def post_without_token(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        return self._send("POST", path, data=data, **kwargs)

    def post_json(self, path: str, json: Any, **headers: str) -> TestResponse:
        return self._send("POST", path, json=json, headers=headers)

    def _send(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """As in production a request shares no session and no `g` with the test or with another visitor."""
        db.session.commit()  # what the test prepared is there, and its lock is gone
        with self.app.app_context():
            base_url = self.app.config["BASE_URL"]
            return self.client.open(path, method=method, base_url=base_url, buffered=True, **kwargs)

    def token(self) -> str:
        for page in ("/sign-in", "/account", "/account/person"):
            found = TOKEN.search(self.get(page).get_data(as_text=True))
            if found:
                return found[1]
        raise AssertionError("no page carried a CSRF token")
