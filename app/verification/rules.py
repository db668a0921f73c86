"""Which reason a verification answers, in order of precedence."""

from __future__ import annotations

PRECEDENCE = (
    "forged", "unknown_card", "stale_code", "expired_card", "clock_wrong", "list_too_old", "revoked", "replaced",
    "suspended", "lapsed", "none", "not_entitled", "limit_reached", "grace", "ok",
)  # fmt: skip
VALID = {"not_entitled", "limit_reached", "grace", "ok"}
PANELS = {
    "ok": "ok", "grace": "ok", "clock_wrong": "check", "not_entitled": "other", "limit_reached": "other",
    "list_too_old": "unsure",
}  # fmt: skip


def decide(code_reason: str, status: str, is_entitled: bool) -> str:
    """`code_reason` is what the code and the card say ("ok" when nothing is wrong with them);
    `status` the membership's; `is_entitled` whether the benefit asked for (or none) is theirs.
    """
    if code_reason != "ok":
        return code_reason
    if status in ("suspended", "lapsed", "none"):
        return status
    if not is_entitled:
        return "not_entitled"
    return "grace" if status == "grace" else "ok"


def panel(reason: str, check_identity: bool) -> str:
    """What the scanner shows: ok, check, no, other or unsure."""
    shown = PANELS.get(reason, "no")
    return "check" if shown == "ok" and check_identity else shown
