"""One association, one provider account and one web server for thousands of histories, set back before each.

Browsers, webhooks and the provider's API go over HTTP. What payers, banks and time do at the provider is done to the
simulator directly, as its control page does it.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
import stripe
from flask import Flask
from sqlalchemy import Integer, select, text

from app import clock
from app.accounts import rules as account_rules
from app.accounts.service import _new_sign_in, open_account
from app.association import get_association
from app.extensions import db, limiter
from app.jobs import Job, tick, work_off
from app.memberships.service import add_tier
from app.payments import hearing, receipt_pdf
from app.people.service import add_person
from app.services.service import add_service
from demo.simulator.acts import act
from tests.payments.histories.reference import Plan
from tests.payments.shop import TOKEN, Shop

SHOWN = re.compile(r'name="shown" value="([^"]+)"')
PEOPLE = ("ana", "bo", "cy")
PLANS = {
    plan.code: plan
    for plan in (
        Plan("basic"), Plan("plus"), Plan("prime", grace=10), Plan("half", months=6, grace=0),
        Plan("course", fixed=(10, 1), bonus=45),
    )
}  # fmt: skip
FEES = {"basic": 3000, "plus": 5000, "prime": 9100, "half": 1700, "course": 2500}


class Visitor:
    """A browser that keeps its connection, and signs in anew when its session has run out."""

    def __init__(self, house: House, email: str) -> None:
        self.house, self.email = house, email
        self.session = requests.Session()
        self.token = ""

    def sign_in(self) -> None:
        with self.house.books():
            _row, link = _new_sign_in(self.email, "/", "en", clock.now(), account_rules.LINK_LIFE)
            db.session.commit()
        self.session.cookies.clear()
        found = TOKEN.search(self._send("GET", f"/sign-in/{link}").text)
        answer = self._send("POST", f"/sign-in/{link}", {"csrf_token": found[1] if found else ""})
        assert answer.status_code == 303, answer.text[:500]
        self.token = ""

    def get(self, path: str) -> requests.Response:
        """The page, after redirects within the site."""
        answer = self._send("GET", path)
        if answer.is_redirect and "/sign-in" in answer.headers["Location"] or not self.session.cookies:
            self.sign_in()
            answer = self._send("GET", path)
        while answer.is_redirect and answer.headers["Location"].startswith("/"):
            answer = self._send("GET", answer.headers["Location"])
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, page: str | None = None) -> requests.Response:
        """The form of `page` (already read: `page=""`), sent; not redirected."""
        if page != "" or not self.token:
            found = TOKEN.search(self.get(page or path).text)
            self.token = found[1] if found else self.token
        return self._send("POST", path, {"csrf_token": self.token, **(data or {})})

    def _send(self, method: str, path: str, data: dict[str, Any] | None = None) -> requests.Response:
        answer = self.session.request(method, self.house.shop.url + path, data=data, allow_redirects=False, timeout=60)
        assert answer.status_code < 500 or answer.status_code == 503, (method, path, answer.status_code)
        found = TOKEN.search(answer.text) if "html" in answer.headers.get("Content-Type", "") else None
        self.token = found[1] if found else self.token
        return answer


@dataclass(frozen=True)
class Moment:
    """Both databases as they were; ours is SQLite's, or the rows of each table."""

    ours: Any
    theirs: sqlite3.Connection
    now: datetime
    heard: int


