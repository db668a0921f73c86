"""Who may do what at a desk: staff everything, a paired tablet at its own desk, one whose pairing has ended uploads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.extensions import db
from app.services.models import DeskDevice
from app.services.service import add_service
from app.verification.models import Verification
from tests.cast import Cast
from tests.verification.asking import live
from tests.verification.desk import alone, flags_of, newest_device, pair, rows, upload
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ASKED = ("page", "facts", "log", "photo", "verification", "upload", "undo")


def elsewhere(app: Flask, cast: Cast) -> Visitor:
    return pair(app, add_service("Gym", ["scan"], cast.sports, cast.now)[0])


def expired(app: Flask, cast: Cast) -> Visitor:
    tablet = pair(app, cast.desk)
    newest_device().expires_at = clock.now()
    return tablet


def revoked(app: Flask, cast: Cast) -> Visitor:
    tablet = pair(app, cast.desk)
    newest_device().revoked_at = clock.now()
    return tablet


CALLERS: dict[str, Callable[[Flask, Cast], Visitor]] = {
    "stranger": lambda app, cast: Visitor(app),
    "member": lambda app, cast: Visitor(app, "alice@example.org"),
    "treasurer": lambda app, cast: Visitor(app, "treasurer@example.org"),
    "scanner": lambda app, cast: Visitor(app, "scanner@example.org"),
    "tablet": lambda app, cast: pair(app, cast.desk),
    "tablet of another desk": elsewhere,
    "expired tablet": expired,
    "revoked tablet": revoked,
}
#                            page facts log photo verification upload undo
MATRIX = {
    "stranger":               (302, 401, 401, 401, 401, 401, 401),
    "member":                 (403, 403, 403, 403, 403, 403, 403),
    "treasurer":              (403, 403, 403, 403, 403, 403, 403),
    "scanner":                (200, 200, 200, 404, 200, 200, 200),
    "tablet":                 (200, 200, 200, 404, 200, 200, 200),
    "tablet of another desk": (401, 401, 401, 404, 401, 401, 401),
    "expired tablet":         (403, 401, 401, 401, 401, 200, 401),
    "revoked tablet":         (403, 401, 401, 401, 401, 200, 401),
}  # fmt: skip


def ask(visitor: Visitor, cast: Cast, what: str, token: str) -> Any:
    desk, headers = cast.desk.id, {"X-CSRFToken": token}
    if what in ("page", "facts", "log"):
        return visitor.get({"page": "/scan", "facts": "/scan/facts", "log": "/scan/log"}[what] + f"?desk={desk}")
    if what == "photo":
        return visitor.get("/scan/photo/v_none")
    body: dict[str, Any] = {
        "verification": {"credential": "1", "nonce": "n"},
        "upload": {"scans": []},
        "undo": {"nonce": "n", "reason": "left"},
    }[what]
    path = {"verification": "verifications", "upload": "uploads", "undo": "undo"}[what]
    return visitor.post_json(f"/scan/{path}", {"desk": desk, **body}, **headers)


@SQLITE
@pytest.mark.parametrize("who", MATRIX)
def test_each_caller_may_do_at_a_desk_what_the_matrix_says(app: Flask, cast: Cast, who: str) -> None:
    visitor = CALLERS[who](app, cast)
    token = visitor.token()
    answers = {what: ask(visitor, cast, what, token) for what in ASKED}
    assert tuple(answer.status_code for answer in answers.values()) == MATRIX[who]
    for what, answer in answers.items():
        if what != "page" and answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json", what
    assert db.session.query(Verification).count() == (1 if answers["verification"].status_code == 200 else 0)


@SQLITE
@pytest.mark.parametrize("who", ["scanner", "tablet", "revoked tablet"])
def test_without_the_token_nothing_is_taken(app: Flask, cast: Cast, who: str) -> None:
    visitor = CALLERS[who](app, cast)
    for what in ("verification", "upload", "undo"):
        for token in ("", "wrong"):
            answer = ask(visitor, cast, what, token)
            assert (answer.status_code, answer.json["code"]) == (400, "csrf")
    assert rows() == {}


@SQLITE
def test_a_tablet_opens_nothing_but_its_scanner(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    statuses = {
        path: tablet.get(path).status_code for path in ("/account", "/admin", "/treasury", "/card", "/admin/desks")
    }
    assert set(statuses.values()) == {302}  # asked to sign in
    assert tablet.get("/scan").headers["Location"] == f"/scan?desk={cast.desk.id}"


@SQLITE
def test_who_is_no_staff_may_use_a_tablet_they_are_signed_in_on(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    tablet.sign_in("alice@example.org")
    assert tablet.get(f"/scan/facts?desk={cast.desk.id}").status_code == 200


@SQLITE
@pytest.mark.parametrize("state", ["expired", "revoked"])
def test_a_tablet_whose_pairing_has_ended_is_told_why_and_may_send_what_waits(
    app: Flask, cast: Cast, state: str
) -> None:
    tablet = CALLERS[f"{state} tablet"](app, cast)
    answer = tablet.get(f"/scan/facts?desk={cast.desk.id}")
    assert (answer.status_code, answer.json["code"]) == (401, f"device_{state}")
    sent = {"desk": cast.desk.id, "scans": [alone(live(cast.alice), "a")]}
    taken = tablet.post_json("/scan/uploads", sent, **{"X-CSRFToken": answer.json["csrf"]})
    assert taken.json == {"taken": ["a"], "refused": []}
    assert flags_of("a") == {f"device_{state}"}
    page = tablet.get(f"/scan?desk={cast.desk.id}").get_data(as_text=True)
    assert "Ask the administrator for a new link" in page and "scanner.js" not in page


@SQLITE
def test_what_a_tablet_sent_while_it_was_paired_is_not_flagged_when_it_comes_again(app: Flask, cast: Cast) -> None:
    tablet, scan = pair(app, cast.desk), alone(live(cast.alice), "a")
    upload(tablet, cast.desk, scan)
    newest_device().revoked_at = clock.now()
    assert upload(tablet, cast.desk, scan)["taken"] == ["a"]
    assert flags_of("a") == set()


def test_a_pairing_ends_at_its_last_second(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    for left, status in ((timedelta(minutes=1), 200), (timedelta(0), 401)):
        db.session.query(DeskDevice).update({"expires_at": clock.now() + left})
        assert tablet.get(f"/scan/facts?desk={cast.desk.id}").status_code == status
