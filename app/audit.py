"""The audit log: one hash chain over every change of money, membership or rights.

Rows carry ids and codes only, never names or addresses. The database refuses UPDATE, DELETE and
TRUNCATE. Entries wait in the session and are chained just before commit, so the chain's head is the
last lock a transaction takes.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import click
from flask import g, has_request_context
from flask.cli import AppGroup
from sqlalchemy import CheckConstraint, event, select
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from app.errors import Refusal
from app.extensions import Base, Instant, db

GENESIS = "0" * 64
commands = AppGroup("audit", help="The audit log.")


class AuditEntry(Base):
    """`facts` is canonical JSON; `hash` = SHA-256 of the previous hash and this row's content."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    facts: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)


class AuditHead(Base):
    """The last link of the chain; locked by whoever adds to it."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int]
    hash: Mapped[str]


def record(action: str, subject: str, at: datetime, **facts: Any) -> None:
    """Note in this transaction that `action` happened to `subject` ("payment:12")."""
    entry = {"action": action, "subject": subject, "at": at.astimezone(UTC), "actor": current_actor(), "facts": facts}
    session = db.session()
    transaction = session.get_nested_transaction() or session.get_transaction() or session.begin()
    session.info.setdefault("audit", []).append((transaction, entry))


def current_actor() -> str:
    """ "account:3" for a signed-in person, "service:2", else "system"."""
    return str(g.get("actor", "visitor")) if has_request_context() else "system"


def link(previous_hash: str, entry_id: int, at: datetime, actor: str, action: str, subject: str, facts: str) -> str:
    """The hash that chains an entry to the one before it."""
    content = json.dumps([previous_hash, entry_id, at.isoformat(), actor, action, subject, facts])
    return hashlib.sha256(content.encode()).hexdigest()


@event.listens_for(Session, "before_commit")
def _chain(session: Session) -> None:
    savepoint = session.get_nested_transaction()
    if savepoint is not None:  # what it did stands or falls with the transaction around it
        waiting = session.info.get("audit", [])
        session.info["audit"] = [(savepoint.parent if mine is savepoint else mine, it) for mine, it in waiting]
        return
    waiting = session.info.pop("audit", [])
    if not waiting:
        return
    session.flush()
    head = session.execute(select(AuditHead).with_for_update().execution_options(populate_existing=True)).scalar_one()
    for _transaction, entry in waiting:
        facts = json.dumps(entry["facts"], sort_keys=True, default=str, ensure_ascii=False)
        number = head.entry_id + 1
        digest = link(head.hash, number, entry["at"], entry["actor"], entry["action"], entry["subject"], facts)
        session.add(
            AuditEntry(
                id=number, at=entry["at"], actor=entry["actor"], action=entry["action"], subject=entry["subject"],
                facts=facts, previous_hash=head.hash, hash=digest,
            )
        )  # fmt: skip
        head.entry_id, head.hash = number, digest
    session.flush()


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, undone: SessionTransaction) -> None:
    waiting = session.info.pop("audit", [])
    if undone.parent is not None:
        session.info["audit"] = [(mine, it) for mine, it in waiting if mine is not undone]


def find_break() -> str | None:
    """The first thing wrong with the chain, in words; None when it is whole."""
    previous, number = GENESIS, 0
    entries = select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)
    with db.session.execute(entries) as found:
        for entry in found.scalars():
            number += 1
            if entry.id != number:
                return f"entry {number} is missing (found {entry.id} in its place)"
            expected = link(previous, entry.id, entry.at, entry.actor, entry.action, entry.subject, entry.facts)
            if entry.previous_hash != previous or entry.hash != expected:
                return f"entry {entry.id} does not fit the one before it: it was edited or inserted"
            previous = entry.hash
    head = db.session.get_one(AuditHead, 1)
    if (head.entry_id, head.hash) != (number, previous):
        return f"the chain ends at entry {number}, its head says {head.entry_id}: entries were cut off or added"
    return None


@commands.command("verify")
def verify() -> None:
    """Check the whole chain; exit 2 when it is broken. The head printed can be kept elsewhere."""
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":  # entries and head as of one instant, while others go on writing
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    problem = find_break()
    if problem:
        raise Refusal("audit_broken", f"The audit log is broken: {problem}.")
    head = db.session.get_one(AuditHead, 1)
    click.echo(f"{head.entry_id} entries, whole. Head {head.hash}")
