"""A partner's program, as it asks: the address it sends browsers to, and what it sends itself."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.discounts import service
from app.extensions import db
from app.services.service import add_service
from tests.visitor import Visitor

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BACK = "https://courses.example.org/callback"
ALL = ("membership", "profile", "email")


@dataclass
class Shop:
    """`scopes` of its client are what it may learn; of its service also what its program may ask."""

    app: Flask
    name: str = "Courses"
    scopes: tuple[str, ...] = ALL
    redirect_uris: tuple[str, ...] = (BACK,)
    client_id: str = field(init=False)
    secret: str = field(init=False)

    def __post_init__(self) -> None:
        found, _key = add_service(self.name, ["openid", "verify"], None, clock.now())
        client, self.secret = service.add_client(found, self.redirect_uris, self.scopes, clock.now())
        self.client_id, self.service_id = client.client_id, found.id
        db.session.commit()

    def address(self, **changes: str | None) -> str:
        """Where it sends a browser; None leaves a parameter out."""
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uris[0],
            "scope": "openid membership", "state": "st&te", "nonce": "n-1", "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }  # fmt: skip
        return "/oauth/authorize?" + urlencode({k: v for k, v in (asked | changes).items() if v is not None})

    def allowed_by(self, visitor: Visitor, **changes: str | None) -> str:
        """The code it gets once somebody pressed Allow."""
        return query_of(press(visitor, self.address(**changes)))["code"]

    def call(self, path: str, data: dict[str, str], secret: str | None = None) -> TestResponse:
        """As its program: with its name and secret by HTTP Basic."""
        pair = f"{self.client_id}:{secret or self.secret}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return Visitor(self.app).post_without_token(path, data, headers=headers)

    def redeem(self, code: str, **changes: str) -> TestResponse:
        sent = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uris[0],
            "code_verifier": VERIFIER,
        }  # fmt: skip
        return self.call("/oauth/token", sent | changes)

    def token_of(self, visitor: Visitor, **changes: str | None) -> str:
        token: str = self.redeem(self.allowed_by(visitor, **changes)).get_json()["access_token"]
        return token

    def userinfo(self, token: str) -> TestResponse:
        return Visitor(self.app).get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})

    def introspect(self, token: str) -> dict[str, Any]:
        said: dict[str, Any] = self.call("/oauth/introspect", {"token": token}).get_json()
        return said


def press(visitor: Visitor, address: str, decision: str = "allow", **more: str) -> TestResponse:
    """A button of the consent page, sent as the page would send it; the answer itself where nothing is asked."""
    response = visitor.get(address)
    if response.status_code == 303:
        return response
    found = response.get_data(as_text=True).partition('name="person" value="')[2].partition('"')[0]
    return visitor.post(address, {"decision": decision, "person": found, **more})


def query_of(response: TestResponse) -> dict[str, str]:
    """Of the address a browser is sent to."""
    if response.status_code not in (302, 303):
        raise AssertionError(f"{response.status_code}: {response.get_data(as_text=True)[:300]}")
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query, keep_blank_values=True))
