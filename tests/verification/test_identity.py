"""Name and photo: only at a desk that may see who it is, only of a valid card, only with signal, only for a moment."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image

from app import clock
from app.cards.photos import upload_photo
from app.extensions import db
from app.services.desks import change_desk
from app.services.service import add_service
from tests.cast import Cast
from tests.verification.asking import live
from tests.verification.desk import alone, pair, rows, scan, upload
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def give_photo(person_id: int) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (600, 600), "teal").save(picture, "JPEG")
    upload_photo(person_id, picture.getvalue(), 50, clock.now())


def test_only_a_desk_that_may_see_who_it_is_is_told(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan", "identity"], cast.sports, cast.now)
    visitor = Visitor(app, "scanner@example.org")
    assert "person" not in scan(visitor, cast.desk, live(cast.alice), "a")
    assert scan(visitor, gym, live(cast.alice), "b")["person"] == {"name": "Alice Soler", "photo_url": None}
    change_desk(cast.desk, cast.wifi, True, clock.now())
    assert scan(visitor, cast.desk, live(cast.bob), "c")["person"]["name"] == "Bob Vidal"
    change_desk(cast.desk, cast.wifi, False, clock.now())
    assert "person" not in scan(visitor, cast.desk, live(cast.bob), "d")


def test_who_is_no_member_is_not_named(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan", "identity"], None, cast.now)
    visitor = Visitor(app, "scanner@example.org")
    for n, code in enumerate((live(cast.carol), "nothing of ours")):
        answer = scan(visitor, gym, code, f"n{n}")
        assert "person" not in answer and "Carol" not in json.dumps(answer)


def test_the_photo_is_for_whoever_scanned_and_for_some_minutes(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan", "identity"], cast.sports, cast.now)
    give_photo(cast.alice.id)
    tablet = pair(app, gym)
    url = scan(tablet, gym, live(cast.alice), "a")["person"]["photo_url"]
    shown = tablet.get(url)
    assert (shown.status_code, shown.mimetype, shown.headers["Cache-Control"]) == (200, "image/jpeg", "no-store")
    assert shown.data.startswith(b"\xff\xd8")
    others = {
        "scanner": Visitor(app, "scanner@example.org"), "another tablet": pair(app, gym, "Red tablet"),
        "another desk": pair(app, cast.desk),
    }  # fmt: skip
    assert {name: visitor.get(url).status_code for name, visitor in others.items()} == dict.fromkeys(others, 404)
    assert (Visitor(app).get(url).status_code, Visitor(app, "alice@example.org").get(url).status_code) == (401, 403)
    for ago, status in ((4, 200), (6, 404)):
        rows()["a"].checked_at = clock.now() - timedelta(minutes=ago)
        assert tablet.get(url).status_code == status
    rows()["a"].checked_at = clock.now()
    change_desk(gym, cast.sports, False, clock.now())
    assert tablet.get(url).status_code == 404


def test_a_scan_made_without_signal_shows_nobody(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["scan", "identity"], cast.sports, cast.now)
    give_photo(cast.alice.id)
    tablet = pair(app, gym)
    answer = upload(tablet, gym, alone(live(cast.alice), "a"))
    assert set(answer) == {"taken", "refused"}
    db.session.commit()
    assert tablet.get(f"/scan/photo/{rows()['a'].id}").status_code == 404
