"""Which reason a verification answers, in order of precedence; when scans made without signal agree with us."""

from __future__ import annotations

from datetime import datetime, timedelta

PRECEDENCE = (
    "forged", "unknown_card", "stale_code", "expired_card", "clock_wrong", "list_too_old", "revoked", "replaced",
    "suspended", "lapsed", "none", "not_entitled", "limit_reached", "grace", "ok",
)  # fmt: skip
OFFLINE = (
    "forged", "unknown_card", "stale_code", "expired_card", "clock_wrong", "list_too_old", "revoked", "not_entitled",
    "ok",
)  # fmt: skip
VALID = {"not_entitled", "limit_reached", "grace", "ok"}
PANELS = {
    "ok": "ok", "grace": "ok", "clock_wrong": "check", "not_entitled": "other", "limit_reached": "other",
    "list_too_old": "unsure",
}  # fmt: skip
# What a desk without signal calls by one name: its list holds cards that no longer count, whatever the cause.
SAID_ALONE = {"ok": {"ok", "grace"}, "revoked": {"revoked", "replaced", "suspended", "lapsed", "none"}}
CANNOT_TELL = {"clock_wrong", "list_too_old"}

UNDO_WITHIN = timedelta(minutes=1)
CLOCKS_APART = timedelta(minutes=1)  # what a device's clock may be off without being called wrong


def decide(code_reason: str, status: str, is_entitled: bool, limit_remaining: int | None = None) -> str:
    """`code_reason` is what the code and the card say ("ok" when nothing is wrong with them);
    `status` the membership's; `is_entitled` whether the benefit asked for (or none) is theirs; `limit_remaining`
    how many uses of it are left, None where there is no limit or nobody can know.
    """
    if code_reason != "ok":
        return code_reason
    if status in ("suspended", "lapsed", "none"):
        return status
    if not is_entitled:
        return "not_entitled"
    if limit_remaining == 0:
        return "limit_reached"
    return "grace" if status == "grace" else "ok"


def panel(reason: str, check_identity: bool) -> str:
    """What the scanner shows: ok, check, no, other or unsure."""
    shown = PANELS.get(reason, "no")
    return "check" if shown == "ok" and check_identity else shown


def agrees(desk_reason: str, reason: str) -> bool:
    """Whether what a desk said alone is what we say of that moment; who could not tell contradicts nobody."""
    return desk_reason in CANNOT_TELL or reason in SAID_ALONE.get(desk_reason, {desk_reason})


def is_ahead(scanned_at: datetime, now: datetime) -> bool:
    """Whether a scan says that it was made in the future."""
    return scanned_at > now + CLOCKS_APART


def can_be_undone(checked_at: datetime, at: datetime) -> bool:
    """Within a minute of the scan; two clocks may differ a little about which came first."""
    return checked_at - CLOCKS_APART <= at <= checked_at + UNDO_WITHIN
