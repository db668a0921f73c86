"""What a scanner is given to judge alone."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from flask import Flask

from app import clock
from app.services.service import add_service
from app.verification.rules import OFFLINE
from tests.cast import Cast
from tests.verification.desk import newest_device, pair
from tests.verification.test_scan import config_of
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_the_page_itself_holds_nothing_secret_and_so_may_be_kept(app: Flask, cast: Cast) -> None:
    page = Visitor(app, "scanner@example.org").get(f"/scan?desk={cast.desk.id}")
    config = config_of(page)
    assert set(config) == {
        "desk", "facts_url", "verify_url", "uploads_url", "count_url", "undo_url", "log_url", "status_url", "wasm_url",
        "worker_url",
    }  # fmt: skip
    assert "csrf" not in page.get_data(as_text=True).lower().replace("x-csrftoken", "")
    assert "scanner@example.org" not in page.get_data(as_text=True)


def test_the_facts_name_desk_benefit_tiers_and_clock(app: Flask, cast: Cast) -> None:
    tablet = pair(app, cast.desk)
    response = tablet.get(f"/scan/facts?desk={cast.desk.id}")
    facts = response.json
    assert response.headers["Cache-Control"] == "no-store"
    assert abs(datetime.fromisoformat(facts["server_time"]) - clock.now()) < timedelta(minutes=1)
    assert facts["server_time"].endswith("Z")
    assert (facts["time_zone"], facts["card_base_url"]) == ("Europe/Madrid", app.config["CARD_BASE_URL"])
    assert facts["desk"] == {"id": cast.desk.id, "name": "Main desk"}
    tier_ids = [cast.basic.id, cast.plus.id]
    assert facts["benefit"] == {"code": "wifi", "name": "Campus Wi-Fi", "tier_ids": tier_ids, "count": None}
    assert facts["tiers"] == {str(tier.id): {"code": tier.code, "name": tier.name} for tier in (cast.basic, cast.plus)}
    device = newest_device()
    assert facts["device"]["name"] == "Blue tablet"
    assert abs(datetime.fromisoformat(facts["device"]["expires_at"]) - device.expires_at) < timedelta(seconds=1)


def test_staff_are_no_device_and_a_desk_may_check_membership_alone(app: Flask, cast: Cast) -> None:
    door, _key = add_service("Door", ["scan"], None, cast.now)
    facts = Visitor(app, "scanner@example.org").get(f"/scan/facts?desk={door.id}").json
    assert (facts["device"], facts["benefit"]) == (None, None)


def test_only_public_halves_of_keys_are_given(app: Flask, cast: Cast) -> None:
    facts = Visitor(app, "scanner@example.org").get(f"/scan/facts?desk={cast.desk.id}").json
    keys = facts["jwks"]["keys"]
    assert {key["kid"].partition("-")[0] for key in keys} >= {"card"}
    assert all(set(key) == {"kty", "crv", "kid", "alg", "use", "x"} for key in keys)


def test_every_reason_without_signal_has_its_panel_and_words(app: Flask, cast: Cast) -> None:
    verdicts = Visitor(app, "scanner@example.org").get(f"/scan/facts?desk={cast.desk.id}").json["verdicts"]
    assert set(verdicts) == set(OFFLINE)
    panels = {reason: (kinds["live"]["panel"], kinds["static"]["panel"]) for reason, kinds in verdicts.items()}
    assert panels == {
        "ok": ("ok", "check"), "clock_wrong": ("check", "check"), "list_too_old": ("unsure", "unsure"),
        "not_entitled": ("other", "other"), **dict.fromkeys(
            ("forged", "unknown_card", "stale_code", "expired_card", "revoked"), ("no", "no")
        ),
    }  # fmt: skip
    assert all(words["word"] and words["line"] for kinds in verdicts.values() for words in kinds.values())
    assert "!" not in json.dumps(verdicts)
    assert verdicts["ok"]["static"]["line"] == "This code can be copied. Check a photo or ID."
    assert verdicts["not_entitled"]["live"]["line"] == "Not included: Campus Wi-Fi."


@pytest.mark.parametrize("desk", ["", "0", "999", "x", "9" * 30])
def test_facts_are_of_a_desk(app: Flask, cast: Cast, desk: str) -> None:
    response = Visitor(app, "scanner@example.org").get("/scan/facts", query_string={"desk": desk})
    assert (response.status_code, response.json["code"]) == (404, "unknown_desk")
