"""What FreeRADIUS is answered: nothing without a key, and never a value that it would expand."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.extensions import db
from app.services.service import add_service
from app.wifi.models import WifiRefusal, WifiSession
from app.wifi.service import create_credential, revoke_credential, sessions_of
from tests.cast import Cast
from tests.visitor import Visitor


class Server:
    """FreeRADIUS, as far as its questions go."""

    def __init__(self, app: Flask, key: str) -> None:
        self.visitor, self.key = Visitor(app), key

    def ask(self, path: str, **body: Any) -> TestResponse:
        return self.visitor.post_json(f"/radius/v1/{path}", body, Authorization=f"Bearer {self.key}")


@pytest.fixture
def server(app: Flask, cast: Cast) -> Server:
    _service, key = add_service("Campus Wi-Fi", ["radius"], None, cast.now)
    return Server(app, key)


def test_a_device_is_let_in_by_a_hash_and_a_time_that_are_never_expanded(server: Server, cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "%{User-Password}", cast.now)
    cast.alice.given_name = "%{User-Password}"
    answer = server.ask("authorize", username=phone.username)
    assert answer.status_code == 200
    assert answer.json == {
        "control:SSHA2-256-Password": {"op": ":=", "value": [f"0x{phone.ssha2_256}"], "do_xlat": False},
        "reply:Session-Timeout": {"op": ":=", "value": [28800], "do_xlat": False},
    }


def test_a_device_that_is_refused_is_no_such_user_and_gets_no_attribute(server: Server, cast: Cast) -> None:
    revoked, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    revoke_credential(cast.alice.id, revoked.id, cast.now, "member")
    lapsed, _secret = create_credential(cast.carol.id, "Phone", cast.now)
    for username, reason in (
        (revoked.username, "revoked"), (lapsed.username, "lapsed"), ("%{User-Password}", "unknown_device"),
    ):  # fmt: skip
        answer = server.ask("authorize", username=username)
        assert (answer.status_code, answer.json["code"]) == (404, reason)
        assert ":" not in "".join(answer.json)


@pytest.mark.parametrize("path", ["authorize", "accounting", "post-auth"])
def test_without_a_key_or_with_one_for_other_things_nothing_is_told(app: Flask, cast: Cast, path: str) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    body = {"username": phone.username, "status": "Start", "unique_id": "u1"}
    stranger = Visitor(app)
    for headers, status in (
        ({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": f"Bearer {cast.library_key}"}, 403),
    ):  # fmt: skip
        answer = stranger.post_json(f"/radius/v1/{path}", body, **headers)
        assert answer.status_code == status
        assert "Password" not in answer.get_data(as_text=True)
    assert db.session.execute(sa.select(WifiSession)).first() is None
    assert db.session.execute(sa.select(WifiRefusal)).first() is None


def test_a_session_is_kept_from_what_attributes_say(server: Server, cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    sent = {
        "status": "Stop", "unique_id": "0af3", "username": phone.username, "controller": "192.0.2.10",
        "session_id": "S1", "seconds": "1200", "delay": "", "input_octets": "7", "input_gigawords": "1",
        "output_octets": "", "output_gigawords": "", "cause": "User-Request",
    }  # fmt: skip
    for _ in range(2):
        assert server.ask("accounting", **sent).status_code == 204
    (it,) = sessions_of(cast.alice.id)
    assert (it.octets_sent, it.octets_received, it.cause) == (2**32 + 7, 0, "User-Request")
    assert it.stopped_at is not None and (it.stopped_at - it.started_at).seconds == 1200


@pytest.mark.parametrize(
    "body",
    [
        [], "text", {}, {"username": "\ud800"}, {"username": 7}, {"username": "x" * 100_000}, {"username": "a\u0000b"},
        {"username": "NAME", "status": "Start", "unique_id": "u", "seconds": "-5", "input_octets": "9" * 30},
        {"username": "NAME", "status": "Start", "unique_id": "u", "seconds": "9" * 18, "delay": "9" * 18,
         "input_gigawords": "9" * 18, "controller": "\u0000", "session_id": "\ud800"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["authorize", "accounting", "post-auth"])
def test_odd_bodies_break_nothing(server: Server, cast: Cast, path: str, body: Any) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    if isinstance(body, dict) and body.get("username") == "NAME":
        body = {**body, "username": phone.username}
    answer = server.visitor.post_json(f"/radius/v1/{path}", body, Authorization=f"Bearer {server.key}")
    assert answer.status_code in (200, 204, 400, 404, 413)


def test_what_is_no_json_is_refused(server: Server) -> None:
    answer = server.visitor.post_without_token(
        "/radius/v1/authorize", {"username": "x"}, headers={"Authorization": f"Bearer {server.key}"}
    )
    assert answer.status_code in (400, 415)


def test_a_refused_sign_in_is_counted_with_its_reason(server: Server, cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    for username in (phone.username, phone.username.upper(), "%{User-Password}"):
        assert server.ask("post-auth", username=username).status_code == 204
    found = db.session.execute(sa.select(WifiRefusal.reason, WifiRefusal.credential_id)).all()
    assert sorted(found) == [("unknown_device", None), ("wrong_secret", phone.id)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_quick_way_says_what_the_whole_way_says(server: Server, cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    whole = server.visitor.post_json(
        "/radius/v1/authorize", {"username": phone.username}, Authorization=f"Bearer {server.key}"
    )
    answers = [server.ask("authorize", username=name) for name in (phone.username, f"{phone.username.upper()}@a.test")]
    assert [it.json for it in answers] == [whole.json] * 2 and whole.status_code == 200
    assert "X-Request-Id" not in answers[1].headers  # it met nothing of what pages go through
    revoke_credential(cast.alice.id, phone.id, cast.now, "member")
    assert server.ask("authorize", username=phone.username).status_code == 404
    server.key = "wrong"
    assert server.ask("authorize", username=phone.username).status_code == 401
