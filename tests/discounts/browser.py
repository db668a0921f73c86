"""A person at a browser that visits several sites: `requests` with a person's habits."""

from __future__ import annotations

import re

import requests
from flask import Flask

from app import clock
from app.accounts import rules
from app.accounts.service import _new_sign_in
from app.extensions import db

SECONDS = 20
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
PERSON = re.compile(r'name="person" value="(\d+)"')


class Browser:
    def __init__(self, app: Flask, email: str) -> None:
        self.app, self.email, self.session = app, email, requests.Session()

    def open(self, address: str) -> requests.Response:
        """Follow wherever it leads; signs in on our page and presses Allow when asked."""
        response = self.session.get(address, timeout=SECONDS)
        if response.url.startswith(f"{self.app.config['BASE_URL']}/sign-in?"):
            self.sign_in()
            response = self.session.get(address, timeout=SECONDS)
        if "/oauth/authorize" in response.url and response.status_code == 200:
            response = self.press(response, "allow")
        return response

    def press(self, page: requests.Response, decision: str) -> requests.Response:
        csrf, person = TOKEN.search(page.text), PERSON.search(page.text)
        if csrf is None or person is None:
            raise AssertionError(page.text)
        sent = {"csrf_token": csrf[1], "person": person[1], "decision": decision}
        return self.session.post(page.url, data=sent, timeout=SECONDS)

    def sign_in(self) -> None:
        _row, token = _new_sign_in(self.email, "/", "en", clock.now(), rules.LINK_LIFE)
        db.session.commit()
        link = f"{self.app.config['BASE_URL']}/sign-in/{token}"
        csrf = TOKEN.search(self.session.get(link, timeout=SECONDS).text)
        if csrf is None:
            raise AssertionError("the link's page has no form")
        self.session.post(link, data={"csrf_token": csrf[1]}, timeout=SECONDS)
