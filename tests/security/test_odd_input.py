"""Odd text in every field and address is refused or taken as text: nothing breaks."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Flask

from tests.cast import Cast
from tests.security.routes import Requests, routes

# PostgreSQL refuses more of what is text elsewhere; parsing stands before either.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

ODD = ("\x00", "a\x00b", "' OR 1=1 --", "\u202e", chr(0x1F393) * 50, "9" * 60, "<script>", "\r\nX: y")
FIELDS = (
    "text", "from", "to", "method", "state", "page", "desk", "tier", "next", "left", "email", "code", "given_name",
    "family_name", "person", "theme", "language", "as_of", "needs", "order", "what", "amount", "value_on", "again",
    "resolution", "note", "name", "kind", "contact_email", "iban", "bic", "tax_id", "withdrawal_days", "fee", "from_on",
    "on", "successor", "months", "reminders", "hold-because", "grant-tier", "grant-because", "grant-until",
    "grant-seen", "document-tier", "document-until", "recipient_name", "recipient_email", "message", "auto_renewal",
    "shown", "key", "checkout",
)  # fmt: skip


def odd_path(requests: Requests, route: str, odd: str) -> str:
    path = requests.path(route)
    if "<" in route and "<int" not in route:
        filled = path.split("/")
        place = route.partition(" ")[2].split("/")
        path = "/".join(
            quote(odd.replace("/", ""), safe="") or "x" if p.startswith("<") else f
            for p, f in zip(place, filled, strict=True)
        )
    return path


def test_odd_text_in_an_address_breaks_nothing(app: Flask, cast: Cast, unlimited: None) -> None:
    requests = Requests(app, cast)
    broken = []
    for name, some in (("stranger", ODD), ("alice", ODD[:2]), ("treasurer", ODD[:2]), ("admin", ODD)):
        visitor = requests.caller(name)
        for route in sorted(route for route in routes(app) if route.startswith("GET") and "readyz" not in route):
            for odd in some if "<" in route else ODD[:2]:
                query = {field: odd for field in FIELDS}
                response = visitor.get(odd_path(requests, route, odd), query_string=query)
                if response.status_code >= 500:
                    broken.append((name, route, odd))
                assert b"<script>" not in response.get_data().replace(b"<script>{", b"")
    assert broken == []


def test_odd_text_in_a_form_breaks_nothing(app: Flask, cast: Cast, unlimited: None) -> None:
    requests = Requests(app, cast)
    broken = []
    for name, some in (("stranger", ODD[:1]), ("mallory", ODD[1::2]), ("treasurer", ODD[1:3]), ("admin", ODD[1:])):
        for odd in some:
            visitor = requests.caller(name)
            for route in sorted(routes(app)):
                if not route.startswith("POST") or "webhook" in route or "sign-out" in route:
                    continue
                response = visitor.post(requests.path(route), {field: odd for field in FIELDS})
                if response.status_code >= 500:
                    broken.append((name, route, odd))
    assert broken == []


def test_a_newcomers_odd_name_is_a_name_or_refused(app: Flask, cast: Cast, unlimited: None) -> None:
    requests = Requests(app, cast)
    for odd in ODD:
        newcomer = requests.caller("treasurer")
        form = {"tier": "basic", "given_name": odd, "family_name": odd}
        response = newcomer.post("/join", form)
        assert response.status_code in (303, 400, 503), (odd, response.status_code)
