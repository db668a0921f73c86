"""A member's devices: added in two taps, a secret shown once, five at most, revoked; and why it does not work."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock, doctor
from app.benefits.models import BenefitTier
from app.extensions import db
from app.memberships.service import hold_person
from app.wifi import checks, rules, service, usage
from app.wifi.accounting import Report, erase_old_sessions
from app.wifi.models import WifiCredential
from app.wifi.usage_jobs import count_wifi_months
from tests.cast import Cast
from tests.visitor import Visitor

SECRET = re.compile(r"[a-z2-9]{6}-[a-z2-9]{6}-[a-z2-9]{6}")
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile Safari/604.1"
ONCE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def devices_of(cast: Cast, who: str) -> list[WifiCredential]:
    return service.credentials_of(getattr(cast, who).id)


def add(visitor: Visitor, label: str = "My phone") -> str:
    """The page with the secret, as text."""
    answer = visitor.post("/wifi", {"label": label})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def text_of(visitor: Visitor, path: str) -> str:
    return visitor.get(path).get_data(as_text=True)


def test_a_device_is_added_in_two_taps_and_its_secret_is_shown_this_once(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    asked = alice.get("/wifi", headers={"User-Agent": IPHONE}).get_data(as_text=True)
    assert re.search(r'name="label"[^>]*value="iPhone"', asked)
    page = add(alice, "iPhone")
    found = SECRET.search(page)
    (device,) = devices_of(cast, "alice")
    assert found and rules.ssha2_256(found[0], bytes.fromhex(device.ssha2_256)[32:]) == device.ssha2_256
    assert f"{device.username}@wifi.example.org" in page and "iPhone" in page
    for later in ("/wifi", f"/wifi/{device.id}/setup/apple", f"/wifi/{device.id}/setup/linux"):
        assert found[0] not in text_of(alice, later)


@ONCE
def test_the_code_on_the_page_holds_the_secret_and_does_not_pretend_to_join(app: Flask, cast: Cast) -> None:
    page = add(Visitor(app, "alice@example.org"))
    assert "WIFI:" not in page and "It does not join the network by itself" in page


@ONCE
def test_a_second_phone_of_one_kind_gets_a_name_of_its_own(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    add(alice, "iPhone")
    page = alice.get("/wifi", headers={"User-Agent": IPHONE}).get_data(as_text=True)
    assert 'value="iPhone 2"' in page


def test_a_sixth_device_is_refused_in_clear_words_until_one_is_taken_off(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    for number in range(5):
        add(alice, f"Device {number}")
    page = text_of(alice, "/wifi")
    assert "You have 5 devices, and there is no room for more" in page and 'name="label"' not in page
    refused = alice.post("/wifi", {"label": "One more"})
    assert refused.status_code == 409 and not SECRET.search(refused.get_data(as_text=True))
    alice.post(f"/wifi/{devices_of(cast, 'alice')[0].id}/revoke")
    add(alice, "One more")
    assert len(devices_of(cast, "alice")) == 5


@ONCE
@pytest.mark.parametrize("label", ["", "   ", "x" * 61, "\0"])
def test_a_device_without_a_proper_name_is_not_added(app: Flask, cast: Cast, label: str) -> None:
    answer = Visitor(app, "alice@example.org").post("/wifi", {"label": label})
    assert answer.status_code == 400 and devices_of(cast, "alice") == []


def test_a_device_taken_off_is_refused_from_then_on_and_taking_it_off_again_changes_nothing(
    app: Flask, cast: Cast
) -> None:
    alice = Visitor(app, "alice@example.org")
    add(alice)
    (device,) = devices_of(cast, "alice")
    for _again in range(2):
        assert alice.post(f"/wifi/{device.id}/revoke").status_code == 303
    assert service.entitlement(device.username, clock.now(), clock.today()) == service.Refused("revoked", device.id)
    assert alice.get(f"/wifi/{device.id}/carnet.mobileconfig").status_code == 404


@ONCE
def test_somebody_elses_device_is_nowhere(app: Flask, cast: Cast) -> None:
    add(Visitor(app, "alice@example.org"))
    (device,) = devices_of(cast, "alice")
    bob = Visitor(app, "bob@example.org")
    answers = [bob.post(f"/wifi/{device.id}/revoke")]
    answers += [
        bob.get(f"/wifi/{device.id}/{it}") for it in ("setup/apple", "carnet.mobileconfig", "carnet.eap-config")
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert len(devices_of(cast, "alice")) == 1


@ONCE
@pytest.mark.parametrize("number", ["0", "99999999999999999999", "x", "-1", "١"])
def test_a_number_that_is_no_device_is_nowhere(app: Flask, cast: Cast, number: str) -> None:
    alice = Visitor(app, "alice@example.org")
    assert alice.post(f"/wifi/{number}/revoke").status_code == 404
    assert alice.get(f"/wifi/{number}/setup/apple").status_code == 404


@ONCE
@pytest.mark.parametrize(
    ("who", "word"),
    [
        ("carol", "Your membership ended on"),
        ("mallory", "Wi-Fi comes with a membership"),
        ("dan", "Your membership ended"),
    ],
)
def test_who_is_no_member_reads_why_and_gets_no_secret(app: Flask, cast: Cast, who: str, word: str) -> None:
    visitor = Visitor(app, f"{who}@example.org")
    page = text_of(visitor, "/wifi")
    assert word in page and 'name="label"' not in page
    assert visitor.post("/wifi", {"label": "Phone"}).status_code == 409
    assert devices_of(cast, who) == []


@ONCE
def test_a_hold_is_named_with_whom_to_write_to(app: Flask, cast: Cast) -> None:
    hold_person(cast.alice, "test", "system", cast.now)
    page = text_of(Visitor(app, "alice@example.org"), "/wifi")
    assert "Your membership is on hold" in page and 'name="label"' not in page


@ONCE
def test_a_tier_without_wifi_says_so_and_shows_the_way_to_another(app: Flask, cast: Cast) -> None:
    db.session.delete(db.session.get_one(BenefitTier, (cast.wifi.id, cast.plus.id)))
    page = text_of(Visitor(app, "alice@example.org"), "/wifi")
    assert "Campus Wi-Fi does not go with the tier Plus" in page and 'href="/upgrade"' in page


@ONCE
def test_in_grace_a_member_may_join_until_the_last_day_of_it(app: Flask, cast: Cast) -> None:
    page = text_of(Visitor(app, "bob@example.org"), "/wifi")
    assert "You may join, in grace" in page and 'name="label"' in page


@ONCE
def test_a_benefit_that_rests_in_grace_says_so(app: Flask, cast: Cast) -> None:
    cast.wifi.in_grace = False
    page = text_of(Visitor(app, "bob@example.org"), "/wifi")
    assert "In the days of grace the Wi-Fi rests" in page and 'name="label"' not in page


@ONCE
def test_a_wifi_of_other_days_says_from_when_and_one_nobody_offers_says_that(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    cast.wifi.available_from = cast.today + timedelta(days=3)
    assert "Campus Wi-Fi begins on" in text_of(alice, "/wifi")
    cast.wifi.available_from, cast.wifi.code = None, "another"
    page = text_of(alice, "/wifi")
    assert "The association does not offer it" in page and 'name="label"' not in page
    assert "nobody may use it" in " ".join(it.says for it in checks.check(clock.now()))


@ONCE
@pytest.mark.parametrize("system", ["apple", "android", "windows", "linux", "other"])
def test_every_system_has_its_steps_with_the_devices_own_user_name(app: Flask, cast: Cast, system: str) -> None:
    alice = Visitor(app, "alice@example.org")
    add(alice)
    (device,) = devices_of(cast, "alice")
    assert f"{device.username}@wifi.example.org" in text_of(alice, f"/wifi/{device.id}/setup/{system}")
    assert alice.get(f"/wifi/{device.id}/setup/amiga").status_code == 404


def test_a_member_sees_when_their_own_devices_were_online_and_nobody_elses(app: Flask, cast: Cast) -> None:
    for who in ("alice", "bob"):
        device, _secret = service.create_credential(getattr(cast, who).id, f"Phone of {who}", cast.now)
        service.note_accounting(Report("Start", f"session-{who}", device.username, "192.0.2.7", "S-1"), clock.now())
        service.note_accounting(
            Report("Stop", f"session-{who}", device.username, "192.0.2.7", "S-1", 60, 0, 1_000_000, 500_000),
            clock.now() + timedelta(minutes=1),
        )
    page = text_of(Visitor(app, "alice@example.org"), "/wifi")
    assert "1.5 MB" in page and "Phone of alice" in page and "Phone of bob" not in page
    assert "192.0.2.7" not in page and "S-1" not in page


def test_a_wrong_secret_is_told_at_the_device_until_it_joins(app: Flask, cast: Cast) -> None:
    device, _secret = service.create_credential(cast.alice.id, "Phone", cast.now)
    assert service.note_refusal(device.username, clock.now(), cast.today) == "wrong_secret"
    alice = Visitor(app, "alice@example.org")
    assert "the secret was not right" in text_of(alice, "/wifi")
    service.note_accounting(Report("Start", "session", device.username), clock.now() + timedelta(seconds=1))
    assert "the secret was not right" not in text_of(alice, "/wifi")


@ONCE
def test_without_wifi_the_pages_say_so_and_the_files_are_not_there(app: Flask, cast: Cast) -> None:
    device, _secret = service.create_credential(cast.alice.id, "Phone", cast.now)
    app.config["WIFI_SSID"] = ""
    alice, admin = Visitor(app, "alice@example.org"), Visitor(app, "admin@example.org")
    assert "The association has not set up Wi-Fi" in text_of(alice, "/wifi")
    assert 'href="/wifi"' not in text_of(alice, "/")
    assert "Not set up" in text_of(admin, "/admin/wifi")
    paths = (f"/wifi/{device.id}/carnet.mobileconfig", "/wifi/authority.pem", "/captive-portal")
    assert [alice.get(path).status_code for path in paths] == [404] * 3
    assert alice.post("/wifi", {"label": "Phone"}).status_code == 404
    (finding,) = checks.check(clock.now())
    assert (finding.state, finding.says) == ("note", "not set up, so its pages say so")


@ONCE
def test_staff_who_are_nobody_in_the_register_are_sent_to_join(app: Flask, cast: Cast) -> None:
    scanner = Visitor(app, "scanner@example.org")
    assert scanner.get("/wifi").headers["Location"] == "/join"
    assert scanner.post("/wifi", {"label": "Phone"}).status_code == 404


def test_the_association_sees_how_many_used_it_and_why_some_could_not_but_nobody(app: Flask, cast: Cast) -> None:
    now = clock.now()
    for who, times in (("alice", 2), ("bob", 1)):
        device, _secret = service.create_credential(getattr(cast, who).id, f"Phone of {who}", now)
        for time in range(times):
            service.note_accounting(Report("Start", f"{who}-{time}", device.username, "192.0.2.7", "S-1"), now)
    service.note_refusal("nobodyis", now, cast.today)
    page = text_of(Visitor(app, "admin@example.org"), "/admin/wifi")
    assert usage.members_by_month(cast.today)[0] == (cast.today.replace(day=1), 2)
    assert re.search(r"A user name that no device has</th><td class=\"amount\">1<", page)
    names = [it.username for it in db.session.execute(select(WifiCredential)).scalars()]
    assert not [word for word in (*names, "Phone of", "192.0.2.7", "Soler", "alice@") if word in page]


def test_a_months_figure_stays_when_its_sessions_are_erased(app: Flask, cast: Cast) -> None:
    last_month = clock.day_start(cast.today.replace(day=1)) - timedelta(days=2)
    device, _secret = service.create_credential(cast.alice.id, "Phone", last_month)
    service.note_accounting(Report("Start", "long-ago", device.username), last_month)
    service.note_accounting(Report("Stop", "long-ago", device.username), last_month)
    db.session.commit()
    for _again in range(2):
        count_wifi_months(clock.now())
    assert erase_old_sessions(cast.today + timedelta(days=200)) == 1
    count_wifi_months(clock.now())
    this, last = usage.members_by_month(cast.today)[:2]
    assert (this[1], last[1]) == (0, 1)


@ONCE
def test_without_a_controller_page_and_doctor_say_how_long_a_session_may_go_on(app: Flask, cast: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    assert "8 hours at most: no controller is configured" in text_of(admin, "/admin/wifi")
    assert "it may last up to 8 hours more" in " ".join(it.says for it in checks.check(clock.now()))
    app.config["WIFI_CONTROLLERS"] = "192.0.2.9:3799 a-secret-of-twenty-letters"
    page = text_of(admin, "/admin/wifi")
    assert "192.0.2.9:3799" in page and "a-secret-of" not in page


@ONCE
def test_doctor_looks_at_certificates_before_they_run_out(app: Flask, cast: Cast) -> None:
    said = {it.what: it for it in checks.check(clock.now())}
    assert "made up for trying out" in said["Wi-Fi"].says and said["Wi-Fi profiles"].state == "note"
    too_late = {it.what: it.state for it in checks.check(clock.now() + timedelta(days=40 * 366))}
    assert (too_late["Wi-Fi"], too_late["Wi-Fi profiles"]) == ("wrong", "wrong")
    assert checks.check in doctor._checks
