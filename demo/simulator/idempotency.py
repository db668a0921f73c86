"""Idempotency keys: the first answer to a key is the answer to all who repeat it."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from demo.simulator.account import Account
from demo.simulator.errors import ApiError

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255
Answer = tuple[int, dict[str, Any]]


class IdempotencyKeys:
    """As Stripe documents it: errors are remembered too, but only once the work itself had begun."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._in_flight: set[str] = set()

    def run(
        self, key: str, request: str, request_id: str, begin: Callable[[], None], work: Callable[[], Answer]
    ) -> tuple[Answer, str | None]:
        """Do `work` once per key. The second value is the id of the original request when this is a repeat.

        `request` is the path and body that the key stands for; `begin` runs while the key is in flight.
        """
        if len(key) > LONGEST_KEY:
            raise ApiError(400, f"Idempotency keys may be up to {LONGEST_KEY} characters.")
        fingerprint = hashlib.sha256(request.encode()).hexdigest()
        with self.account.store.changed:
            self._forget_old()
            rows = self.account.store.rows("SELECT * FROM idempotency WHERE key = ?", key)
            if rows:
                if rows[0]["fingerprint"] != fingerprint:
                    raise ApiError(
                        400,
                        "Keys for idempotent requests can only be used with the same parameters they were"
                        f" first used with. Try using a key other than '{key}' if you meant to execute a"
                        " different request.",
                        kind="idempotency_error",
                    )
                return (rows[0]["status"], json.loads(rows[0]["body"])), rows[0]["request_id"]
            if key in self._in_flight:
                raise ApiError(
                    409,
                    "There is currently another in-progress request using this Idempotent Key (that"
                    " probably means you submitted twice, and the other request is still going through):"
                    f" {key}. Please try again later.",
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._in_flight.add(key)
        try:
            begin()
            with self.account.store.transaction() as db:
                status, body = work()
                db.execute(
                    "INSERT INTO idempotency (key, fingerprint, status, body, request_id, created)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (key, fingerprint, status, json.dumps(body), request_id, self.account.now()),
                )
            return (status, body), None
        finally:
            with self.account.store.changed:
                self._in_flight.discard(key)

    def _forget_old(self) -> None:
        with self.account.store.transaction() as db:
            db.execute("DELETE FROM idempotency WHERE created < ?", (self.account.now() - KEPT_SECONDS,))
