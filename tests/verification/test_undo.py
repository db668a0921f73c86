"""A scan is taken back within a minute, and today's log says so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from app import clock
from app.extensions import db
from app.services.service import add_service
from app.verification.models import Verification
from tests.cast import Cast
from tests.verification.asking import live, set_clock, static
from tests.verification.desk import alone, iso, pair, rows, scan, send, upload
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def undo(visitor: Visitor, desk: int, nonce: str = "a", reason: object = "mistake") -> tuple[int, str | None]:
    response = send(visitor, "/scan/undo", desk=desk, nonce=nonce, reason=reason)
    assert response.status_code >= 400 or response.json == {}
    return response.status_code, (response.json or {}).get("code")


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 409)])
def test_a_scan_is_undone_within_a_minute_and_no_later(app: Flask, cast: Cast, seconds: int, status: int) -> None:
    visitor = Visitor(app, "scanner@example.org")
    verdict = scan(visitor, cast.desk, live(cast.alice), "a")
    assert datetime.fromisoformat(verdict["undo_until"]) - rows()["a"].checked_at < timedelta(seconds=60.1)
    token = visitor.token()
    rows()["a"].checked_at = clock.now() - timedelta(seconds=seconds)
    db.session.commit()
    body = {"desk": cast.desk.id, "nonce": "a", "reason": "mistake"}
    assert visitor.post_json("/scan/undo", body, **{"X-CSRFToken": token}).status_code == status
    row = rows()["a"]
    assert (row.undone_because, row.undone_by) == (
        ("mistake", f"account:{cast.account('scanner').id}") if status == 200 else (None, None)
    )


@SQLITE
def test_undoing_twice_is_undoing_once_also_when_the_minute_is_over(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    scan(tablet, cast.desk, live(cast.alice), "a")
    assert undo(tablet, cast.desk.id) == (200, None)
    first = rows()["a"].undone_at
    rows()["a"].checked_at = clock.now() - timedelta(hours=1)
    assert undo(tablet, cast.desk.id, reason="left") == (200, None)
    assert (rows()["a"].undone_at, rows()["a"].undone_because) == (first, "mistake")


@SQLITE
def test_only_a_scan_of_this_desk_is_undone_and_for_a_known_reason(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    visitor = Visitor(app, "scanner@example.org")
    scan(visitor, cast.desk, live(cast.alice), "a")
    assert undo(visitor, gym.id) == (404, "unknown_scan")
    assert undo(visitor, cast.desk.id, "b") == (404, "unknown_scan")
    assert undo(visitor, cast.desk.id, reason="bored") == (400, "bad_undo")
    assert undo(visitor, cast.desk.id, reason=None) == (400, "bad_scan")
    assert rows()["a"].undone_at is None


def test_the_log_shows_todays_scans_of_the_desk_newest_first(app: Flask, cast: Cast) -> None:
    set_clock(clock.day_start(clock.today() + timedelta(days=1)) + timedelta(hours=10))
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    tablet, now = pair(app, cast.desk), clock.now()
    scan(Visitor(app, "scanner@example.org"), gym, live(cast.bob), "elsewhere")
    early = clock.day_start(clock.today())
    upload(
        tablet, cast.desk, alone(static(cast.alice), "first", early),
        alone(static(cast.alice), "yesterday", early - timedelta(seconds=1)),
        alone("nonsense", "odd", now - timedelta(minutes=2), reason="ok"),
    )  # fmt: skip
    scan(tablet, cast.desk, live(cast.alice), "last")
    undo(tablet, cast.desk.id, "last")
    log = tablet.get(f"/scan/log?desk={cast.desk.id}").json
    assert (log["day"], log["total"]) == (clock.today().isoformat(), 3)
    shown = [(it["nonce"], it["panel"], it["word"], it["offline"], it["undone"], it["flagged"]) for it in log["scans"]]
    assert shown == [
        ("last", "ok", "Valid", False, True, False),
        ("odd", "check", "Check ID", True, False, True),
        ("first", "check", "Check ID", True, False, False),
    ]
    assert log["scans"][2]["at"] == iso(early)
    assert "person" not in str(log) and "Alice" not in str(log)


@SQLITE
def test_the_log_is_fifty_long_and_counts_on(app: Flask, cast: Cast) -> None:
    same = {
        "service_id": cast.desk.id, "reason": "forged", "status": "none", "valid": False, "entitled": False,
        "check_identity": False,
    }  # fmt: skip
    for n in range(53):
        at = max(clock.now() - timedelta(seconds=n), clock.day_start(clock.today()))
        db.session.add(Verification(id=f"v{n}", nonce=f"n{n}", checked_at=at, **same))
    log = Visitor(app, "scanner@example.org").get(f"/scan/log?desk={cast.desk.id}").json
    assert (len(log["scans"]), log["total"], log["scans"][0]["nonce"]) == (50, 53, "n0")
