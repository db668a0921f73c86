"""The simulated Stripe account: its clock, its objects, and one change at a time."""

import secrets
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from demo.simulator.errors import no_such
from demo.simulator.faults import Faults
from demo.simulator.store import Store, Stored

API_VERSION = "2026-10-28.endive"
MERCHANT = "Universitat de Montjuïc Alumni"
_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


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


class Account:
    """Objects by id, a clock that can be moved, and the switches for misbehaviour."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.public_url = ""
        self.on_events: Callable[[list[Stored]], None] = lambda events: None

    def now(self) -> int:
        """Provider's time in Unix seconds: real time plus the offset."""
        return int(time.time()) + self.clock_offset

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
        """All of a change or nothing of it, with its webhooks queued in the same transaction."""
        with self.store.transaction():
            change = Change(self, request_id, key, [])
            yield change
            self.on_events(change.events)
