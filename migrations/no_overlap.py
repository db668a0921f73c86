"""The database's refusal of overlapping terms on SQLite, where it is two triggers.

Alembic's batch mode rebuilds a SQLite table without its triggers: a migration that alters `term` drops and
makes them anew with these. On PostgreSQL it is an exclusion constraint, which alterations leave in place.
"""

from __future__ import annotations

from alembic import op

OVERLAP = """
    SELECT RAISE(ABORT, 'terms of a person overlap') WHERE NEW.ends_on >= NEW.starts_on AND EXISTS (
        SELECT 1 FROM term WHERE person_id = NEW.person_id AND id IS NOT NEW.id AND ends_on >= starts_on
        AND starts_on <= NEW.ends_on AND ends_on >= NEW.starts_on)
"""


def refuse_overlap() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("INSERT", "UPDATE"):
            op.execute(f"CREATE TRIGGER term_refuse_overlap_{verb.lower()} BEFORE {verb} ON term BEGIN {OVERLAP}; END")


def allow_overlap() -> None:
    """Undo `refuse_overlap`."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("insert", "update"):
            op.execute(f"DROP TRIGGER term_refuse_overlap_{verb}")
