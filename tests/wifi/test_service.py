"""A member's devices: five of them, each with its own secret, refused the moment it is revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app import clock
from app.audit import AuditEntry
from app.benefits.service import change_benefit, close_benefit
from app.errors import Refusal
from app.extensions import db
from app.jobs import Job
from app.memberships.service import hold_person, release_person
from app.wifi import rules
from app.wifi.models import WifiCredential
from app.wifi.service import (
    Entitled,
    Refused,
    create_credential,
    credentials_of,
    entitlement,
    revoke_credential,
)
from tests.cast import Cast


def ask(username: str) -> Entitled | Refused:
    return entitlement(username, clock.now(), clock.today())


def why(username: str) -> str:
    found = ask(username)
    return found.reason if isinstance(found, Refused) else "yes"


def test_the_secret_is_shown_once_and_kept_as_a_salted_hash(cast: Cast) -> None:
    credential, secret = create_credential(cast.alice.id, "My phone", cast.now)
    again, other = create_credential(cast.alice.id, "My phone", cast.now)
    assert (credential.label, credential.revoked_at) == ("My phone", None)
    assert secret != other and credential.username != again.username
    assert credential.ssha2_256 == rules.ssha2_256(secret, bytes.fromhex(credential.ssha2_256)[32:])
    assert "Soler" not in credential.username and cast.alice.member_number not in credential.username
    db.session.commit()
    written = [*db.session.scalars(sa.select(AuditEntry.facts)), *db.session.scalars(sa.select(Job.arguments))]
    assert written and not any(secret in text for text in written)


def test_a_device_of_a_member_is_let_in_with_what_its_secret_is_compared_with(cast: Cast) -> None:
    credential, _secret = create_credential(cast.alice.id, "My phone", cast.now)
    assert ask(credential.username) == Entitled(
        credential.id, cast.alice.id, credential.username, credential.ssha2_256, 28800
    )
    assert ask(f"{credential.username.upper()}@wifi.example.org") == ask(credential.username)


def test_who_is_let_in_and_why_others_are_not(cast: Cast) -> None:
    people = {"alice": cast.alice, "bob": cast.bob, "carol": cast.carol, "dan": cast.dan, "mallory": cast.mallory}
    said = {name: why(create_credential(it.id, "Phone", cast.now)[0].username) for name, it in people.items()}
    assert said == {"alice": "yes", "bob": "yes", "carol": "lapsed", "dan": "lapsed", "mallory": "none"}
    assert why("nobody") == why("") == why("a\0b") == "unknown_device"


def test_a_hold_refuses_at_once_and_its_end_lets_in_again(cast: Cast) -> None:
    credential, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    hold_person(cast.alice, "test", "test", cast.now)
    assert why(credential.username) == "suspended"
    release_person(cast.alice, "test", cast.now)
    assert why(credential.username) == "yes"


def test_a_benefit_of_other_tiers_closed_over_or_without_grace_is_not_theirs(cast: Cast) -> None:
    alice, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    bob, _secret = create_credential(cast.bob.id, "Phone", cast.now)
    change_benefit(cast.wifi, cast.now, in_grace=False)
    assert (why(alice.username), why(bob.username)) == ("yes", "not_entitled")
    change_benefit(cast.wifi, cast.now, in_grace=True, tiers=[cast.basic])
    assert why(alice.username) == "not_entitled"
    change_benefit(cast.wifi, cast.now, tiers=[cast.plus], available_until=cast.today - timedelta(days=1))
    assert why(alice.username) == "not_entitled"
    change_benefit(cast.wifi, cast.now, available_until=cast.today)
    found = ask(alice.username)
    left = (clock.day_end(cast.today) - clock.now()).total_seconds()
    assert isinstance(found, Entitled) and abs(found.session_timeout - min(28800, max(60, left))) <= 2
    close_benefit(cast.wifi, cast.now)
    assert why(alice.username) == "not_entitled"


def test_a_revoked_device_is_refused_and_the_others_are_not(cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    laptop, _secret = create_credential(cast.alice.id, "Laptop", cast.now)
    for _ in range(2):
        revoke_credential(cast.alice.id, phone.id, cast.now, "member")
    assert (why(phone.username), why(laptop.username)) == ("revoked", "yes")
    assert [it.label for it in credentials_of(cast.alice.id)] == ["Laptop"]
    noted = sa.select(sa.func.count()).where(AuditEntry.action == "wifi_device_revoked")
    db.session.flush()
    asked = sa.select(sa.func.count()).where(Job.name == "wifi_disconnect")
    db.session.commit()
    assert db.session.scalar(noted) == db.session.scalar(asked) == 1


def test_nobody_revokes_the_device_of_somebody_else(cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    for number in (phone.id, phone.id + 1000):
        with pytest.raises(Refusal) as refused:
            revoke_credential(cast.bob.id, number, cast.now, "member")
        assert refused.value.status == 404
    assert why(phone.username) == "yes"


def test_a_sixth_device_is_refused_until_one_is_removed(cast: Cast) -> None:
    devices = [create_credential(cast.alice.id, f"Device {n}", cast.now)[0] for n in range(5)]
    with pytest.raises(Refusal, match="five devices") as refused:
        create_credential(cast.alice.id, "Device 6", cast.now)
    assert refused.value.status == 409
    create_credential(cast.bob.id, "Phone", cast.now)
    revoke_credential(cast.alice.id, devices[2].id, cast.now, "member")
    create_credential(cast.alice.id, "Device 6", cast.now)
    assert len(credentials_of(cast.alice.id)) == 5


@pytest.mark.parametrize("slot", [1, 6, 0, None])
def test_the_database_refuses_a_sixth_live_device(cast: Cast, slot: int | None) -> None:
    for n in range(5):
        create_credential(cast.alice.id, f"Device {n}", cast.now)
    db.session.commit()
    row = {"person_id": cast.alice.id, "label": "x", "username": "x", "ssha2_256": "00", "created_at": cast.now}
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.insert(WifiCredential).values(slot=slot, **row))
    db.session.rollback()


@pytest.mark.parametrize("label", ["", "  ", "x" * 61])
def test_a_device_needs_a_name(app: Flask, cast: Cast, label: str) -> None:
    with pytest.raises(Refusal, match="at most 60 letters"):
        create_credential(cast.alice.id, label, cast.now)
    assert credentials_of(cast.alice.id) == []
