"""A whole association in miniature: our application behind a web server, browsers, and the payment provider.

Nothing is called across: browsers, webhooks and the provider's API all go over HTTP on loopback.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from app import clock
from app.accounts import rules as account_rules
from app.accounts.service import _new_sign_in, grant_role, open_account
from app.association import get_association
from app.cards.models import Card
from app.extensions import db
from app.jobs import Job, tick, work_off
from app.memberships.service import add_tier, standing_of, terms_of
from app.payments import hearing, ledger
from app.payments import service as payments
from app.payments.models import Discrepancy, Receipt
from app.people.models import Person
from app.people.service import add_person
from demo.simulator import server as provider
from demo.simulator.server import Simulator

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
OLD_SIGNING_KEY = "whsec_of_last_year"
Fault = Callable[[str, str], str | None]


class Line:
    """The line between us and the provider. `fault(method, path)` may answer:

    "down" (nothing gets through), "lost" (the provider hears us, its answer is lost), or a status such as "500".
    """

    def __init__(self, provider_url: str) -> None:
        self.fault: Fault = lambda method, path: None
        line, address = self, urlsplit(provider_url).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def forward(self) -> None:
                fault = line.fault(self.command, self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if fault == "down":
                    return
                if fault is not None and fault.isdecimal():
                    self.answer(int(fault), b'{"error": {"type": "api_error", "message": "out of order"}}')
                    return
                connection = http.client.HTTPConnection(address, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                connection.request(self.command, self.path, body, headers)
                response = connection.getresponse()
                content = response.read()
                connection.close()
                if fault != "lost":
                    self.answer(response.status, content)

            def answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = forward

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Browser:
    """Somebody's browser: cookies, no script; forms carry the token of the page they are on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, allow_redirects=False, timeout=60)

    def post(self, path: str, data: dict[str, str] | None = None, page: str | None = None) -> requests.Response:
        """Send the form of `page` (the same address unless told)."""
        found = TOKEN.search(self.get(page or path).text)
        token = found[1] if found else ""
        return self.session.post(
            self.url + path, {"csrf_token": token, **(data or {})}, allow_redirects=False, timeout=60
        )

    def choose(self, tier: str, page: str = "/join", **more: str) -> str:
        """Take up an offer; the id of the checkout one is sent to."""
        response = self.post(page, {"tier": tier, **more})
        assert response.status_code == 303, (response.status_code, response.text[:2000])
        return checkout_in(response)


def checkout_in(response: requests.Response) -> str:
    address = response.headers["Location"]
    assert "/pay/" in address, address
    return address.rpartition("/")[2]


@dataclass(frozen=True)
class Story:
    """What the books say of one person, in plain words."""

    terms: list[str]
    receipts: list[str]
    ledger: list[str]
    payments: list[str]
    reasons: list[str]
    cards: int
    status: str


