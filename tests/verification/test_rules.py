"""Which reason wins, and how the scanner shows it."""

from __future__ import annotations

import pytest

from app.verification.rules import PRECEDENCE, VALID, decide, panel

STATUSES = ("active", "grace", "lapsed", "suspended", "none")
CODE_REASONS = ("forged", "unknown_card", "stale_code", "expired_card", "revoked", "replaced")


def test_the_reasons_stand_in_the_order_of_the_rules() -> None:
    assert ", ".join(PRECEDENCE) == (
        "forged, unknown_card, stale_code, expired_card, clock_wrong, list_too_old, revoked, replaced, suspended, "
        "lapsed, none, not_entitled, limit_reached, grace, ok"
    )


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("entitled", [True, False])
@pytest.mark.parametrize("code", [*CODE_REASONS, "ok"])
def test_the_reason_answered_is_the_first_that_applies(code: str, status: str, entitled: bool) -> None:
    applies = {code, status if status != "active" else "ok", "ok"}
    if code == "ok" and not entitled:
        applies.add("not_entitled")
    applies &= set(PRECEDENCE)
    assert decide(code, status, entitled) == min(applies, key=PRECEDENCE.index)


def test_a_member_who_may_not_use_this_is_a_member_all_the_same() -> None:
    assert VALID == {"ok", "grace", "not_entitled", "limit_reached"}


@pytest.mark.parametrize("reason", PRECEDENCE)
@pytest.mark.parametrize("check_identity", [True, False])
def test_each_reason_has_the_panel_of_the_design(reason: str, check_identity: bool) -> None:
    expected = {
        "ok": "check" if check_identity else "ok",
        "grace": "check" if check_identity else "ok",
        "clock_wrong": "check",
        "not_entitled": "other",
        "limit_reached": "other",
        "list_too_old": "unsure",
    }.get(reason, "no")
    assert panel(reason, check_identity) == expected
