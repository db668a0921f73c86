"""Idempotency-Key: a change that is sent again is made once and answered the same."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, g
from marshmallow import Schema, fields
from werkzeug.test import TestResponse

from app import clock
from app.accounts import access
from app.api import bp, documented
from app.errors import Refusal
from app.extensions import csrf, db
from app.services.desks import add_device
from app.services.idempotency import KEPT, PARAMETER, erase_old_answers, idempotent
from app.services.models import DeskDevice, IdempotentAnswer, Service
from app.services.service import add_service
from tests.cast import Cast
from tests.visitor import Visitor

pytestmark = pytest.mark.adds_pages
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PATH = "/api/v1/tablets"


class Tablet(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class NewTablet(Schema):
    name = fields.String(required=True)


@access.service("verify")
@idempotent
@documented
@bp.response(201, Tablet)
@bp.arguments(NewTablet)
def add_tablet(asked: dict[str, Any]) -> dict[str, Any]:
    """A change as a package would offer it: a desk's new tablet."""
    desk = db.session.get_one(Service, 1)
    device, _token = add_device(desk, asked["name"], clock.now())
    if asked["name"] == "no":
        raise Refusal("no_tablets", "There are no tablets left.", 409)
    return {"id": device.id, "name": f"{device.name} of {g.service.id}"}


@pytest.fixture(autouse=True)
def tablets(app: Flask) -> None:
    app.add_url_rule(PATH, "add_tablet", add_tablet, methods=["POST"])
    csrf.exempt(f"{add_tablet.__module__}.{add_tablet.__name__}")


def send(app: Flask, bearer: str, body: object, key: str | None = None, path: str = PATH) -> TestResponse:
    headers = {"Authorization": f"Bearer {bearer}"} | ({} if key is None else {"Idempotency-Key": key})
    return Visitor(app).post_json(path, body, **headers)


def count() -> int:
    db.session.rollback()
    return db.session.query(DeskDevice).count()


def test_a_change_sent_again_is_made_once_and_answered_the_same(app: Flask, cast: Cast) -> None:
    first, *others = [send(app, cast.library_key, {"name": "Blue"}, "key 1") for _ in range(3)]
    assert first.status_code == 201 and "Idempotent-Replayed" not in first.headers
    for other in others:
        assert (other.status_code, other.json, other.mimetype) == (201, first.json, "application/json")
        assert other.headers["Idempotent-Replayed"] == "true"
    assert count() == 1


@SQLITE
def test_without_a_key_each_request_is_a_change_of_its_own(app: Flask, cast: Cast) -> None:
    answers = [send(app, cast.library_key, {"name": "Blue"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert count() == 2 and db.session.query(IdempotentAnswer).count() == 0


def test_a_key_stands_for_one_request_only(app: Flask, cast: Cast) -> None:
    send(app, cast.library_key, {"name": "Blue"}, "k")
    for body, path in (({"name": "Red"}, PATH), ({"name": "Blue"}, f"{PATH}?again=1"), ({}, PATH), ("Blue", PATH)):
        answer = send(app, cast.library_key, body, "k", path)
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert count() == 1


@SQLITE
def test_two_services_may_choose_the_same_key(app: Flask, cast: Cast) -> None:
    _gym, other = add_service("Gym", ["verify"], None, cast.now)
    names = [send(app, key, {"name": "Blue"}, "k").json["name"] for key in (cast.library_key, other)]
    assert len(set(names)) == 2 and count() == 2


def test_what_was_refused_changed_nothing_and_its_key_is_free(app: Flask, cast: Cast) -> None:
    for body, status in (({"name": "no"}, 409), ({"name": 1}, 422), ({"name": ""}, 400)):
        assert send(app, cast.library_key, body, "k").status_code == status
    assert count() == 0 and db.session.query(IdempotentAnswer).count() == 0
    assert send(app, cast.library_key, {"name": "Blue"}, "k").status_code == 201


@SQLITE
@pytest.mark.parametrize("key", ["", "k" * 256, "\xe9", "a\tb"])
def test_a_key_is_plain_ascii_of_sensible_length(app: Flask, cast: Cast, key: str) -> None:
    answer = send(app, cast.library_key, {"name": "Blue"}, key)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_idempotency_key")
    assert count() == 0
    assert send(app, cast.library_key, {"name": "Blue"}, "k" * 255).status_code == 201


@SQLITE
def test_a_key_does_not_help_a_body_that_is_too_large_or_no_json(app: Flask, cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {cast.library_key}", "Idempotency-Key": "k"}
    for body, kind, status in ((b"{" * 20_000, "application/json", 413), (b"name=Blue", "text/plain", 415)):
        answer = Visitor(app).post_without_token(PATH, body, content_type=kind, headers=headers)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_of_twins_at_the_same_moment_one_makes_the_change(app: Flask, cast: Cast) -> None:
    start, answers = threading.Barrier(6), []

    def press(key: str) -> None:
        with app.app_context():
            start.wait(10)
            answers.append(send(app, cast.library_key, {"name": "Blue"}, key))

    threads = [threading.Thread(target=press, args=("k",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sorted("Idempotent-Replayed" in answer.headers for answer in answers) == [False] + [True] * 5
    assert count() == 1


@SQLITE
def test_an_answer_is_kept_for_a_day(app: Flask, cast: Cast) -> None:
    send(app, cast.library_key, {"name": "Blue"}, "k")
    asked_at = db.session.query(IdempotentAnswer).one().asked_at
    assert erase_old_answers(asked_at + KEPT) == 0
    assert erase_old_answers(asked_at + KEPT + timedelta(seconds=1)) == 1
    assert erase_old_answers(asked_at + KEPT + timedelta(seconds=1)) == 0


@SQLITE
def test_the_document_says_that_a_key_may_be_sent(app: Flask) -> None:
    assert PARAMETER in add_tablet._apidoc["arguments"]["parameters"]
    assert {409, 422} <= set(add_tablet._apidoc["response"]["responses"])