class Shop:
    """`line.fault` cuts us off the provider; `control` moves the provider itself."""

    def __init__(self, make_app: Callable[..., Flask]) -> None:
        self.server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
        self.socket = self.server.socket.dup()  # the server closes its own when it ends
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.simulator: Simulator = provider.start(webhook_url=f"{self.url}/stripe/webhook", retry_seconds=0.05)
        self.line = Line(self.simulator.url)
        self.environment = {
            "BASE_URL": self.url,
            "STRIPE_API_BASE": self.line.url,
            "STRIPE_SECRET_KEY": provider.API_KEY,
            "STRIPE_WEBHOOK_SECRET": f"{provider.SIGNING_KEY},{OLD_SIGNING_KEY}",
        }
        self.app = make_app(**self.environment)
        self.app.config["RATELIMIT_ENABLED"] = False
        self.server.app = self.app
        self.serving = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.serving.start()
        self.browsers: list[Browser] = []
        with self.books():
            now = clock.now()
            add_tier("basic", "Basic", 3000, now)
            add_tier("plus", "Plus", 5000, now)
            self.alice = add_person("Alice", "Soler", "alice@example.org", now).id
            grant_role(open_account("treasurer@example.org", now), "treasurer", now)
            db.session.commit()
            self.today = clock.today()

    def stop(self) -> None:
        for browser in self.browsers:
            browser.session.close()
        self.simulator.stop()
        self.line.stop()
        self.stand_aside()
        self.socket.close()
        with self.app.app_context():
            db.engine.dispose()

    def stand_aside(self) -> None:
        """Answer nobody any more; `socket` goes on listening for another server to take over."""
        if self.serving.is_alive():
            self.server.shutdown()
            self.serving.join()

    @contextmanager
    def books(self) -> Iterator[None]:
        """Inside the application, in a session of its own that ends at once."""
        with self.app.app_context():
            try:
                yield
            finally:
                db.session.rollback()

    def control(self, path: str, **values: Any) -> Any:
        answer = requests.post(f"{self.simulator.url}/_control/{path}", json=values, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def quiet(self) -> None:
        """Until no webhook waits any more."""
        idle = self.control("idle", timeout=30)["idle"]
        assert idle, requests.get(f"{self.simulator.url}/_control/deliveries", timeout=5).json()

    def pay(self, checkout_id: str) -> None:
        """Pay on the hosted page, and wait for the news to be heard."""
        self.control(f"checkouts/{checkout_id}/pay")
        self.quiet()

    def pass_days(self, days: int, step: int = 1) -> None:
        """Time passes for us and for the provider, day by day, and each day the worker does what there is to do.

        With a longer step news of some days comes together, which may change no outcome.
        """
        for passed in range(0, days, step):
            self.leap(min(step, days - passed))

    def leap(self, days: int) -> None:
        """The same at once, for times in which nothing happens."""
        with self.books():
            get_association(for_update=True).clock_offset_seconds += days * 86_400
            db.session.commit()
            clock.forget()
            self.today = clock.today()
        self.control("clock", add=days * 86_400)
        self.quiet()
        self.work()

    def work(self) -> None:
        """What a worker does at its tick; nothing may be left that failed."""
        with self.books():
            tick(clock.now(), "shop")
            work_off(clock.now)
            failed = select(Job.name, Job.last_error).where(Job.last_error.is_not(None), Job.state != "done")
            assert db.session.execute(failed).all() == []
        self.quiet()

    def events(self, kind: str | None = None) -> list[str]:
        """The provider's events, oldest first."""
        return self._ids("event", "type", kind)

    def _ids(self, kind: str, name: str, value: str | None) -> list[str]:
        rows = self.simulator.account.store.rows(
            "SELECT id FROM object WHERE kind = ? AND (? IS NULL OR json_extract(body, '$.' || ?) = ?) ORDER BY seq",
            kind, value, name, value,
        )  # fmt: skip
        return [row["id"] for row in rows]

    def checkouts(self, status: str | None = None) -> list[str]:
        return self._ids("checkout.session", "status", status)

    def charge(self) -> str:
        """The charge that was paid last."""
        rows = self.simulator.account.store.rows(
            "SELECT id FROM object WHERE kind = 'charge' AND json_extract(body, '$.paid') ORDER BY seq DESC"
        )
        return str(rows[0]["id"])

    def browser(self, email: str | None = "alice@example.org") -> Browser:
        """A browser, signed in by a mailed link unless `email` is None."""
        browser = Browser(self.url)
        self.browsers.append(browser)
        if email is not None:
            with self.books():
                _row, token = _new_sign_in(email, "/", "en", clock.now(), account_rules.LINK_LIFE)
                db.session.commit()
            assert browser.post(f"/sign-in/{token}").status_code == 303
        return browser

    def sweep(self) -> tuple[int, int]:
        with self.books():
            return hearing.sweep()

    def story(self, person_id: int | None = None) -> Story:
        person_id = person_id or self.alice
        with self.books():
            return story_of(person_id)

    def in_own_words(self, statement: Any) -> list[Any]:
        with self.books():
            return list(db.session.execute(statement).scalars())


def story_of(person_id: int) -> Story:
    """What the books say of one person now."""
    mine = payments.payments_of(person_id)[::-1]
    ids = [payment.id for payment in mine]
    receipts = db.session.execute(select(Receipt).where(Receipt.payment_id.in_(ids)).order_by(Receipt.id)).scalars()
    found = db.session.execute(
        select(Discrepancy).where((Discrepancy.payment_id.in_(ids)) | Discrepancy.payment_id.is_(None))
    ).scalars()
    entries = [entry for payment_id in ids for entry in ledger.entries_of(payment_id)]
    return Story(
        terms=[
            f"{t.tier.code} {t.starts_on} – {t.ends_on}" + (f" {t.ended_because}" if t.ended_because else "")
            for t in terms_of(person_id)
        ],
        receipts=[f"{receipt.number} {receipt.amount_cents}" for receipt in receipts],
        ledger=[f"{e.movement} {e.amount_cents} {e.debit} < {e.credit}" for e in entries],
        payments=[payments.view(payment).state for payment in mine],
        reasons=sorted(d.reason for d in found),
        cards=len(db.session.execute(select(Card.id).where(Card.person_id == person_id)).all()),
        status=standing_of(person_id, clock.now(), clock.today()).status,
    )


def mails_to_send() -> list[str]:
    """The keys of the mails that were ordered."""
    query = select(Job.key).where(Job.name == "mail_receipt").order_by(Job.id)
    return [str(key) for key in db.session.execute(query).scalars()]


def person_named(given_name: str) -> list[int]:
    return list(db.session.execute(select(Person.id).where(Person.given_name == given_name)).scalars())


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass
