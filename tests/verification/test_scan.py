"""The desk: who may scan, what is refused, and the words for every reason."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.extensions import db
from app.services.service import add_service
from app.verification.models import Verification
from app.verification.rules import PRECEDENCE, VALID
from app.verification.service import Verdict
from app.verification.words import scanner_words
from tests.cast import Cast
from tests.verification.asking import card_of, live, static
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PATH = "/scan/verifications"


def scan(visitor: Visitor, body: Any, token: str | None = None) -> TestResponse:
    return visitor.post_json(PATH, body, **{"X-CSRFToken": token or visitor.token(), "Accept": "application/json"})


def scanned(visitor: Visitor, desk: int, code: str, nonce: str = "n") -> dict[str, Any]:
    response = scan(visitor, {"desk": desk, "credential": code, "nonce": nonce})
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.json
    return answer


def config_of(page: TestResponse) -> dict[str, Any]:
    found = re.search(r'id="scanner-config">(.*?)</script>', page.get_data(as_text=True), re.DOTALL)
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config


@SQLITE
@pytest.mark.parametrize(
    ("who", "status"),
    [("scanner", 200), ("admin", 200), ("treasurer", 403), ("alice", 403), ("mallory", 403), (None, 401)],
)
def test_only_staff_of_the_desk_may_scan(app: Flask, cast: Cast, who: str | None, status: int) -> None:
    visitor = Visitor(app, f"{who}@example.org" if who else None)
    response = scan(visitor, {"desk": cast.desk.id, "credential": live(cast.alice), "nonce": "n"})
    assert response.status_code == status
    assert db.session.query(Verification).count() == (1 if status == 200 else 0)
    assert ("tier" in response.json) == (status == 200)


def test_a_scan_without_a_csrf_token_is_refused_and_leaves_no_trace(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "scanner@example.org")
    response = visitor.post_json(PATH, {"desk": cast.desk.id, "credential": live(cast.alice), "nonce": "n"})
    assert (response.status_code, response.json["code"]) == (400, "csrf")
    assert db.session.query(Verification).count() == 0


@SQLITE
def test_a_scan_we_cannot_read_is_refused_in_words(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "scanner@example.org")
    token, desk = visitor.token(), cast.desk.id
    good = {"desk": desk, "credential": "1", "nonce": "n"}
    for body, code in (
        (None, "bad_scan"), ([], "bad_scan"), ("x", "bad_scan"), ({}, "bad_scan"),
        (good | {"desk": str(desk)}, "bad_scan"), (good | {"desk": True}, "bad_scan"),
        (good | {"desk": 10**30}, "bad_scan"), (good | {"desk": -1}, "bad_scan"), (good | {"desk": 1.0}, "bad_scan"),
        (good | {"credential": 1}, "bad_scan"), (good | {"credential": None}, "bad_scan"),
        (good | {"nonce": None}, "bad_scan"), ({"desk": desk, "credential": "1"}, "bad_scan"),
        (good | {"credential": ""}, "bad_credential"), (good | {"credential": "1" * 401}, "bad_credential"),
        (good | {"nonce": ""}, "bad_nonce"), (good | {"nonce": "\ud800"}, "bad_nonce"),
        (good | {"nonce": "\x00"}, "bad_nonce"), (good | {"nonce": "n" * 101}, "bad_nonce"),
        (good | {"desk": 999}, "unknown_desk"), (good | {"desk": cast.library.id}, "unknown_desk"),
    ):  # fmt: skip
        response = scan(visitor, body, token)
        assert response.json["code"] == code, body
        assert response.status_code == (404 if code == "unknown_desk" else 400)
        assert response.json["detail"]
    for raw in (b"", b"{", b"[" * 5000, b"\xff"):
        response = visitor._send(
            "POST", PATH, data=raw, content_type="application/json", headers={"X-CSRFToken": token}
        )
        assert (response.status_code, response.json["code"]) == (400, "bad_scan"), raw[:20]
    assert db.session.query(Verification).count() == 0


def test_a_scan_is_kept_with_who_scanned_and_where(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "scanner@example.org")
    code = live(cast.alice)
    first = scanned(visitor, cast.desk.id, code)
    assert scanned(visitor, cast.desk.id, code) == first
    (row,) = db.session.query(Verification).all()
    assert (row.account_id, row.service_id) == (cast.account("scanner").id, cast.desk.id)
    assert (row.person_id, row.benefit_id, row.nonce) == (cast.alice.id, cast.wifi.id, "n")
    assert row.card_id == card_of(cast.alice).id


@SQLITE
def test_a_desk_is_told_neither_who_it_is_nor_the_services_name_for_them(app: Flask, cast: Cast) -> None:
    answer = scanned(Visitor(app, "scanner@example.org"), cast.desk.id, live(cast.alice))
    assert "subject" not in answer
    for word in ("Alice", "Soler", "alice@example.org", cast.alice.member_number):
        assert word not in json.dumps(answer)


@SQLITE
def test_a_desk_may_not_ask_by_member_number(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "scanner@example.org")
    response = scan(visitor, {"desk": cast.desk.id, "credential": cast.alice.member_number, "nonce": "n"})
    assert (response.status_code, response.json["code"]) == (403, "missing_scope")


@SQLITE
def test_one_desk_opens_by_itself_and_several_are_a_choice(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "scanner@example.org")
    opened = visitor.get("/scan")
    assert (opened.status_code, opened.headers["Location"]) == (302, f"/scan?desk={cast.desk.id}")
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    chooser = visitor.get("/scan").get_data(as_text=True)
    for desk in (cast.desk, gym):
        assert desk.name in chooser and f"/scan?desk={desk.id}" in chooser
    assert "Library" not in chooser
    assert "Sports hall" in visitor.get(f"/scan?desk={gym.id}").get_data(as_text=True)


@SQLITE
def test_without_a_desk_the_page_says_how_to_get_one(app: Flask) -> None:
    from app.accounts.service import grant_role, open_account

    grant_role(open_account("scanner@example.org", clock.now()), "scanner", clock.now())
    page = Visitor(app, "scanner@example.org").get("/scan")
    assert page.status_code == 200
    assert "flask services add" in page.get_data(as_text=True)


@SQLITE
@pytest.mark.parametrize("desk", ["999", "0", "-1", "x", "9" * 30, "\u0663", "1 OR 1", ""])
def test_a_desk_that_is_none_is_not_found(app: Flask, cast: Cast, desk: str) -> None:
    response = Visitor(app, "scanner@example.org").get("/scan", query_string={"desk": desk})
    assert response.status_code == (404 if desk else 302)


def verdict(reason: str, check_identity: bool = False) -> Verdict:
    valid = reason in VALID
    return Verdict(
        id="v", valid=valid, reason=reason, status="active" if valid else "none", tier="plus", tier_name="Plus",
        valid_until=date(2027, 12, 18), grace_until=date(2028, 1, 17), entitled=valid, limit_remaining=None,
        subject=None, check_identity=check_identity, checked_at=clock.now(),
    )  # fmt: skip


WORDS = {
    "forged": ("no", "Not valid", "This code is not one of ours."),
    "unknown_card": ("no", "Not valid", "This card is not known."),
    "stale_code": ("no", "Not valid", "This code is too old."),
    "expired_card": ("no", "Not valid", "This printed card has ended."),
    "clock_wrong": ("check", "Check ID", "This device’s clock is wrong."),
    "list_too_old": ("unsure", "Cannot tell", "This device’s list is too old."),
    "revoked": ("no", "Not valid", "This card was withdrawn."),
    "replaced": ("no", "Not valid", "This card was replaced."),
    "suspended": ("no", "Not valid", "Ask the association."),
    "lapsed": ("no", "Not valid", "Ended on 18 Dec 2027. You can renew on your phone."),
    "none": ("no", "Not valid", "No membership. You can join on your phone."),
    "not_entitled": ("other", "Member, not for this", "Not included: Sports hall."),
    "limit_reached": ("other", "Member, not for this", "The limit is used up."),
    "grace": ("ok", "Valid", "In grace until 17 Jan 2028."),
    "ok": ("ok", "Valid", "Sports hall"),
}


@SQLITE
@pytest.mark.parametrize("reason", PRECEDENCE)
def test_every_reason_has_its_panel_its_word_and_a_line_that_accuses_nobody(app: Flask, reason: str) -> None:
    with app.test_request_context():
        words = scanner_words(verdict(reason), "Sports hall")
    panel, word, line = WORDS[reason]
    assert (words["panel"], words["word"]) == (panel, word)
    assert words["line"].replace("\u00a0", " ").startswith(line)
    assert not re.search(r"forge|fake|fraud|stolen|dispute|suspend|blocked|!", words["line"], re.IGNORECASE)


@SQLITE
def test_a_printed_card_asks_for_an_id_in_words(app: Flask) -> None:
    with app.test_request_context():
        for reason in ("ok", "grace"):
            words = scanner_words(verdict(reason, check_identity=True), "Sports hall")
            assert (words["panel"], words["word"]) == ("check", "Check ID")
            assert "Check a photo or ID." in words["line"]


@SQLITE
def test_tier_and_last_day_are_shown_of_members_only(app: Flask) -> None:
    with app.test_request_context():
        for reason in PRECEDENCE:
            facts = scanner_words(verdict(reason), None)["facts"]
            shown = {fact["label"]: fact["value"].replace("\u00a0", " ") for fact in facts}
            assert shown == ({"Tier": "Plus", "Until": "18 Dec 2027"} if reason in VALID else {}), reason


def test_the_desk_sees_green_amber_red_and_blue(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    visitor = Visitor(app, "scanner@example.org")
    seen = [
        scanned(visitor, gym.id, code, f"n{n}")
        for n, code in enumerate((live(cast.alice), static(cast.alice), live(cast.carol), live(cast.bob)))
    ]
    assert [answer["panel"] for answer in seen] == ["ok", "check", "no", "other"]
    assert [answer["reason"] for answer in seen] == ["ok", "ok", "lapsed", "not_entitled"]
