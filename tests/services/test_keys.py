"""Keys of services: two live ones for rotation, their names, and when they were last used."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import ORMExecuteState

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.services.keys import add_key, find_service_by_key, keys_of, revoke_key
from app.services.models import ServiceKey
from app.services.service import add_service, change_service
from tests.cast import Cast
from tests.command import is_refused, run
from tests.kept import everything_kept
from tests.verification.asking import send

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def statuses(app: Flask, *keys: str) -> list[int]:
    return [send(app, key, "1").status_code for key in keys]


def test_a_key_is_replaced_without_a_gap(app: Flask, cast: Cast) -> None:
    (old,) = keys_of(cast.library.id)
    _new, new_key = add_key(cast.library, "the new reader", cast.now)
    assert statuses(app, cast.library_key, new_key) == [200, 200]
    revoke_key(cast.library, old.id, cast.now)
    assert statuses(app, cast.library_key, new_key) == [401, 200]
    _third, third_key = add_key(cast.library, "", cast.now)
    assert statuses(app, cast.library_key, new_key, third_key) == [401, 200, 200]
    assert [(key.label, key.slot) for key in keys_of(cast.library.id)] == [("", 1), ("the new reader", 2), ("", None)]


@SQLITE
def test_of_a_new_key_only_a_hash_is_kept(app: Flask, cast: Cast) -> None:
    _row, key = add_key(cast.library, "", cast.now)
    db.session.commit()
    kept = str(everything_kept())
    assert key not in kept and hashlib.sha256(key.encode()).hexdigest() in kept


def test_a_third_live_key_is_refused_by_us_and_by_the_database(app: Flask, cast: Cast) -> None:
    add_key(cast.library, "", cast.now)
    with pytest.raises(Refusal, match="Two keys are live"):
        add_key(cast.library, "", cast.now)
    for slot in (1, 2, 3):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            values = {"service_id": cast.library.id, "slot": slot, "key_hash": f"x{slot}", "created_at": cast.now}
            db.session.execute(db.insert(ServiceKey).values(**values))
    with pytest.raises(IntegrityError), db.session.begin_nested():  # live in no slot
        db.session.execute(db.insert(ServiceKey).values(service_id=cast.library.id, key_hash="y", created_at=cast.now))


def test_of_two_who_add_the_second_key_at_once_one_does(app: Flask, cast: Cast) -> None:
    start, made = threading.Barrier(3), []
    service_id = cast.library.id
    db.session.commit()

    def add() -> None:
        with app.app_context():
            from app.services.models import Service

            start.wait(10)
            try:
                add_key(db.session.get_one(Service, service_id), "", clock.now())
                db.session.commit()
                made.append(True)
            except Refusal:
                db.session.rollback()

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert made == [True]
    assert len([key for key in keys_of(service_id) if key.slot]) == 2


@SQLITE
def test_a_key_of_another_service_is_not_found(app: Flask, cast: Cast) -> None:
    gym, _key = add_service("Gym", ["verify"], None, cast.now)
    (key,) = keys_of(cast.library.id)
    with pytest.raises(Refusal, match="no such key"):
        revoke_key(gym, key.id, cast.now)
    revoke_key(cast.library, key.id, cast.now)
    first = key.revoked_at
    revoke_key(cast.library, key.id, cast.now + timedelta(days=1))
    assert key.revoked_at == first  # twice is once


@SQLITE
def test_a_changed_scope_counts_at_once(app: Flask, cast: Cast) -> None:
    assert statuses(app, cast.library_key) == [200]
    change_service(cast.library, ["payments"], None, cast.now)
    assert statuses(app, cast.library_key) == [403]
    change_service(cast.library, ["verify"], cast.sports, cast.now)
    assert send(app, cast.library_key, "1").status_code == 200


def test_last_use_is_written_once_a_minute(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = keys_of(cast.library.id)
    assert key.last_used_at is None
    statuses(app, cast.library_key)
    db.session.expire_all()
    first = key.last_used_at
    assert first is not None and abs(first - clock.now()) < timedelta(minutes=1)
    app.extensions["service_keys"].noted.clear()  # another process, which has noted nothing yet
    statuses(app, cast.library_key, cast.library_key)
    db.session.expire_all()
    assert key.last_used_at == first
    key.last_used_at = first - timedelta(minutes=1)
    db.session.commit()
    statuses(app, cast.library_key)  # this process has noted it within the minute
    db.session.expire_all()
    assert key.last_used_at == first - timedelta(minutes=1)
    app.extensions["service_keys"].noted.clear()
    statuses(app, cast.library_key)
    db.session.expire_all()
    assert key.last_used_at >= first


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_noting_a_use_waits_for_nobody(app: Flask, cast: Cast) -> None:
    key_id = keys_of(cast.library.id)[0].id
    db.session.commit()
    with db.engine.connect() as other, other.begin():
        other.execute(db.select(ServiceKey.id).where(ServiceKey.id == key_id).with_for_update())
        assert statuses(app, cast.library_key) == [200]
    assert db.session.get_one(ServiceKey, key_id).last_used_at is None


@SQLITE
def test_a_known_key_costs_no_query(app: Flask, cast: Cast) -> None:
    asked: list[str] = []

    @event.listens_for(db.session(), "do_orm_execute")
    def note(state: ORMExecuteState) -> None:
        asked.append(str(state.statement))

    find_service_by_key(cast.library_key)
    assert len(asked) == 1
    find_service_by_key(cast.library_key)
    assert len(asked) == 1
    for _ in range(2):
        assert find_service_by_key("carnet_nobodys") is None
    assert len(asked) == 3  # nothing is remembered of a key that is nobody's


@SQLITE
def test_keys_are_made_listed_and_revoked_by_command(app: Flask, cast: Cast) -> None:
    added = run(app, "services", "add-key", "Library", "--label", "new reader")
    assert added.exit_code == 0 and statuses(app, added.stdout.strip()) == [200]
    (library,) = [it for it in json.loads(run(app, "services", "list", "--json").stdout) if it["name"] == "Library"]
    assert [(key["label"], bool(key["last_used_at"])) for key in library["keys"]] == [("new reader", True), ("", False)]
    assert library["scopes"] == ["verify"]
    revoked = run(app, "services", "revoke-key", "Library", str(library["keys"][0]["id"]))
    assert revoked.exit_code == 0 and statuses(app, added.stdout.strip()) == [401]
    shown = run(app, "services", "list").stdout
    assert "Library\tverify\t-" in shown and "never used" in shown and "new reader" not in shown


@SQLITE
@pytest.mark.parametrize(
    "arguments",
    [
        ("add-key", "Nobody"),
        ("add-key", "Library", "--label", "x" * 61),
        ("revoke-key", "Nobody", "1"),
        ("revoke-key", "Library", "999"),
        ("revoke-key", "Library", "x"),
    ],
)
def test_what_is_no_service_or_key_is_refused(app: Flask, cast: Cast, arguments: tuple[str, ...]) -> None:
    before = everything_kept()
    assert is_refused(run(app, "services", *arguments))
    assert everything_kept() == before
