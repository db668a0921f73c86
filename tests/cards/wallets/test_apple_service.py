"""Devices that hold a pass register, hear of every change, fetch the pass anew, and are forgotten once gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import structlog
from flask import Flask
from sqlalchemy import select

from app import clock, jobs
from app.cards.replacing import replace_card
from app.cards.service import find_card
from app.cards.wallets.models import WalletPass, WalletRegistration
from app.cards.wallets.passes import MOST_DEVICES
from app.extensions import db
from app.jobs import Job
from app.memberships.service import hold_person, release_person, standing_of
from app.payments.checkouts import send_refund
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from tests.cards.wallets.authority import PASS_TYPE
from tests.cards.wallets.phone import Pass, Phone, work
from tests.cards.wallets.servers import PushServer
from tests.cast import Cast, pay
from tests.kept import everything_kept
from tests.verification.asking import set_clock

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def in_wallet(app: Flask, email: str = "alice@example.org", **phone: str) -> tuple[Phone, Pass]:
    """A phone that has taken the pass and asked for it once, as it does after registering."""
    owner = Phone(app, **phone)
    taken = owner.download(email)
    assert owner.register(taken) == 201
    work()
    assert owner.ask() == [taken.serial]
    assert owner.fetch(taken) is not None
    return owner, taken


def settled() -> None:
    """Half a minute later, so that nothing counts as just changed."""
    set_clock(clock.now() + timedelta(seconds=30))


def test_a_phone_registers_once_and_is_forgotten_when_it_leaves(app: Flask, cast: Cast, apns: PushServer) -> None:
    phone, taken = in_wallet(app)
    assert apns.tokens() == ["ab" * 32]  # told once, in case the file was older than the card's facts
    phone.token = "cd" * 32
    assert phone.register(taken) == 200
    assert db.session.query(WalletRegistration).count() == 1
    settled()
    phone.ask()
    assert phone.ask() == []
    renew(cast)
    work()
    assert apns.tokens()[1:] == [phone.token]  # the new token took the place of the old
    assert [phone.unregister(taken), phone.unregister(taken)] == [200, 200]
    assert db.session.query(WalletRegistration).count() == 0
    assert Phone(app).ask() == []


@SQLITE
def test_only_the_holder_of_a_pass_is_heard(app: Flask, cast: Cast) -> None:
    phone = Phone(app)
    alices, bobs = (phone.download(f"{name}@example.org") for name in ("alice", "bob"))
    token, body = alices.document["authenticationToken"], {"pushToken": phone.token}
    before = everything_kept(but=frozenset({"account_session", "sign_in", "audit_entry", "audit_head"}))
    own, bob = phone.registration(alices.serial), phone.registration(bobs.serial)
    for path, headers in (
        (own, {}),
        (own, {"Authorization": token}),
        (own, {"Authorization": f"Bearer {token}"}),
        (own, {"Authorization": f"ApplePass {token}x"}),
        (own, {"Authorization": f"ApplePass {token[:-1]}"}),
        (own, {"Authorization": "ApplePass ä"}),
        (bob, {"Authorization": f"ApplePass {token}"}),
        (own.replace(PASS_TYPE, "pass.org.example.other"), {"Authorization": f"ApplePass {token}"}),
        (phone.registration("0" + alices.serial), {"Authorization": f"ApplePass {token}"}),
        (phone.registration("9" * 40), {"Authorization": f"ApplePass {token}"}),
        (phone.registration("x"), {"Authorization": f"ApplePass {token}"}),
    ):
        for method in ("POST", "DELETE"):
            assert phone.send(method, path, headers=headers, json=body).status_code == 401, (method, path, headers)
        fetched = f"/passes/{path.partition('/registrations/')[2]}"
        assert phone.send("GET", fetched, headers=headers).status_code == 401
    for bad in ({}, {"pushToken": 1}, {"pushToken": "../x"}, {"pushToken": "ab"}, ["x"]):
        assert phone.send("POST", own, token, json=bad).status_code == 400
    bad_device = own.replace(phone.device, "x" * 101)
    assert phone.send("POST", bad_device, token, json=body).status_code == 400
    assert everything_kept(but=frozenset({"account_session", "sign_in", "audit_entry", "audit_head"})) == before


def renew(cast: Cast) -> None:
    pay(cast.alice, cast.plus, cast.today)


def hold(cast: Cast) -> None:
    hold_person(cast.alice, "test", "staff", clock.now())


def release(cast: Cast) -> None:
    release_person(cast.alice, "staff", clock.now())


def refund(cast: Cast) -> None:
    """Of the renewal: the days before it stay."""
    latest = max(payments_of(cast.alice.id), key=lambda payment: payment.id)
    given_back = request_refund(latest, 5000, "test", clock.now())
    db.session.commit()
    send_refund(given_back.id)


def replace(cast: Cast) -> None:
    card = find_card(cast.alice.id)
    assert card is not None and replace_card(cast.alice.id, card.id, None, clock.now())


def test_every_change_reaches_the_phone(app: Flask, cast: Cast, apns: PushServer) -> None:
    phone, taken = in_wallet(app)
    in_wallet(app, "bob@example.org", token="ef" * 32, device="bobs")
    for change, is_void in ((renew, False), (hold, True), (release, False), (refund, False), (replace, True)):
        settled()
        phone.ask()
        apns.pushes.clear()
        change(cast)
        db.session.commit()
        work()
        [push] = apns.pushes
        assert push.path == f"/3/device/{phone.token}"
        headers = (push.headers["apns-topic"], push.headers["apns-push-type"], push.body)
        assert headers == (PASS_TYPE, "background", b"{}")
        assert push.subject["userId"] == PASS_TYPE  # by the pass's own certificate
        assert phone.ask() == [taken.serial]
        fresh = phone.fetch(taken)
        assert fresh is not None and fresh.serial == taken.serial
        assert fresh.document["voided"] is is_void and ("barcodes" not in fresh.document) is is_void
        assert fresh.document["authenticationToken"] == taken.document["authenticationToken"]
        if change is renew:
            assert fresh.document["expirationDate"] > taken.document["expirationDate"]
            assert fresh.value("until") != taken.value("until")
        if change is refund:
            assert fresh.value("until") == taken.value("until")
        assert phone.fetch(taken) is None
    new = phone.download("alice@example.org")  # the new card is a new pass
    assert new.serial != taken.serial and new.document["voided"] is False
    settled()
    phone.ask()
    assert phone.ask() == []


@SQLITE
def test_two_changes_in_one_second_are_two(app: Flask, cast: Cast) -> None:
    phone, taken = in_wallet(app)
    instants = []
    for act in (hold_person, release_person, hold_person):
        act(cast.alice, *(["test"] if act is hold_person else []), "staff", clock.now())
        db.session.commit()
        work()
        instants.append(db.session.execute(select(WalletPass.changed_at)).scalar_one())
        assert phone.fetch(taken) is not None
    assert instants == sorted(set(instants)) and all(instant.microsecond == 0 for instant in instants)


@SQLITE
def test_what_does_not_change_the_pass_knocks_at_nobody(app: Flask, cast: Cast, apns: PushServer) -> None:
    phone, taken = in_wallet(app)
    apns.pushes.clear()
    jobs.enqueue("membership_changed", clock.now(), person_id=cast.alice.id)
    jobs.enqueue("membership_changed", clock.now(), person_id=cast.bob.id)
    db.session.commit()
    work()
    assert apns.pushes == [] and phone.fetch(taken) is None


@SQLITE
def test_running_out_needs_no_push_for_the_pass_carries_its_end(app: Flask, cast: Cast, apns: PushServer) -> None:
    phone, taken = in_wallet(app)
    apns.pushes.clear()
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    assert standing.valid_until is not None and standing.grace_until is not None
    for day in (standing.valid_until, standing.grace_until):
        set_clock(clock.day_end(day) + timedelta(hours=1))
        jobs.enqueue("refresh_wallets", clock.now())
        db.session.commit()
        work()
    assert apns.pushes == []
    fresh = phone.fetch(taken)
    assert fresh is None  # the one it has says when it ended


@SQLITE
def test_a_coming_term_brings_the_pass_to_life_by_itself(app: Flask, cast: Cast, apns: PushServer) -> None:
    phone, taken = in_wallet(app, "bob@example.org")
    standing = standing_of(cast.bob.id, cast.now, cast.today)
    assert standing.valid_until is not None
    pay(cast.bob, cast.basic, cast.today)  # renews in grace into another tier: from the day after the old end
    db.session.commit()
    work()
    fresh = phone.fetch(taken)
    assert fresh is not None and fresh.value("tier") == "Basic"
    set_clock(clock.now() + timedelta(days=300))
    pay(cast.bob, cast.plus, clock.today())  # renews early: the other tier begins with the next term
    db.session.commit()
    work()
    fresh = phone.fetch(taken)
    assert fresh is not None and fresh.value("tier") == "Basic"
    last = standing_of(cast.bob.id, clock.now(), clock.today())
    set_clock(clock.day_start(standing.valid_until + timedelta(days=366)) + timedelta(hours=9))
    assert standing_of(cast.bob.id, clock.now(), clock.today()).tier_id != last.tier_id
    apns.pushes.clear()
    for _ in range(2):
        jobs.enqueue("refresh_wallets", clock.now())
        db.session.commit()
        work()
    assert apns.tokens() == [phone.token]
    fresh = phone.fetch(taken)
    assert fresh is not None and fresh.value("tier") == "Plus"


def test_dead_tokens_are_forgotten_and_the_others_still_hear(app: Flask, cast: Cast, apns: PushServer) -> None:
    phones = [Phone(app, token=f"{n}a" * 32, device=f"device-{n}") for n in range(1, 5)]
    taken = phones[0].download("alice@example.org")
    for phone in phones:
        assert phone.register(taken) == 201
    work()
    apns.answers = {
        phones[0].token: (410, "Unregistered"), phones[1].token: (400, "BadDeviceToken"), phones[2].token: (200, "")
    }  # fmt: skip
    renew(cast)
    work()
    left = db.session.execute(select(WalletRegistration.device).order_by(WalletRegistration.device)).scalars()
    assert list(left) == ["device-3", "device-4"]
    apns.pushes.clear()
    hold(cast)
    db.session.commit()
    work()
    assert apns.tokens() == [phones[2].token, phones[3].token]


@SQLITE
def test_when_apple_does_not_answer_the_worker_tries_again(app: Flask, cast: Cast, apns: PushServer) -> None:
    phone, _taken = in_wallet(app)
    apns.answers[phone.token] = (503, "ServiceUnavailable")
    apns.pushes.clear()
    renew(cast)
    work()
    job = db.session.execute(select(Job).where(Job.name == "tell_wallet").order_by(Job.id.desc()).limit(1)).scalar_one()
    assert (job.state, len(apns.pushes)) == ("waiting", 1)
    assert job.last_error is not None and job.last_error.startswith("PushTrouble")
    apns.answers.clear()
    set_clock(clock.now() + timedelta(minutes=2))
    work()
    db.session.expire_all()
    assert (job.state, len(apns.pushes)) == ("done", 2)
    assert db.session.query(WalletRegistration).count() == 1


@SQLITE
def test_a_pass_is_on_so_many_devices_and_no_more(app: Flask, cast: Cast) -> None:
    taken = Phone(app).download("alice@example.org")
    codes = [Phone(app, device=f"device-{n}").register(taken) for n in range(MOST_DEVICES + 1)]
    assert codes == [201] * MOST_DEVICES + [403]
    assert db.session.query(WalletRegistration).count() == MOST_DEVICES


@SQLITE
def test_a_phone_hears_of_its_own_passes_only(app: Flask, cast: Cast) -> None:
    family = Phone(app)
    passes = [family.download(f"{name}@example.org") for name in ("alice", "bob")]
    assert [family.register(taken) for taken in passes] == [201, 201]
    other = Phone(app, device="another")
    assert other.ask() == []
    assert sorted(family.ask()) == sorted(taken.serial for taken in passes)
    settled()
    family.ask()
    renew(cast)
    work()
    assert family.ask() == [passes[0].serial]
    other_type = family.send("GET", f"/devices/{family.device}/registrations/pass.org.example.other")
    assert other_type.status_code == 204
    for tag in ("x", "-1", "9" * 40, ""):
        path = f"/devices/{family.device}/registrations/{PASS_TYPE}?passesUpdatedSince={tag}"
        assert len(family.send("GET", path).json["serialNumbers"]) == 2


@SQLITE
def test_what_devices_complain_of_is_logged_without_what_names_a_pass(app: Flask) -> None:
    complaint = "Get pass task (serial number 1099511627775, alice@example.org) failed: response code 401"
    with structlog.testing.capture_logs() as logs:
        response = Phone(app).send("POST", "/log", json={"logs": [complaint, 7, *["x" * 999] * 20]})
    said = [line["said"] for line in logs if line["event"] == "apple_wallet_says"]
    assert response.status_code == 200 and len(said) == 4
    assert said[0] == "Get pass task (serial number … … failed: response code 401"
    assert all(len(line) <= 300 for line in said)
    for body in ({}, {"logs": "x"}, []):
        assert Phone(app).send("POST", "/log", json=body).status_code == 200


@SQLITE
def test_paths_that_name_a_pass_or_a_device_are_not_logged(app: Flask) -> None:
    with structlog.testing.capture_logs() as logs:
        Phone(app).send("GET", f"/passes/{PASS_TYPE}/1099511627775")
        Phone(app).ask()
    paths = [line["path"] for line in logs if line["event"] == "request"]
    assert len(paths) == 2 and set(paths) == {"/wallets/apple/…"}
