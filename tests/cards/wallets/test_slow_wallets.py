"""However long a wallet takes to answer, nobody waits for the database meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from flask import Flask

from app.extensions import db
from tests.cards.wallets.phone import Phone, work
from tests.cards.wallets.servers import GoogleServer, PushServer
from tests.cast import Cast, pay
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_others_write_while_a_wallet_is_being_told(
    app: Flask, cast: Cast, apns: PushServer, google: GoogleServer
) -> None:
    path, wrote = str(db.engine.url.database), []

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            wrote.append(connection.execute("SELECT count(*) FROM wallet_pass").fetchone()[0])

    apns.on_push = google.on_call = write
    assert Visitor(app, "alice@example.org").post("/card/google").status_code == 303
    assert wrote == [1, 1, 1, 1]  # leave, no object yet, its class, the object: our own row stands before them all
    phone = Phone(app)
    phone.register(phone.download("alice@example.org"))
    work()
    pay(cast.alice, cast.plus, cast.today)
    work()
    assert len(wrote) == 4 + 1 + 1 + 2  # a push each time, and leave and change at Google
