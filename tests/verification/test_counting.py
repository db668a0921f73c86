"""One tap after the verdict counts one use at a desk, once for each scan; taking the scan back gives it back."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.benefits.models import Redemption
from app.benefits.redeeming import limit_remaining
from app.benefits.service import change_benefit, close_benefit
from app.extensions import db
from app.services.models import Service
from app.services.service import add_service
from tests.cast import Cast
from tests.verification.asking import live, set_clock, static
from tests.verification.desk import alone, flags_of, iso, newest_device, pair, rows, scan, send, upload
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def gym(cast: Cast) -> Service:
    """The desk of a sports hall that members may use twice a day, a visit worth 6 euros."""
    change_benefit(cast.sports, cast.now, limit_count=2, limit_period="day", value_cents=600, offline_ok=True)
    service, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    db.session.commit()
    return service


def count(visitor: Visitor, desk: Service, nonce: str) -> TestResponse:
    return send(visitor, "/scan/redemptions", desk=desk.id, nonce=nonce)


def undo(visitor: Visitor, desk: Service, nonce: str) -> int:
    return send(visitor, "/scan/undo", desk=desk.id, nonce=nonce, reason="mistake").status_code


def used() -> list[str]:
    """States of the uses, in no order."""
    db.session.expire_all()
    return sorted(it.state for it in db.session.query(Redemption))


def left(cast: Cast) -> int | None:
    db.session.expire_all()
    found = limit_remaining(cast.sports, cast.alice.id, clock.now(), clock.today())
    db.session.commit()
    return found


def test_a_use_is_counted_once_however_often_the_desk_asks(app: Flask, cast: Cast, gym: Service) -> None:
    tablet = pair(app, gym)
    verdict = scan(tablet, gym, live(cast.alice), "a")
    assert (verdict["reason"], verdict["count"], verdict["limit_remaining"]) == ("ok", "Count one: Sports hall", 2)
    assert {"label": "Left", "value": "2 of 2"} in verdict["facts"]
    for _again in range(2):
        response = count(tablet, gym, "a")
        assert (response.status_code, response.json) == (
            200, {"line": "Counted. 1 of 2 left today.", "limit_remaining": 1}
        )  # fmt: skip
    (use,) = db.session.query(Redemption)
    assert (use.state, use.person_id, use.service_id, use.verification_id) == (
        "confirmed", cast.alice.id, gym.id, rows()["a"].id
    )  # fmt: skip
    assert (use.value_cents, use.by) == (600, f"device:{newest_device().id}")


def test_the_last_use_asked_for_at_two_desks_at_once_is_given_once(app: Flask, cast: Cast, gym: Service) -> None:
    pool, _key = add_service("Pool", ["scan"], cast.sports, cast.now)
    change_benefit(cast.sports, cast.now, limit_count=1, limit_period="day")
    db.session.commit()
    doors = [(pair(app, gym), gym), (pair(app, pool), pool)]
    for n, (tablet, desk) in enumerate(doors):
        scan(tablet, desk, live(cast.alice), f"n{n}")
    tokens = [tablet.token() for tablet, _desk in doors]
    desks = [desk.id for _tablet, desk in doors]
    db.session.commit()
    start, answers = threading.Barrier(2), []

    def tap(n: int) -> None:
        with app.app_context():
            start.wait(10)
            body = {"desk": desks[n], "nonce": f"n{n}"}
            answers.append(doors[n][0].post_json("/scan/redemptions", body, **{"X-CSRFToken": tokens[n]}))

    threads = [threading.Thread(target=tap, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = [answer.json for answer in answers if answer.status_code == 409]
    assert refused["code"] == "limit_reached"
    assert used() == ["confirmed"]


def test_a_used_up_limit_is_a_blue_verdict_that_says_when_there_is_more(app: Flask, cast: Cast, gym: Service) -> None:
    tablet = pair(app, gym)
    for nonce in ("a", "b"):
        scan(tablet, gym, static(cast.alice), nonce)
        assert count(tablet, gym, nonce).status_code == 200
    verdict = scan(tablet, gym, live(cast.alice), "c")
    assert (verdict["panel"], verdict["reason"], verdict["count"]) == ("other", "limit_reached", None)
    assert verdict["line"].startswith("All 2 uses a day are used up. There are more from ")
    refused = count(tablet, gym, "c")
    assert (refused.status_code, refused.json["code"]) == (409, "not_entitled")
    assert used() == ["confirmed", "confirmed"]


def test_taking_the_scan_back_gives_the_use_back_also_when_it_was_the_last(
    app: Flask, cast: Cast, gym: Service
) -> None:
    tablet = pair(app, gym)
    for nonce in ("a", "b"):
        scan(tablet, gym, static(cast.alice), nonce)
        count(tablet, gym, nonce)
    assert left(cast) == 0
    assert undo(tablet, gym, "b") == 200
    assert (left(cast), used()) == (1, ["cancelled", "confirmed"])
    again = count(tablet, gym, "b")
    assert (again.status_code, again.json["code"]) == (409, "scan_undone")
    log = tablet.get(f"/scan/log?desk={gym.id}").json["scans"]
    shown = {it["nonce"]: (it["undone"], it["counted_at"] is not None) for it in log}
    assert shown == {"a": (False, True), "b": (True, False)}
    scan(tablet, gym, static(cast.alice), "c")
    assert count(tablet, gym, "c").status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(55, 200), (61, 409)])
@SQLITE
def test_the_minute_to_take_it_back_begins_when_the_use_is_counted(
    app: Flask, cast: Cast, gym: Service, seconds: int, status: int
) -> None:
    tablet = pair(app, gym)
    scan(tablet, gym, live(cast.alice), "a")
    set_clock(clock.now() + timedelta(minutes=3))
    assert count(tablet, gym, "a").status_code == 200
    (use,) = db.session.query(Redemption)
    set_clock(use.created_at + timedelta(seconds=seconds))
    assert undo(tablet, gym, "a") == status
    assert used() == (["cancelled"] if status == 200 else ["confirmed"])


@SQLITE
def test_only_a_fresh_green_scan_of_this_desk_is_counted(app: Flask, cast: Cast, gym: Service) -> None:
    tablet, visitor = pair(app, gym), Visitor(app, "scanner@example.org")
    scan(tablet, gym, live(cast.carol), "lapsed")
    scan(tablet, gym, live(cast.bob), "grace")  # Sports is not given in grace
    scan(visitor, cast.desk, live(cast.alice), "elsewhere")
    for nonce, code in (
        ("lapsed", "not_entitled"), ("grace", "not_entitled"), ("elsewhere", "unknown_scan"), ("none", "unknown_scan")
    ):  # fmt: skip
        assert count(tablet, gym, nonce).json["code"] == code, nonce
    scan(tablet, gym, live(cast.alice), "old")
    rows()["old"].checked_at = clock.now() - timedelta(minutes=6)
    db.session.commit()
    assert count(tablet, gym, "old").json["code"] == "too_late"
    assert send(tablet, "/scan/redemptions", desk=gym.id, nonce=7).json["code"] == "bad_scan"
    assert used() == []


@SQLITE
def test_a_benefit_closed_after_the_scan_is_not_counted_and_says_why(app: Flask, cast: Cast, gym: Service) -> None:
    tablet = pair(app, gym)
    scan(tablet, gym, live(cast.alice), "a")
    close_benefit(cast.sports, clock.now())
    db.session.commit()
    refused = count(tablet, gym, "a")
    assert (refused.status_code, refused.json["code"]) == (409, "benefit_not_now")
    assert "Sports hall is no longer offered." in refused.json["detail"]


@SQLITE
def test_a_desk_whose_benefit_has_neither_limit_nor_worth_counts_nothing(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    assert tablet.get(f"/scan/facts?desk={cast.desk.id}").json["benefit"]["count"] is None
    assert scan(tablet, cast.desk, live(cast.alice), "a")["count"] is None


@SQLITE
def test_a_desk_learns_beforehand_whether_it_may_count_without_signal(app: Flask, cast: Cast, gym: Service) -> None:
    tablet = pair(app, gym)
    for may in (True, False):
        change_benefit(cast.sports, cast.now, offline_ok=may)
        db.session.commit()
        facts = tablet.get(f"/scan/facts?desk={gym.id}").json["benefit"]
        assert facts["count"] == {"label": "Count one: Sports hall", "alone": may}
        assert facts["tier_ids"] == [cast.plus.id]
    close_benefit(cast.sports, clock.now())
    db.session.commit()
    assert tablet.get(f"/scan/facts?desk={gym.id}").json["benefit"]["tier_ids"] == []


def test_uses_counted_without_signal_are_taken_once_and_beyond_the_limit_flagged(
    app: Flask, cast: Cast, gym: Service
) -> None:
    tablet = pair(app, gym)
    at = clock.now()
    scans = [alone(static(cast.alice), nonce, at, redeemed=iso(at + timedelta(milliseconds=5))) for nonce in "abc"]
    for _again in range(2):
        assert sorted(upload(tablet, gym, *scans)["taken"]) == ["a", "b", "c"]
    assert used() == ["confirmed"] * 3
    assert [flags_of(nonce) for nonce in "abc"] == [set(), set(), {"over_limit"}]
    log = tablet.get(f"/scan/log?desk={gym.id}").json["scans"]
    assert {it["counted_at"] for it in log} == {scans[0]["redeemed"]}


def test_a_use_counted_and_taken_back_without_signal_is_none(app: Flask, cast: Cast, gym: Service) -> None:
    tablet = pair(app, gym)
    at = clock.now()
    undone = {"at": iso(at + timedelta(milliseconds=30)), "reason": "mistake"}
    mine = alone(static(cast.alice), "a", at, redeemed=iso(at + timedelta(milliseconds=5)))
    assert upload(tablet, gym, mine | {"undone": undone})["taken"] == ["a"]
    assert "confirmed" not in used()
    assert upload(tablet, gym, mine | {"nonce": "b"})["taken"] == ["b"]
    assert used().count("confirmed") == 1
    assert upload(tablet, gym, mine | {"nonce": "b", "undone": undone})["taken"] == ["b"]  # undone after it was sent
    assert "confirmed" not in used()
    assert left(cast) == 2


def test_a_use_whose_answer_never_came_is_counted_once_when_the_queue_brings_it_again(
    app: Flask, cast: Cast, gym: Service
) -> None:
    tablet = pair(app, gym)
    code = static(cast.alice)
    scan(tablet, gym, code, "a")
    assert count(tablet, gym, "a").status_code == 200
    now = clock.now()
    assert upload(tablet, gym, alone(code, "a", now, redeemed=iso(now)))["taken"] == ["a"]
    assert used() == ["confirmed"]
