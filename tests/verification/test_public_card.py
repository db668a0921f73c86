"""What a stranger's phone is told about a card: valid or not, and the tier."""

from __future__ import annotations

import re
from typing import Any

import pytest
import structlog
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.extensions import db
from app.memberships.models import Suspension
from app.verification.models import Verification
from tests.cast import Cast
from tests.verification.asking import card_of, live, static
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def look(app: Flask, code: str) -> TestResponse:
    return Visitor(app).get(f"/C/{code.rpartition('/')[2]}")


def page(app: Flask, code: str) -> str:
    response = look(app, code)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def body_of(text: str) -> str:
    return text.partition('<main id="main">')[2].partition("</main>")[0]


def test_a_valid_card_says_so_and_its_tier(app: Flask, cast: Cast) -> None:
    assert "<h1>Valid</h1>" in page(app, live(cast.alice))
    assert "Plus" in page(app, live(cast.alice))
    assert "<h1>Check ID</h1>" in page(app, static(cast.alice))
    assert "<h1>Valid</h1>" in page(app, live(cast.bob))


def test_a_card_that_does_not_count_is_not_valid_and_has_no_tier(app: Flask, cast: Cast) -> None:
    for person in (cast.carol, cast.dan):
        text = body_of(page(app, live(person)))
        assert "<h1>Not valid</h1>" in text
        assert "Basic" not in text


def test_nothing_is_said_about_the_person(app: Flask, cast: Cast) -> None:
    for person in (cast.alice, cast.bob, cast.carol, cast.dan):
        for code in (live(person), static(person)):
            response = look(app, code)
            said = response.get_data(as_text=True) + str(response.headers)
            for secret in (person.given_name, person.family_name, person.email or "", person.member_number):
                assert secret not in said
            assert re.search(r"\d", re.sub(r"<[^>]*>", "", body_of(said))) is None  # no date, no number
    assert db.session.query(Verification).count() == 0


def test_a_lapse_a_hold_a_refund_and_a_withdrawn_card_look_the_same_to_a_stranger(app: Flask, cast: Cast) -> None:
    lapsed, refunded = body_of(page(app, live(cast.carol))), body_of(page(app, live(cast.dan)))
    db.session.add(Suspension(person_id=cast.alice.id, cause="dispute", from_at=clock.now()))
    held = body_of(page(app, live(cast.alice)))
    code = live(cast.bob)
    card = card_of(cast.bob)
    card.revoked_at, card.revoked_because = clock.now(), "lost"
    assert lapsed == refunded == held == body_of(page(app, code))


@SQLITE
def test_a_phone_that_is_signed_in_learns_no_more(app: Flask, cast: Cast) -> None:
    code = live(cast.bob).rpartition("/")[2]
    strangers = body_of(Visitor(app).get(f"/C/{code}").get_data(as_text=True))
    assert body_of(Visitor(app, "mallory@example.org").get(f"/C/{code}").get_data(as_text=True)) == strangers


@SQLITE
def test_the_answer_is_neither_indexed_nor_kept(app: Flask, cast: Cast) -> None:
    response = look(app, live(cast.alice))
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert 'name="robots" content="noindex"' in response.get_data(as_text=True)
    assert response.headers["Cache-Control"] == "no-store"


@SQLITE
def test_any_garbage_is_not_valid_and_breaks_nothing(app: Flask, cast: Cast, unlimited: None) -> None:
    for garbage in (
        "1", "0", "-1", "abc", "9" * 200, "9" * 3000, "%FF%FE", "%F0%9F%8E%93", "1;drop", "..", "'\"<b>",
        "%D9%A3", "1e5", "+1", "M-000001", "%20", "1%0a",
    ):  # fmt: skip
        response = Visitor(app).get(f"/C/{garbage}")
        assert response.status_code == 200, garbage
        text = body_of(response.get_data(as_text=True))
        assert "<h1>Not valid</h1>" in text and "not one of ours" in text
        assert "<b>" not in text


@SQLITE
def test_a_member_number_is_no_code(app: Flask, cast: Cast) -> None:
    assert "<h1>Not valid</h1>" in page(app, cast.alice.member_number)


@SQLITE
def test_strangers_may_not_try_codes_by_the_thousand(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app)
    statuses = [visitor.get("/C/1").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert int(visitor.get("/C/1").headers["Retry-After"]) > 0


@SQLITE
def test_the_code_is_not_in_the_log(app: Flask, cast: Cast) -> None:
    code = live(cast.alice).rpartition("/")[2]
    with structlog.testing.capture_logs() as logged:
        page(app, code)
    paths: list[Any] = [event["path"] for event in logged if event["event"] == "request"]
    assert paths == ["/C/…"]
    assert code not in str(logged)
