"""Scans made without signal: each is there once however it was sent, with what the desk said and what we say."""

from __future__ import annotations

import json
import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.cards.models import Card
from app.cards.service import ensure_card
from app.extensions import db
from app.memberships.service import hold_person, release_person
from app.payments.checkouts import send_refund
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from app.services.service import add_service
from app.verification import uploads
from app.verification.models import Verification
from tests.cast import Cast, pay
from tests.verification.asking import card_of, live, set_clock, static
from tests.verification.desk import alone, flags_of, iso, newest_device, pair, rows, scan, send, upload
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def staff(app: Flask) -> Visitor:
    return Visitor(app, "scanner@example.org")


def test_a_scan_keeps_what_the_desk_said_and_what_we_say_of_that_moment(app: Flask, cast: Cast) -> None:
    set_clock(clock.now() + timedelta(hours=1))
    tablet = pair(app, cast.desk)
    at, listed = clock.now() - timedelta(minutes=20), clock.now() - timedelta(hours=2)
    code = static(cast.alice)
    sent = alone(code, "a", at, list_issued_at=iso(listed), clock_skew_ms=-3512.4)
    assert upload(tablet, cast.desk, sent) == {"taken": ["a"], "refused": []}
    row = rows()["a"]
    assert (iso(row.checked_at), iso(row.list_issued_at or at)) == (iso(at), iso(listed))
    assert row.received_at and abs(row.received_at - clock.now()) < timedelta(minutes=1)
    assert (row.desk_reason, row.reason, row.clock_skew_ms) == ("ok", "ok", -3512)
    assert (row.device_id, row.account_id) == (newest_device().id, None)
    assert (row.person_id, row.card_id) == (cast.alice.id, card_of(cast.alice).id)
    assert (row.valid, row.entitled, row.benefit_id, row.check_identity) == (True, True, cast.wifi.id, True)
    assert flags_of("a") == set()


def a_hundred(cast: Cast) -> list[dict[str, Any]]:
    codes = [static(person) for person in (cast.alice, cast.bob)] + [live(cast.alice), "nothing of ours"]
    reasons = ["ok", "ok", "ok", "forged"]
    return [alone(codes[n % 4], f"n{n:03}", reason=reasons[n % 4]) for n in range(100)]


