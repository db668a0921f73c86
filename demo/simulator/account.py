"""The simulated Stripe account: its clock, its objects, and one change at a time."""

import secrets
import sqlite3
import string
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from demo.simulator.errors import Declined, no_such
from demo.simulator.faults import Faults
from demo.simulator.store import Store, Stored

API_VERSION = "2026-10-28.endive"
MERCHANT = "Universitat de Montjuïc Alumni"
DAY = 86_400
_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return prefix + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(length))


@dataclass
class Change:
    """One change to the account: the objects it saved and the events it caused, in order."""

    account: "Account"
    request_id: str | None
    idempotency_key: str | None
    events: list[Stored]

    def save(self, thing: Stored) -> Stored:
        self.account.store.save(thing)
        return thing

    def delete(self, thing: Stored) -> Stored:
        """Gone for every call; answers what Stripe answers then."""
        self.account.store.delete(thing["id"])
        return {"id": thing["id"], "object": thing["object"], "deleted": True}

    def emit(self, kind: str, thing: Stored, previous: dict[str, Any] | None = None) -> None:
        """Record an event holding `thing` as it is now; webhooks follow when the change is committed."""
        data: dict[str, Any] = {"object": thing}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": new_id("evt_1"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.account.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        self.account.store.save(event)
        self.events.append(event)
        for follow in self.account.followers.get(kind, []):
            follow(self.account, self, thing)


Work = Callable[["Account", Change, Any], object]


class Account:
    """Objects by id, a clock that can be moved, and the switches for misbehaviour.

    `on_clock` hears of a move of the clock before the time passes. `on_due` does what was ordered with `at`, by
    the name it was ordered under. `followers` are told of each event of a type, inside the change that caused it.
    `on_checkout`, for each mode other than payment, gets (account, change, session, payment method, decline or
    None): it does what that mode promises, sets that on the session, and answers its `payment_status`.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.public_url = ""
        self.on_events: Callable[[list[Stored]], None] = lambda events: None
        self.on_clock: Callable[[int], None] = lambda offset: None
        self.on_due: dict[str, Work] = {}
        self.followers: dict[str, list[Work]] = {}
        self.on_checkout: dict[str, Callable[[Account, Change, Stored, Stored, Any], str]] = {}
        self._step = threading.local()

    def now(self) -> int:
        """Provider's time in Unix seconds: real time plus the offset, or the step that time has come to."""
        step: int | None = getattr(self._step, "at", None)
        return int(time.time()) + self.clock_offset if step is None else step

    def at(self, when: int, work: str, about: str) -> None:
        """Order `on_due[work]` for the object `about`, at an instant of the provider's clock."""
        with self.store.transaction() as db:
            db.execute("INSERT INTO due (at, work, about) VALUES (?, ?, ?)", (when, work, about))

    def pass_time(self) -> None:
        """Everything that was ordered and is due by now happens, in order of time, each thing at its own instant."""
        with self.store.transaction() as db:
            until = self.now()
            try:
                while due := self._next_due(until):
                    self._step.at = max(due["at"], getattr(self._step, "at", None) or 0)
                    db.execute("DELETE FROM due WHERE id = ?", (due["id"],))
                    with self.change() as change:
                        self.on_due[due["work"]](self, change, due["about"])
            finally:
                self._step.at = None

    def _next_due(self, until: int) -> sqlite3.Row | None:
        found = self.store.rows("SELECT * FROM due WHERE at <= ? ORDER BY at, id LIMIT 1", until)
        return found[0] if found else None

    def move_clock(self, offset: int) -> None:
        """Set the clock, so many seconds from real time, and let happen what is due by then."""
        self.clock_offset = offset
        self.on_clock(offset)
        self.pass_time()

    @property
    def clock_offset(self) -> int:
        return int(self.store.setting("clock_offset", 0))

    @clock_offset.setter
    def clock_offset(self, seconds: int) -> None:
        self.store.set_setting("clock_offset", seconds)

    @property
    def faults(self) -> Faults:
        return Faults(**self.store.setting("faults", {}))

    def set_faults(self, **switches: Any) -> Faults:
        faults = replace(self.faults, **switches)
        self.store.set_setting("faults", asdict(faults))
        return faults

    def get(self, kind: str, object_id: str, param: str = "id", status: int = 404) -> Stored:
        found = self.store.find(kind, object_id)
        if found is None:
            raise no_such(kind, object_id, param, status)
        return found

    @contextmanager
    def change(self, request_id: str | None = None, key: str | None = None) -> Iterator[Change]:
        """All of a change or nothing of it, with its webhooks queued in the same transaction.

        A declined card is a refusal that leaves a trace: what was noted of it stays.
        """
        declined = None
        with self.store.transaction():
            change = Change(self, request_id, key, [])
            try:
                yield change
            except Declined as refusal:
                declined = refusal
            self.on_events(change.events)
        if declined:
            raise declined