class House:
    """`now` is what both clocks say; it only moves when told."""

    def __init__(self, make_app: Callable[..., Flask], database: Path | None) -> None:
        self.shop = Shop(make_app)
        self.app, self.simulator, self.account = self.shop.app, self.shop.simulator, self.shop.simulator.account
        self.app.config["STRIPE_API_BASE"] = self.simulator.url
        self.database = database
        self.kind = "sqlite" if database else "postgresql"
        self.books = self.shop.books
        self.changed = ExitStack()
        for owner, name, value in (
            (self.shop.server.RequestHandlerClass, "protocol_version", "HTTP/1.1"),
            (self.simulator._server.RequestHandlerClass, "protocol_version", "HTTP/1.1"),
            (limiter, "enabled", False),  # three people do more in a minute than anybody may
            (stripe._http_client.HTTPClient, "INITIAL_DELAY", 0.01),  # a call that failed is made again at once
            (receipt_pdf, "draw", lambda facts, locales: b"%PDF"),  # drawn in earnest elsewhere: a sixth of the time
        ):
            self.changed.enter_context(patch.object(owner, name, value))
        with self.books():
            now = clock.now()
            for code in PLANS:
                if code not in ("basic", "plus"):
                    plan = PLANS[code]
                    fixed = f"{plan.fixed[0]:02d}-{plan.fixed[1]:02d}" if plan.fixed else None
                    add_tier(
                        code, code.capitalize(), FEES[code], now, months=plan.months, grace_days=plan.grace,
                        fixed_start=fixed, bonus_days=plan.bonus,
                    )  # fmt: skip
            self.ids = {
                name: add_person(name.capitalize(), "Soler", f"{name}@example.org", now).id for name in PEOPLE
            }  # fmt: skip
            for name in PEOPLE:
                open_account(f"{name}@example.org", now)
            association = get_association(for_update=True)
            association.iban, association.bic = "ES9121000418450200051332", "CAIXESBBXXX"
            _service, self.service_key = add_service("Desk", ["verify", "verify:number"], None, now)
            db.session.commit()
        self.numbers = {name: f"M-{self.ids[name]:06d}" for name in PEOPLE}
        self.api = requests.Session()
        self.visitors: dict[str, Visitor] = {}
        self.now = datetime.now(UTC)
        self.heard = 0
        self.first_day = self.keep()

    def stop(self) -> None:
        for visitor in self.visitors.values():
            visitor.session.close()
        self.api.close()
        self.shop.stop()
        self.changed.close()

    def reset(self, now: datetime) -> None:
        """As on the first day, at this instant."""
        self.go_back(self.first_day)
        for visitor in self.visitors.values():
            visitor.session.close()
        self.visitors = {name: Visitor(self, f"{name}@example.org") for name in (*PEOPLE, "treasurer")}
        self.account.set_faults(drop=True)
        self.set_clock(now)

    def keep(self) -> Moment:
        """This moment, to go back to: our database, the provider's, and what is no longer news."""
        theirs = sqlite3.connect(":memory:", check_same_thread=False)
        with self.account.store.changed:
            self.account.store.db.backup(theirs)
        if self.database is not None:
            ours: Any = sqlite3.connect(":memory:", check_same_thread=False)
            with contextlib.closing(sqlite3.connect(self.database)) as connection:
                connection.backup(ours)
        else:
            with self.books():
                ours = {
                    table.name: [dict(row._mapping) for row in db.session.execute(select(table))]
                    for table in db.metadata.sorted_tables
                }
        return Moment(ours, theirs, self.now, self.heard)

    def go_back(self, moment: Moment) -> None:
        self.now, self.heard = moment.now, moment.heard
        with self.account.store.changed:
            moment.theirs.backup(self.account.store.db)
        if self.database is not None:
            with contextlib.closing(sqlite3.connect(self.database)) as connection:
                moment.ours.backup(connection)
            return
        with self.app.app_context():
            names = ", ".join(table.name for table in db.metadata.sorted_tables)
            db.session.execute(text("SET LOCAL session_replication_role = replica"))  # past the append-only triggers
            db.session.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            for table in db.metadata.sorted_tables:
                if moment.ours[table.name]:
                    db.session.execute(table.insert(), moment.ours[table.name])
                if "id" in table.columns and isinstance(table.columns["id"].type, Integer):
                    db.session.execute(
                        text(
                            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
                            f" (SELECT coalesce(max(id), 0) + 1 FROM {table.name}), false)"
                        )
                    )
            db.session.commit()

    def set_clock(self, now: datetime) -> None:
        """Both clocks stand at this instant, and what is due at the provider by then happens there."""
        self.now = now
        offset = round((now - datetime.fromtimestamp(int(time.time()), UTC)).total_seconds())
        with self.books():
            get_association(for_update=True).clock_offset_seconds = offset
            db.session.commit()
        self.account.move_clock(offset)
        self.wait()

    def wait(self) -> None:
        if not self.account.faults.drop:
            assert self.simulator.webhooks.wait_until_idle(60)

    def next_due(self) -> datetime | None:
        """When something happens at the provider next, but for announcements, of which nothing hangs."""
        rows = self.account.store.rows("SELECT min(at) AS at FROM due WHERE work NOT LIKE 'announce%'")
        return datetime.fromtimestamp(rows[0]["at"], UTC) if rows[0]["at"] is not None else None

    def work(self) -> None:
        """What a worker does at its tick, the sweep among it."""
        with self.books():
            clock.forget()
            tick(clock.now(), "house")
            work_off(clock.now)
        self.wait()

    def sweep(self) -> tuple[int, int]:
        with self.books():
            clock.forget()
            return hearing.sweep()

    def unfinished(self) -> list[tuple[str, str | None]]:
        """Jobs that wait or died, with what went wrong."""
        with self.books():
            return [
                (row.name, row.last_error)
                for row in db.session.execute(select(Job.name, Job.last_error).where(Job.state != "done"))
            ]

    def command(self, *arguments: str) -> tuple[int, str]:
        with self.app.app_context():
            result = self.app.test_cli_runner().invoke(args=list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout

    def happen(self, things: str, object_id: str, name: str, **given: Any) -> dict[str, Any] | None:
        """An act of a payer, a bank or the provider's own staff; None when the provider refuses it."""
        from demo.simulator.errors import ApiError

        with contextlib.suppress(ApiError), self.account.change() as change:
            done = act(self.account, change, things, object_id, name, given)
            return done
        return None

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind at the provider, oldest first."""
        rows = self.account.store.rows("SELECT body FROM object WHERE kind = ? ORDER BY seq", kind)
        return [json.loads(row["body"]) for row in rows]

    def news(self) -> list[str]:
        """Events nobody has delivered yet, oldest first."""
        rows = self.account.store.rows(
            "SELECT id FROM object WHERE kind = 'event' AND seq > ? ORDER BY seq", self.heard
        )  # fmt: skip
        return [row["id"] for row in rows]

    def deliver(self, event_id: str, times: int = 1) -> None:
        """Ring with one event; each answer must be a good one."""
        event = self.account.get("event", event_id)
        answers = self.simulator.webhooks.send_now(event, times, times)
        assert {status for status, _ in answers} <= {204}, answers

    def visitor(self, name: str) -> Visitor:
        return self.visitors[name]
