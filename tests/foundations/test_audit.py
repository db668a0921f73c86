"""The audit log: one chain that shows every tampering, and that no writer can fork."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app import audit
from app.audit import AuditEntry, AuditHead
from app.extensions import db
from tests.command import is_refused, run

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def note(count: int) -> None:
    for number in range(count):
        audit.record("test_noted", f"person:{number}", AT, number=number)
        db.session.commit()


def count() -> int:
    return db.session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()


def unlock() -> None:
    """What somebody with the database's password can do."""
    if db.engine.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            db.session.execute(text(f"DROP TRIGGER audit_entry_refuse_{verb}"))
    else:
        db.session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))


def test_a_whole_chain_verifies_and_prints_its_head(app: Flask) -> None:
    note(3)
    result = run(app, "audit", "verify")
    assert result.exit_code == 0
    assert result.stdout.split() == ["3", "entries,", "whole.", "Head", db.session.get_one(AuditHead, 1).hash]


def test_an_empty_chain_verifies(app: Flask) -> None:
    assert run(app, "audit", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE audit_entry SET facts = '{\"number\": 9}' WHERE id = 3", "entry 3 does not fit"),
        ("UPDATE audit_entry SET actor = 'account:1' WHERE id = 1", "entry 1 does not fit"),
        (
            "UPDATE audit_entry SET at = (SELECT at FROM audit_entry WHERE id = 1), subject = 'x' WHERE id = 2",
            "entry 2",
        ),
        ("UPDATE audit_entry SET id = 99 WHERE id = 5", "entry 5 is missing"),
        ("DELETE FROM audit_entry WHERE id = 1", "entry 1 is missing"),
        ("DELETE FROM audit_entry WHERE id = 3", "entry 3 is missing"),
        ("DELETE FROM audit_entry WHERE id = 5", "cut off"),
        ("DELETE FROM audit_entry", "cut off"),
        (
            "INSERT INTO audit_entry (id, at, actor, action, subject, facts, previous_hash, hash) "
            "SELECT 6, at, actor, action, subject, facts, hash, 'f' FROM audit_entry WHERE id = 5",
            "entry 6 does not fit",
        ),
        (
            "INSERT INTO audit_entry (id, at, actor, action, subject, facts, previous_hash, hash) "
            "SELECT 0, at, actor, action, subject, facts, 'e', 'f' FROM audit_entry WHERE id = 5",
            "entry 1 is missing",
        ),
        ("UPDATE audit_head SET entry_id = 4, hash = (SELECT hash FROM audit_entry WHERE id = 4)", "cut off or added"),
    ],
)
def test_verify_finds_an_edit_a_deletion_an_insertion_and_a_truncation(app: Flask, tampering: str, said: str) -> None:
    note(5)
    unlock()
    db.session.execute(text(tampering))
    result = run(app, "audit", "verify")
    assert is_refused(result)
    assert said in result.stderr


def test_cutting_the_end_off_together_with_the_head_changes_the_head_that_was_kept_elsewhere(app: Flask) -> None:
    note(5)
    kept = run(app, "audit", "verify").stdout
    unlock()
    db.session.execute(text("DELETE FROM audit_entry WHERE id = 5"))
    db.session.execute(text("UPDATE audit_head SET entry_id = 4, hash = (SELECT hash FROM audit_entry WHERE id = 4)"))
    assert run(app, "audit", "verify").stdout != kept


def test_what_is_rolled_back_leaves_no_entry(app: Flask) -> None:
    note(1)
    audit.record("never_happened", "person:1", AT)
    db.session.rollback()
    note(1)
    assert count() == 2
    assert db.session.execute(select(AuditEntry).where(AuditEntry.action == "never_happened")).first() is None
    assert audit.find_break() is None


def test_a_commit_that_the_database_refuses_leaves_no_entry_and_no_gap(app: Flask) -> None:
    note(1)
    audit.record("refused_by_database", "person:1", AT)
    db.session.execute(text("INSERT INTO audit_head (id, entry_id, hash) VALUES (1, 1, 'x') ON CONFLICT DO NOTHING"))
    db.session.add(AuditHead(id=2, entry_id=0, hash="x"))
    with pytest.raises(Exception, match="only_one"):
        db.session.commit()
    db.session.rollback()
    note(1)
    assert count() == 2
    assert audit.find_break() is None


def test_an_undone_savepoint_keeps_the_entries_of_what_stands(app: Flask) -> None:
    audit.record("stands", "person:1", AT)
    with pytest.raises(RuntimeError), db.session.begin_nested():
        audit.record("undone", "person:1", AT)
        raise RuntimeError
    db.session.commit()
    assert db.session.execute(select(AuditEntry.action)).scalars().all() == ["stands"]
    assert audit.find_break() is None


def test_writers_at_the_same_time_keep_one_chain(app: Flask) -> None:
    db.session.remove()
    start = threading.Barrier(4)

    def write() -> None:
        with app.app_context():
            start.wait()
            note(5)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert count() == 20
    assert audit.find_break() is None


def test_verify_does_not_mistake_somebody_writing_for_a_break(app: Flask) -> None:
    note(1)
    db.session.remove()
    done = threading.Event()

    def write() -> None:
        with app.app_context():
            while not done.is_set():
                note(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        codes = {run(app, "audit", "verify").exit_code for _ in range(10)}
    finally:
        done.set()
        writer.join(60)
    assert codes == {0}
