"""Everything the simulator remembers, in one SQLite database: a file, or memory when no file is named."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS object_by_kind ON object (kind, created, seq);
CREATE INDEX IF NOT EXISTS checkout_by_intent ON object (json_extract(body, '$.payment_intent'))
    WHERE kind = 'checkout.session';
CREATE INDEX IF NOT EXISTS dispute_by_charge ON object (json_extract(body, '$.charge')) WHERE kind = 'dispute';
CREATE TABLE IF NOT EXISTS paid_out (movement TEXT PRIMARY KEY, payout TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS paid_out_by_payout ON paid_out (payout);
CREATE INDEX IF NOT EXISTS payment_of_invoice ON object (json_extract(body, '$.invoice'))
    WHERE kind = 'invoice_payment';
CREATE INDEX IF NOT EXISTS payment_by_intent ON object (json_extract(body, '$.payment.payment_intent'))
    WHERE kind = 'invoice_payment';
CREATE INDEX IF NOT EXISTS checkout_of_invoice ON object (json_extract(body, '$.invoice'))
    WHERE kind = 'checkout.session';
CREATE INDEX IF NOT EXISTS pending_item ON object (json_extract(body, '$.customer'))
    WHERE kind = 'invoiceitem' AND json_extract(body, '$.invoice') IS NULL;
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request_id TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL,
    due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, sent REAL, status INTEGER, error TEXT
);
CREATE INDEX IF NOT EXISTS delivery_by_state ON delivery (state, due);
CREATE INDEX IF NOT EXISTS delivery_by_event ON delivery (event);
CREATE TABLE IF NOT EXISTS due (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, work TEXT NOT NULL, about TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS due_by_time ON due (at, id);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

Stored = dict[str, Any]


class Store:
    """One connection behind one lock: a writer never sees half of another's change.

    `changed` is notified after every commit.
    """

    def __init__(self, path: str | None) -> None:
        self._lock = threading.RLock()
        self.changed = threading.Condition(self._lock)
        self._depth = 0
        self.db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Whole or not at all, also inside another transaction, which may go on after a refusal in here."""
        with self._lock:
            outermost = self._depth == 0
            self.db.execute("BEGIN IMMEDIATE" if outermost else "SAVEPOINT inner_change")
            self._depth += 1
            try:
                yield self.db
            except BaseException:
                self.db.execute("ROLLBACK" if outermost else "ROLLBACK TO inner_change")
                if not outermost:
                    self.db.execute("RELEASE inner_change")
                raise
            else:
                self.db.execute("COMMIT" if outermost else "RELEASE inner_change")
            finally:
                self._depth -= 1
            if outermost:
                self.changed.notify_all()

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self.db.execute(sql, values).fetchall()

    def save(self, thing: Stored) -> None:
        """Insert or replace an API object by its id."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO object (id, kind, created, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (thing["id"], thing["object"], thing.get("created", 0), json.dumps(thing)),
            )

    def delete(self, object_id: str) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM object WHERE id = ?", (object_id,))

    def find(self, kind: str, object_id: str) -> Stored | None:
        found = self.rows("SELECT body FROM object WHERE id = ? AND kind = ?", object_id, kind)
        return json.loads(found[0]["body"]) if found else None

    def setting(self, name: str, default: Any) -> Any:
        found = self.rows("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(found[0]["value"]) if found else default

    def set_setting(self, name: str, value: Any) -> None:
        with self.transaction() as db:
            db.execute(
                "INSERT INTO setting (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, json.dumps(value)),
            )

    def close(self) -> None:
        with self._lock:
            self.db.close()