def test_a_hundred_scans_cut_off_half_way_and_sent_again_are_a_hundred_rows(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    tablet, scans = pair(app, cast.desk), a_hundred(cast)
    headers = {"X-CSRFToken": tablet.token()}
    body = json.dumps({"desk": cast.desk.id, "scans": scans}).encode()
    half = tablet._send("POST", "/scan/uploads", data=body[: len(body) // 2], content_type="application/json",
                        headers=headers)  # fmt: skip
    assert half.status_code == 400 and rows() == {}
    taking, taken = uploads._take, iter(range(100))

    def die_after_fifty(*arguments: Any) -> None:
        if next(taken) == 50:
            raise OSError("the disk is full")
        taking(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(uploads, "_take", die_after_fifty)
        assert send(tablet, "/scan/uploads", desk=cast.desk.id, scans=scans).status_code == 500
    assert rows() == {}
    for _ in range(2):  # the second time because the answer got lost
        assert sorted(upload(tablet, cast.desk, *scans)["taken"]) == [it["nonce"] for it in scans]
        assert sorted(nonce or "" for nonce in rows()) == [it["nonce"] for it in scans]
    assert {row.reason for row in rows().values()} == {"ok", "grace", "forged"}


def test_the_same_scans_uploaded_side_by_side_are_there_once(app: Flask, cast: Cast) -> None:
    tablets = [pair(app, cast.desk, f"Tablet {n}") for n in range(3)]
    tokens = [tablet.token() for tablet in tablets]
    scans = a_hundred(cast)[:12]
    desk, start, answers = cast.desk.id, threading.Barrier(3), []
    db.session.commit()

    def send_shuffled(tablet: Visitor, token: str, seed: int) -> None:
        mine = random.Random(seed).sample(scans, len(scans))  # noqa: S311
        with app.app_context():
            start.wait(10)
            body = {"desk": desk, "scans": mine}
            answers.append(tablet.post_json("/scan/uploads", body, **{"X-CSRFToken": token}))

    threads = [threading.Thread(target=send_shuffled, args=(*it, n)) for n, it in
               enumerate(zip(tablets, tokens, strict=True))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(len(answer.json["taken"]) == 12 for answer in answers)
    assert db.session.query(Verification).count() == 12


def test_what_is_wrong_with_one_scan_stops_no_other(app: Flask, cast: Cast) -> None:
    code = static(cast.alice)
    long_ago = clock.now() - timedelta(days=91)
    bad: list[Any] = [
        None, "x", {}, alone(code, "r1", reason="grace"), alone(code, "r2", reason="nothing"), alone(code, "\x00"),
        alone(code, "n" * 101), alone("", "r3"), alone("1" * 401, "r4"), alone(code, "r5", scanned_at="yesterday"),
        alone(code, "r6", scanned_at="2026-11-23T10:00:00"), alone(code, "r7", scanned_at=1), alone(code, "r8", None,
        clock_skew_ms="12"), alone(code, "r9", clock_skew_ms=1e300), alone(code, "r10", undone=[]),
        alone(code, "r11", undone={"at": iso(clock.now()), "reason": "bored"}), alone(code, "r12", undone={"at": None,
        "reason": "left"}), alone(code, "r13", scanned_at="9999-12-31T23:59:59-23:00"), alone(code, "r14", long_ago),
        alone(code, "r15", list_issued_at="no"), alone(code, "r16", scanned_at=None),
    ]  # fmt: skip
    answer = upload(staff(app), cast.desk, *bad, alone(code, "good"))
    assert answer["taken"] == ["good"]
    assert len(answer["refused"]) == len(bad) and all(it["detail"] for it in answer["refused"])
    assert {"r1", "r13", "r14", None} <= {it["nonce"] for it in answer["refused"]}
    assert set(rows()) == {"good"}


@SQLITE
def test_more_than_a_hundred_at_once_and_other_nonsense_is_refused_whole(app: Flask, cast: Cast) -> None:
    visitor = staff(app)
    for scans, code in (([{}] * 101, "too_many_scans"), (None, "bad_scan"), ("x", "bad_scan"), ({}, "bad_scan")):
        response = send(visitor, "/scan/uploads", desk=cast.desk.id, scans=scans)
        assert (response.status_code, response.json["code"]) == (400, code)
    assert send(visitor, "/scan/uploads", desk=999, scans=[]).status_code == 404


@SQLITE
def test_a_nonce_stands_for_one_scan(app: Flask, cast: Cast) -> None:
    visitor = staff(app)
    upload(visitor, cast.desk, alone(static(cast.alice), "a"))
    answer = upload(visitor, cast.desk, alone(static(cast.bob), "a"))
    assert answer == {"taken": [], "refused": [{"nonce": "a", "detail": "This nonce belongs to another scan."}]}
    assert rows()["a"].person_id == cast.alice.id


@SQLITE
def test_a_scan_whose_answer_got_lost_is_one_row_that_says_both(app: Flask, cast: Cast) -> None:
    """It reached us with signal; the desk, told nothing, judged by itself and sends it later."""
    visitor = staff(app)
    code = live(cast.alice)
    verdict = scan(visitor, cast.desk, code, "a")
    assert upload(visitor, cast.desk, alone(code, "a", reason="revoked"))["taken"] == ["a"]
    (row,) = rows().values()
    assert (row.id, row.reason, row.desk_reason) == (verdict["id"], "ok", "revoked")
    assert row.is_offline and flags_of("a") == {"differs"}
    assert scan(visitor, cast.desk, code, "a")["reason"] == "ok"


def test_a_live_code_is_judged_by_the_moment_it_was_shown(app: Flask, cast: Cast) -> None:
    visitor, code, shown = staff(app), live(cast.alice), clock.now()
    set_clock(shown + timedelta(hours=3))
    late = shown + timedelta(minutes=5)
    upload(visitor, cast.desk, alone(code, "then", shown), alone(code, "late", late),
           alone(code, "late too", late, reason="stale_code"))  # fmt: skip
    assert [(rows()[nonce].reason, flags_of(nonce)) for nonce in ("then", "late", "late too")] == [
        ("ok", set()), ("stale_code", {"differs"}), ("stale_code", set())
    ]  # fmt: skip


def test_who_lost_the_membership_after_the_scan_had_it_when_scanned(app: Flask, cast: Cast) -> None:
    visitor, now = staff(app), clock.now()
    pay(cast.mallory, cast.basic, cast.today)
    ensure_card(cast.mallory.id, now)
    codes = {name: static(getattr(cast, name)) for name in ("alice", "bob", "mallory")}
    before = now + timedelta(minutes=10)
    later = now + timedelta(minutes=30)
    set_clock(now + timedelta(minutes=20))
    send_refund(request_refund(payments_of(cast.alice.id)[0], 5000, "test", clock.now()).id)
    hold_person(cast.bob, "test", "test", clock.now())
    db.session.query(Card).filter_by(person_id=cast.mallory.id).update({"revoked_at": clock.now()})
    set_clock(now + timedelta(hours=1))
    assert release_person(cast.bob, "test", clock.now())
    for name, code in codes.items():
        upload(visitor, cast.desk, alone(code, f"{name} before", before), alone(code, f"{name} later", later))
    found = {nonce: (row.reason, "differs" in flags_of(nonce or "")) for nonce, row in rows().items()}
    assert found == {
        "alice before": ("ok", False), "alice later": ("lapsed", True),
        "bob before": ("grace", False), "bob later": ("suspended", True),
        "mallory before": ("ok", False), "mallory later": ("revoked", True),
    }  # fmt: skip
    assert not rows()["alice before"].undone_at


def test_a_scan_out_of_the_future_is_taken_as_of_now_and_flagged(app: Flask, cast: Cast) -> None:
    ahead, barely = clock.now() + timedelta(days=400), clock.now() + timedelta(seconds=50)
    upload(staff(app), cast.desk, alone(static(cast.alice), "far", ahead), alone(static(cast.alice), "near", barely))
    assert (flags_of("far"), flags_of("near")) == ({"future"}, set())
    assert all(row.checked_at <= clock.now() for row in rows().values())


@SQLITE
def test_a_desk_that_could_not_tell_is_not_contradicted(app: Flask, cast: Cast) -> None:
    scans = [alone(static(cast.alice), reason, reason=reason) for reason in ("clock_wrong", "list_too_old")]
    upload(staff(app), cast.desk, *scans)
    assert {nonce: (row.reason, row.flags) for nonce, row in rows().items()} == {
        "clock_wrong": ("ok", []), "list_too_old": ("ok", [])
    }  # fmt: skip


def test_an_undone_scan_comes_undone(app: Flask, cast: Cast) -> None:
    set_clock(clock.now() + timedelta(hours=1))
    at = clock.now() - timedelta(minutes=5)
    wheres = {"same": 0, "last": 60, "late": 61}
    scans = [
        alone(static(cast.alice), nonce, at, undone={"at": iso(at + timedelta(seconds=after)), "reason": "left"})
        for nonce, after in wheres.items()
    ]
    visitor = pair(app, cast.desk)
    assert len(upload(visitor, cast.desk, *scans)["taken"]) == 3
    assert {nonce: row.undone_because for nonce, row in rows().items()} == {
        "same": "left",
        "last": "left",
        "late": None,
    }
    assert (flags_of("last"), flags_of("late")) == (set(), {"late_undo"})
    assert rows()["same"].undone_by == f"device:{newest_device().id}"


@SQLITE
def test_a_scan_undone_after_it_was_sent_is_sent_once_more(app: Flask, cast: Cast) -> None:
    visitor, made = staff(app), alone(static(cast.alice), "a")
    upload(visitor, cast.desk, made)
    undone = {"at": made["scanned_at"], "reason": "wrong_person"}
    for _ in range(2):
        upload(visitor, cast.desk, {**made, "undone": undone})
    assert rows()["a"].undone_because == "wrong_person" and flags_of("a") == set()


def test_the_same_live_code_at_two_desks_at_once_flags_both(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    visitor, code, alone_too = staff(app), live(cast.alice), live(cast.bob)
    scan(visitor, cast.desk, code, "here")
    scan(visitor, cast.desk, code, "here again")
    assert flags_of("here") == set()
    scan(visitor, gym, code, "there")
    scan(visitor, cast.desk, static(cast.alice), "paper")
    scan(visitor, gym, static(cast.alice), "paper too")
    upload(visitor, cast.desk, alone(alone_too, "offline"))
    upload(visitor, gym, alone(alone_too, "offline too", reason="not_entitled"))
    flagged = {nonce for nonce in rows() if flags_of(nonce or "")}
    assert flagged == {"here", "here again", "there", "offline", "offline too"}
    assert all(flags_of(nonce or "") == {"two_desks"} for nonce in flagged)


def test_of_two_desks_shown_one_code_in_the_same_instant_both_are_flagged(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    visitors = [staff(app), staff(app)]
    tokens = [visitor.token() for visitor in visitors]
    desks, code, start = [cast.desk.id, gym.id], live(cast.alice), threading.Barrier(2)
    db.session.commit()

    def show(n: int) -> None:
        with app.app_context():
            start.wait(10)
            body = {"desk": desks[n], "credential": code, "nonce": f"n{n}"}
            visitors[n].post_json("/scan/verifications", body, **{"X-CSRFToken": tokens[n]})

    threads = [threading.Thread(target=show, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [flags_of(f"n{n}") for n in range(2)] == [{"two_desks"}] * 2


@SQLITE
def test_neither_code_nor_name_is_kept_of_a_scan_made_alone(app: Flask, cast: Cast) -> None:
    code = static(cast.alice)
    upload(staff(app), cast.desk, alone(code, "a"))
    (row,) = rows().values()
    kept = str({column.name: getattr(row, column.name) for column in Verification.__table__.columns})
    for secret in (code.rpartition("/")[2], "Alice", "Soler"):
        assert secret not in kept
