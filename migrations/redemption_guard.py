"""Triggers on redemption, for both databases: states go forward only, facts stay, nothing goes.

Alembic's batch mode rebuilds a SQLite table without its triggers, and SQLite renames no table that a trigger
elsewhere reads: a migration that alters `redemption` or `benefit` drops and makes them anew with these.
"""

from __future__ import annotations

from alembic import op

STAYS = (
    "id", "benefit_id", "service_id", "verification_id", "code_id", "reference", "period_key", "limit_count",
    "created_at", "value_cents", "cost_cents", "currency", "is_offline",
)  # fmt: skip
FORWARD = (
    "NEW.state = OLD.state OR (OLD.state = 'reserved' AND NEW.state IN ('confirmed', 'cancelled', 'expired')) "
    "OR (OLD.state = 'confirmed' AND NEW.state = 'cancelled')"
)
BEGINS_BADLY = "NEW.state NOT IN ('reserved', 'confirmed') OR (NEW.over_limit AND NOT NEW.is_offline)"
OTHER_LIMIT = "NEW.limit_count IS {distinct} (SELECT limit_count FROM benefit WHERE id = NEW.benefit_id)"
BACK, BAD_BEGIN, GOES = (
    "a redemption only goes forward", "a redemption begins within its limit", "redemption rows stay"
)  # fmt: skip


def guard_redemptions() -> None:
    if op.get_bind().dialect.name == "sqlite":
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in STAYS)
        wrong = f"{BEGINS_BADLY} OR {OTHER_LIMIT.format(distinct='NOT')}"
        for verb, when, says in (
            ("UPDATE", f"NOT ({FORWARD}) OR {changed}", BACK), ("INSERT", wrong, BAD_BEGIN), ("DELETE", "1", GOES),
        ):  # fmt: skip
            op.execute(
                f"CREATE TRIGGER redemption_guard_{verb.lower()} BEFORE {verb} ON redemption WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
            )
        return
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in STAYS)
    wrong = f"{BEGINS_BADLY} OR {OTHER_LIMIT.format(distinct='DISTINCT FROM')}"
    for verb, when, says in (("update", f"NOT ({FORWARD}) OR {changed}", BACK), ("insert", wrong, BAD_BEGIN)):
        _function(verb, f"IF {when} THEN {_raise(says)} END IF; RETURN NEW;")
        op.execute(
            f"CREATE TRIGGER redemption_guard_{verb} BEFORE {verb.upper()} ON redemption "
            f"FOR EACH ROW EXECUTE FUNCTION redemption_guard_{verb}()"
        )
    _function("delete", _raise(GOES))
    for verb in ("delete", "truncate"):
        op.execute(
            f"CREATE TRIGGER redemption_guard_{verb} BEFORE {verb.upper()} ON redemption "
            "FOR EACH STATEMENT EXECUTE FUNCTION redemption_guard_delete()"
        )


def release_redemptions() -> None:
    """Undo `guard_redemptions`."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "insert", "delete"):
            op.execute(f"DROP TRIGGER redemption_guard_{verb}")
        return
    for verb in ("update", "insert", "delete", "truncate"):
        op.execute(f"DROP TRIGGER redemption_guard_{verb} ON redemption")
    for verb in ("update", "insert", "delete"):
        op.execute(f"DROP FUNCTION redemption_guard_{verb}()")


def _function(verb: str, body: str) -> None:
    op.execute(f"CREATE FUNCTION redemption_guard_{verb}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")


def _raise(says: str) -> str:
    return f"RAISE EXCEPTION '{says}' USING ERRCODE = 'integrity_constraint_violation';"
