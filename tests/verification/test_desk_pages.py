"""The administrator's pages of desks, the scans to look at, and what a member sees of the checks of their card."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from app import clock
from app.audit import AuditEntry
from app.extensions import db
from app.services.models import Service
from app.services.service import add_service
from tests.cast import Cast
from tests.verification.asking import ask, live, set_clock, static
from tests.verification.desk import alone, newest_device, pair, rows, scan, send, upload
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def admin(app: Flask) -> Visitor:
    return Visitor(app, "admin@example.org")


def text_of(visitor: Visitor, path: str) -> str:
    page = visitor.get(path).get_data(as_text=True)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u00a0", " ")


def test_the_administrator_pairs_a_tablet_by_link_or_picture(app: Flask, cast: Cast) -> None:
    visitor = admin(app)
    page = visitor.post(f"/admin/desks/{cast.desk.id}/devices", {"name": "Blue tablet"}).get_data(as_text=True)
    link = re.search(r"<code>(http://127\.0\.0\.1:8000(/scan/pair/[\w-]{43}))</code>", page)
    assert link and '<svg class="qr"' in page
    assert "Link not opened yet" in text_of(visitor, f"/admin/desks/{cast.desk.id}")
    assert link[2] not in visitor.get(f"/admin/desks/{cast.desk.id}").get_data(as_text=True)
    tablet = Visitor(app)
    assert "As Blue tablet it will scan cards for Main desk, and nothing else, for 90 days." in text_of(tablet, link[2])
    tablet.post(link[2])
    shown = text_of(visitor, f"/admin/desks/{cast.desk.id}")
    assert "Blue tablet Scans" in shown and "Last seen" in shown
    visitor.post(f"/admin/desks/{cast.desk.id}/devices/{newest_device().id}/revoke")
    assert tablet.get(f"/scan?desk={cast.desk.id}").status_code == 403
    assert "Blue tablet Ended" in text_of(visitor, f"/admin/desks/{cast.desk.id}")


def test_a_tablet_of_another_desk_is_not_revoked_from_here(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    pair(app, cast.desk)
    visitor, device = admin(app), newest_device().id
    for path in (f"{gym.id}/devices/{device}", f"{cast.desk.id}/devices/999", f"{cast.library.id}/devices/{device}"):
        assert visitor.post(f"/admin/desks/{path}/revoke").status_code == 404
    for desk in ("999", "x", "9" * 40, str(cast.library.id)):
        assert visitor.get(f"/admin/desks/{desk}").status_code == 404
    assert newest_device().revoked_at is None


def test_the_administrator_says_what_a_desk_checks_and_whether_it_sees_who_it_is(app: Flask, cast: Cast) -> None:
    visitor, path = admin(app), f"/admin/desks/{cast.desk.id}"
    for benefit, sees_who in (("sports", "y"), ("-", "y"), ("-", "")):
        sent = {"benefit": benefit, **({"sees_who": sees_who} if sees_who else {})}
        for _ in range(2):
            assert visitor.post(path, sent).status_code == 303
        db.session.expire_all()
        desk = db.session.get(Service, cast.desk.id)
        assert desk and (desk.benefit.code if desk.benefit else "-") == benefit
        assert desk.scopes == ("identity,scan" if sees_who else "scan")
    assert db.session.query(AuditEntry).filter_by(action="desk_changed").count() == 3
    assert visitor.post(path, {"benefit": "nothing"}).status_code == 400
    assert "membership alone" in text_of(visitor, "/admin/desks")


def test_the_list_of_desks_shows_tablets_last_scan_and_what_to_look_at(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    upload(tablet, cast.desk, alone(static(cast.carol), "odd"))
    shown = text_of(admin(app), "/admin/desks")
    assert "Main desk 1 scan to look at Campus Wi-Fi Sees no name 1 tablet" in shown
    assert "Library" not in shown


def test_scans_to_look_at_say_why_in_plain_words(app: Flask, cast: Cast) -> None:
    set_clock(clock.now() + timedelta(hours=1))
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    tablet, staff = pair(app, cast.desk), Visitor(app, "scanner@example.org")
    upload(tablet, cast.desk, alone(static(cast.alice), "wrong", reason="revoked", clock_skew_ms=4000),
           alone("x", "ahead", clock.now() + timedelta(hours=1), reason="forged", list_issued_at=None))  # fmt: skip
    scan(staff, gym, live(cast.alice), "one")
    scan(staff, cast.desk, live(cast.alice), "two")
    newest_device().revoked_at = clock.now()
    upload(tablet, cast.desk, alone(static(cast.bob), "late"))
    shown = text_of(admin(app), "/admin/scans")
    for sentence in (
        "Without signal the desk found: a card that was withdrawn. The register said then: a member.",
        "Its clock was 4 seconds off.", "It had no list.", "Main desk , Blue tablet", "Gym , scanner@example.org",
        "It was sent by a tablet after its pairing was revoked.", "The tablet said it was made in the future.",
        "The same code of a phone was shown at two desks at once.", "Alice Soler", "nobody in the register",
    ):  # fmt: skip
        assert sentence in shown, sentence
    assert not re.search(r"differs|two_desks|device_revoked|forge|fraud", shown)
    assert Visitor(app, "scanner@example.org").get("/admin/scans").status_code == 403


def test_a_member_sees_where_and_when_their_card_was_checked(app: Flask, cast: Cast) -> None:
    set_clock(clock.now() + timedelta(hours=1))
    alice, staff = Visitor(app, "alice@example.org"), Visitor(app, "scanner@example.org")
    assert "Not checked lately" in text_of(alice, "/account/checks")
    scan(staff, cast.desk, live(cast.alice), "a")
    send(staff, "/scan/undo", desk=cast.desk.id, nonce="a", reason="left")
    upload(staff, cast.desk, alone(static(cast.alice), "b", clock.now() - timedelta(minutes=30)))
    ask(app, cast.library_key, static(cast.alice))
    scan(staff, cast.desk, live(cast.bob), "c")
    shown = text_of(alice, "/account/checks")
    assert shown.count("Main desk") == 2 and shown.count("Library") == 1
    assert re.search(r"Main desk \d+ \w+ \d{4}, \d\d:\d\d · without signal Check ID", shown)
    assert re.search(r"Main desk \d+ \w+ \d{4}, \d\d:\d\d · taken back by the desk Valid", shown)
    assert "After 90 days nobody can see this any more." in shown
    assert "/account/checks" in alice.get("/account").get_data(as_text=True)
    assert text_of(Visitor(app, "bob@example.org"), "/account/checks").count("Main desk") == 1


def test_checks_go_on_over_pages(app: Flask, cast: Cast) -> None:
    staff = Visitor(app, "scanner@example.org")
    upload(staff, cast.desk, *(alone(static(cast.alice), f"n{n}") for n in range(53)))
    assert len(rows()) == 53
    alice = Visitor(app, "alice@example.org")
    first, second = (text_of(alice, f"/account/checks?page={page}") for page in (0, 1))
    assert (first.count("Main desk"), second.count("Main desk")) == (50, 3)
    assert ("Older" in first, "Older" in second, "Newer" in second) == (True, False, True)
    assert text_of(alice, "/account/checks?page=-1") == first
    assert alice.get("/account/checks?page=999999999").status_code == 200


def test_the_privacy_notice_says_what_is_true_of_checks(app: Flask, cast: Cast) -> None:
    shown = text_of(Visitor(app), "/privacy")
    for sentence in (
        "Checks of your card: time, desk and answer", "After 90 days they are erased",
        "A desk that has to know who you are also sees your name, and your photo if you gave us one",
        "A tablet that scans cards at a desk has one more",
    ):  # fmt: skip
        assert sentence in shown
