"""Tablets of a desk: one link pairs one of them, for ninety days or until it is revoked."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta

import pytest
from flask import Flask, Response
from werkzeug.http import parse_cookie

from app import audit, clock
from app.audit import AuditEntry
from app.errors import Refusal
from app.extensions import db
from app.services.at_desk import keep_pairing
from app.services.desks import LINK_LIFE, add_device, find_device_of_link, list_devices, pair_device, state_of
from app.services.models import DeskDevice
from app.services.service import add_service
from tests.cast import Cast
from tests.kept import everything_kept
from tests.verification.desk import newest_device, pair
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SECOND = timedelta(seconds=1)


def test_a_link_pairs_one_tablet_once(app: Flask, cast: Cast) -> None:
    _device, token = add_device(cast.desk, "Blue tablet", clock.now())
    first, second = Visitor(app), Visitor(app)
    opened = first.post(f"/scan/pair/{token}")
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/scan?desk={cast.desk.id}")
    assert second.post(f"/scan/pair/{token}").status_code == 410
    page = f"/scan?desk={cast.desk.id}"
    assert (first.get(page).status_code, second.get(page).status_code) == (200, 302)


def test_of_two_who_press_at_once_one_is_paired(app: Flask, cast: Cast) -> None:
    _device, token = add_device(cast.desk, "Blue tablet", clock.now())
    visitors = [Visitor(app) for _ in range(3)]
    tokens = [visitor.token() for visitor in visitors]
    start, statuses = threading.Barrier(3), []

    def press(visitor: Visitor, csrf: str) -> None:
        with app.app_context():
            start.wait(10)
            statuses.append(visitor.post_without_token(f"/scan/pair/{token}", {"csrf_token": csrf}).status_code)

    threads = [threading.Thread(target=press, args=pair_) for pair_ in zip(visitors, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [303, 410, 410]


@SQLITE
def test_whatever_only_looks_at_the_link_does_not_use_it_up(app: Flask, cast: Cast) -> None:
    _device, token = add_device(cast.desk, "Blue tablet", clock.now())
    db.session.commit()
    before = everything_kept()
    for method in ("GET", "HEAD", "GET"):
        response = Visitor(app)._send(method, f"/scan/pair/{token}")
        assert response.status_code == 200 and "carnet-desk" not in str(response.headers)
    assert everything_kept() == before
    assert "Pair this tablet?" in Visitor(app).get(f"/scan/pair/{token}").get_data(as_text=True)
    assert Visitor(app).post_without_token(f"/scan/pair/{token}").status_code == 400  # no button of ours pressed
    assert Visitor(app).post(f"/scan/pair/{token}").status_code == 303


@SQLITE
def test_a_link_is_good_for_a_quarter_of_an_hour(app: Flask, cast: Cast) -> None:
    now = clock.now()
    _device, token = add_device(cast.desk, "Blue tablet", now)
    assert find_device_of_link(token, now + LINK_LIFE - SECOND) is not None
    assert find_device_of_link(token, now + LINK_LIFE) is None
    with pytest.raises(Refusal, match="too old"):
        pair_device(token, now + LINK_LIFE)
    with pytest.raises(Refusal):
        pair_device("no-such-token", now)
    assert list_devices(cast.desk, now + LINK_LIFE) == []
    page = Visitor(app).get("/scan/pair/no-such-token")
    assert (page.status_code, page.mimetype) == (410, "text/html")


@SQLITE
def test_a_link_that_was_revoked_pairs_nothing(app: Flask, cast: Cast) -> None:
    device, token = add_device(cast.desk, "Blue tablet", clock.now())
    admin = Visitor(app, "admin@example.org")
    assert admin.post(f"/admin/desks/{cast.desk.id}/devices/{device.id}/revoke").status_code == 303
    assert Visitor(app).post(f"/scan/pair/{token}").status_code == 410


@SQLITE
def test_a_pairing_lasts_ninety_days(app: Flask, cast: Cast) -> None:
    now = clock.now()
    _device, token = add_device(cast.desk, "Blue tablet", now)
    device, _kept = pair_device(token, now)
    end = now + timedelta(days=90)
    assert [state_of(device, at) for at in (now, end - SECOND, end)] == ["live", "live", "expired"]


def test_of_link_and_tablet_only_hashes_are_kept(app: Flask, cast: Cast) -> None:
    _device, token = add_device(cast.desk, "Blue tablet", clock.now())
    tablet = Visitor(app)
    response = tablet.post(f"/scan/pair/{token}")
    kept_by_tablet = parse_cookie(response.headers["Set-Cookie"].split(";")[0])[f"carnet-desk-{cast.desk.id}"]
    kept = str(everything_kept())
    for secret in (token, kept_by_tablet):
        assert len(secret) == 43  # 256 random bits
        assert secret not in kept
        assert hashlib.sha256(secret.encode()).hexdigest() in kept


@SQLITE
def test_the_tablets_cookie_is_as_safe_as_a_sessions(app: Flask, cast: Cast) -> None:
    _device, token = add_device(cast.desk, "Blue tablet", clock.now())
    cookie = Visitor(app).post(f"/scan/pair/{token}").headers["Set-Cookie"]
    for says in (f"carnet-desk-{cast.desk.id}=", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert says in cookie
    app.config["HTTPS"] = True
    answer = Response()
    keep_pairing(answer, newest_device(), "token")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-carnet-desk-{cast.desk.id}=") and "Secure" in cookie
    assert "Domain" not in cookie


def test_adding_pairing_and_revoking_stand_in_the_audit_log(app: Flask, cast: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    admin.post(f"/admin/desks/{cast.desk.id}/devices", {"name": "Blue tablet"})
    pair(app, cast.desk)
    device = newest_device()
    for _ in range(2):
        admin.post(f"/admin/desks/{cast.desk.id}/devices/{device.id}/revoke")
    entries = db.session.query(AuditEntry).filter(AuditEntry.subject == f"device:{device.id}").order_by(AuditEntry.id)
    assert [entry.action for entry in entries] == ["device_added", "device_paired", "device_revoked"]
    assert entries[2].actor == f"account:{cast.account('admin').id}"
    assert "Blue tablet" not in "".join(entry.facts for entry in db.session.query(AuditEntry))
    assert audit.find_break() is None


def test_a_tablet_is_seen_every_few_minutes(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    facts = f"/scan/facts?desk={cast.desk.id}"
    for ago, is_noted in ((timedelta(minutes=4), False), (timedelta(minutes=6), True)):
        long_ago = clock.now() - ago
        db.session.query(DeskDevice).update({"last_seen_at": long_ago})
        assert tablet.get(facts).status_code == 200
        assert (newest_device().last_seen_at != long_ago) == is_noted


@SQLITE
def test_one_tablet_may_serve_two_desks_and_each_pairing_ends_by_itself(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan"], cast.sports, cast.now)
    tablet = pair(app, cast.desk)
    _device, token = add_device(gym, "Blue tablet", clock.now())
    tablet.post(f"/scan/pair/{token}")
    chooser = tablet.get("/scan").get_data(as_text=True)
    assert "Main desk" in chooser and "Gym" in chooser
    newest_device().revoked_at = clock.now()
    statuses = [tablet.get(f"/scan/facts?desk={desk.id}").status_code for desk in (cast.desk, gym)]
    assert statuses == [200, 401]


@SQLITE
@pytest.mark.parametrize("name", ["", "  ", "\0", "x" * 61])
def test_a_tablet_needs_a_name_of_some_letters(app: Flask, cast: Cast, name: str) -> None:
    with pytest.raises(Refusal, match="name"):
        add_device(cast.desk, name, clock.now())
