"""The captive portal API (RFC 8908): whether a device is let in, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app import clock
from app.memberships.service import standing_of
from app.services.service import add_service
from app.wifi import service
from tests.cast import Cast
from tests.verification.asking import set_clock
from tests.visitor import Visitor

ONCE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PORTAL = {"captive": True, "user-portal-url": "http://127.0.0.1:8000/wifi"}


@ONCE
def test_a_device_that_nobody_knows_is_told_where_to_get_in(app: Flask, cast: Cast) -> None:
    answer = Visitor(app).get("/captive-portal", headers={"Accept": "application/captive+json"})
    assert answer.status_code == 200 and answer.get_json(force=True) == PORTAL
    assert answer.headers["Content-Type"] == "application/captive+json"
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_seconds_that_remain_are_those_that_radius_gives_as_session_timeout(app: Flask, cast: Cast) -> None:
    now = clock.now()
    device, _secret = service.create_credential(cast.bob.id, "Phone", now)
    _service, key = add_service("FreeRADIUS", ["radius"], None, now)
    username, standing = device.username, standing_of(cast.bob.id, now, cast.today)
    assert standing.grace_until
    last = clock.day_end(standing.grace_until)
    for before, most in ((timedelta(hours=5), 5 * 3600), (timedelta(hours=9), 8 * 3600)):
        set_clock(last - before)
        told = Visitor(app).get(f"/captive-portal?user={username.upper()}@wifi.example.org").get_json(force=True)
        asked = Visitor(app).post_json("/radius/v1/authorize", {"username": username}, Authorization=f"Bearer {key}")
        (timeout,) = asked.get_json()["reply:Session-Timeout"]["value"]
        assert told["captive"] is False and told["venue-info-url"] == "http://127.0.0.1:8000/"
        assert most - 60 <= told["seconds-remaining"] <= most
        assert abs(told["seconds-remaining"] - int(timeout)) <= 5  # the two were asked one after the other


@pytest.mark.parametrize("who", ["carol", "dan", "mallory"])
@ONCE
def test_who_may_not_gets_the_answer_of_somebody_unknown(app: Flask, cast: Cast, who: str) -> None:
    device, _secret = service.create_credential(getattr(cast, who).id, "Phone", cast.now)
    answers = [Visitor(app).get(f"/captive-portal?user={name}") for name in (device.username, "abcdefgh", "a%00b")]
    answers.append(Visitor(app, f"{who}@example.org").get("/captive-portal"))
    assert [answer.get_json(force=True) for answer in answers] == [PORTAL] * 4


@ONCE
def test_a_device_taken_off_is_captive_again(app: Flask, cast: Cast) -> None:
    device, _secret = service.create_credential(cast.alice.id, "Phone", cast.now)
    path = f"/captive-portal?user={device.username}"
    assert Visitor(app).get(path).get_json(force=True)["captive"] is False
    service.revoke_credential(cast.alice.id, device.id, clock.now(), "member")
    assert Visitor(app).get(path).get_json(force=True) == PORTAL


@ONCE
def test_a_browser_that_is_signed_in_is_known_by_its_session(app: Flask, cast: Cast) -> None:
    told = Visitor(app, "alice@example.org").get("/captive-portal").get_json(force=True)
    assert (told["captive"], told["seconds-remaining"]) == (False, 8 * 3600)


@ONCE
def test_it_cannot_be_asked_for_ever_and_one_address_for_a_whole_campus_is_enough(app: Flask, cast: Cast) -> None:
    assert Visitor(app).get("/captive-portal").headers["X-RateLimit-Limit"] == "600"
