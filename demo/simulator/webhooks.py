"""Webhooks: queued with the change that caused them, signed as Stripe signs, retried until a 2xx."""

import hashlib
import hmac
import http.client
import json
import random
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from demo.simulator.account import Account
from demo.simulator.store import Stored

ATTEMPTS = 20
LONGEST_WAIT = 60.0
TIMEOUT = 20.0
WORKERS = 4
LOOK_EVERY = 1.0


def signature(payload: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `t.payload`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _state(status: int | None, attempts: int) -> str:
    if status is not None and 200 <= status < 300:
        return "delivered"
    return "pending" if attempts < ATTEMPTS else "failed"


class Webhooks:
    """A queue in the store and threads that empty it. `url` may be set late; None sends nothing."""

    def __init__(self, account: Account, url: str | None, secret: str, first_wait: float) -> None:
        self.account = account
        self.url = url
        self.secret = secret
        self.first_wait = first_wait
        self._changed = account.store.changed
        self._stopping = False
        self._in_flight: set[int] = set()
        account.on_events = self.queue
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]
        self._clock = threading.Thread(target=self._watch_clock, daemon=True)

    def start(self) -> None:
        for thread in [*self._threads, self._clock]:
            thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in [*self._threads, self._clock]:
            thread.join(timeout=0.2)

    def queue(self, events: list[Stored]) -> None:
        """Plan the deliveries of one change, in order unless the switches say otherwise."""
        if self.url is None or not events:
            return
        faults = self.account.faults
        plan = [event for event in events for _ in range(faults.duplicate)]
        if faults.shuffle:
            random.shuffle(plan)
        due = time.time() + faults.delay
        state = "dropped" if faults.drop else "pending"
        with self.account.store.transaction() as db:
            db.executemany(
                "INSERT INTO delivery (event, type, state, due) VALUES (?, ?, ?, ?)",
                [(event["id"], event["type"], state, due + i / 10_000) for i, event in enumerate(plan)],
            )

    def send(self, event: Stored) -> tuple[int | None, str | None]:
        """One POST of an event now. Answers (status, None), or (None, what went wrong)."""
        if self.url is None:
            return None, "no webhook address"
        event = {**event, "pending_webhooks": 1, "livemode": self.account.faults.wrong_mode}
        payload = json.dumps(event, indent=2).encode()
        at = int(time.time())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(payload, self.account.faults.sign_with or self.secret, at),
        }
        parts = urlsplit(self.url)
        https = parts.scheme == "https"
        connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, payload, headers)
            return connection.getresponse().status, None
        except (OSError, http.client.HTTPException) as problem:
            return None, f"{type(problem).__name__}: {problem}"
        finally:
            connection.close()

    def send_now(self, event: Stored, times: int, at_once: int) -> list[tuple[int | None, str | None]]:
        """Send an event `times` over outside the queue, and note each answer; nothing is retried."""
        with ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(self.send, [event] * times))
        now = time.time()
        with self.account.store.transaction() as db:
            db.executemany(
                "INSERT INTO delivery (event, type, state, due, attempts, sent, status, error)"
                " VALUES (?, ?, ?, ?, 1, ?, ?, ?)",
                [
                    (event["id"], event["type"], _state(status, ATTEMPTS), now, now, status, error)
                    for status, error in answers
                ],
            )
        return answers

    def wait_until_idle(self, timeout: float) -> bool:
        """True once no delivery is waiting or under way; False after `timeout` seconds of waiting."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self.pending():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def wait_until_tried(self, timeout: float) -> None:
        """Until every webhook that is due was sent once, whatever was answered, or `timeout` seconds are over."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self.url is not None and time.monotonic() < deadline:
                untried = "SELECT 1 FROM delivery WHERE state = 'pending' AND attempts = 0 AND due <= ? LIMIT 1"
                if not self.account.store.rows(untried, time.time()):
                    return
                self._changed.wait(deadline - time.monotonic())

    def pending(self) -> int:
        rows = self.account.store.rows("SELECT count(*) AS n FROM delivery WHERE state = 'pending'")
        return int(rows[0]["n"])

    def retry_now(self) -> None:
        """Do not wait for the backoff: everything pending is due."""
        with self.account.store.transaction() as db:
            db.execute("UPDATE delivery SET due = ? WHERE state = 'pending'", (time.time(),))

    def _work(self) -> None:
        while True:
            with self._changed:
                claimed = None
                while not self._stopping:
                    claimed, wait = self._claim()
                    if claimed:
                        break
                    self._changed.wait(wait)
                if claimed is None:
                    return
            self._deliver(claimed)

    def _claim(self) -> tuple[sqlite3.Row | None, float]:
        """The next delivery that is due, or how long to wait. Called with the lock held."""
        if len(self._in_flight) >= self.account.faults.parallel:
            return None, LONGEST_WAIT
        rows = self.account.store.rows(
            "SELECT * FROM delivery WHERE state = 'pending' ORDER BY due, id LIMIT ?",
            len(self._in_flight) + 1,
        )
        for row in rows:
            if row["id"] in self._in_flight:
                continue
            wait = row["due"] - time.time()
            if wait > 0:
                return None, wait
            self._in_flight.add(row["id"])
            return row, 0.0
        return None, LONGEST_WAIT

    def _deliver(self, row: sqlite3.Row) -> None:
        event = self.account.get("event", row["event"])
        status, error = self.send(event)
        attempts = row["attempts"] + 1
        state = _state(status, attempts)
        due = time.time() + min(self.first_wait * 2 ** (attempts - 1), LONGEST_WAIT)
        with self._changed:
            if self._stopping:  # sent but not noted: sent again after the restart, as at Stripe
                return
            self._in_flight.discard(row["id"])
            with self.account.store.transaction() as db:
                db.execute(
                    "UPDATE delivery SET state = ?, due = ?, attempts = ?, sent = ?, status = ?, error = ?"
                    " WHERE id = ?",
                    (state, due, attempts, time.time(), status, error, row["id"]),
                )

    def _watch_clock(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(LOOK_EVERY)
                if self._stopping:
                    return
            self.account.pass_time()
