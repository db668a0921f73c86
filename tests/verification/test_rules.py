"""Which reason wins, and how the scanner shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.verification.rules import OFFLINE, PRECEDENCE, VALID, agrees, can_be_undone, decide, is_ahead, panel

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


NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_desk_alone_knows_fewer_reasons_in_the_same_order() -> None:
    assert [reason for reason in PRECEDENCE if reason in OFFLINE] == list(OFFLINE)
    assert set(PRECEDENCE) - set(OFFLINE) == {"replaced", "suspended", "lapsed", "none", "limit_reached", "grace"}


@pytest.mark.parametrize("said", OFFLINE)
@pytest.mark.parametrize("known", PRECEDENCE)
def test_a_desk_agrees_with_us_where_it_says_the_same_as_well_as_it_can(said: str, known: str) -> None:
    as_well_as_it_can = {
        "grace": {"ok"}, "replaced": {"revoked"}, "suspended": {"revoked"}, "lapsed": {"revoked"}, "none": {"revoked"},
    }.get(known, {known})  # fmt: skip
    assert agrees(said, known) == (said in {*as_well_as_it_can, "clock_wrong", "list_too_old"})


@pytest.mark.parametrize(("seconds", "expected"), [(59, False), (60, False), (61, True), (-60, False)])
def test_a_scan_a_minute_ahead_of_us_may_be_two_clocks_a_later_one_is_wrong(seconds: int, expected: bool) -> None:
    assert is_ahead(NOW + seconds * SECOND, NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-61, False), (-60, True), (0, True), (59, True), (60, True), (61, False)]
)
def test_a_scan_can_be_undone_for_a_minute(seconds: int, expected: bool) -> None:
    assert can_be_undone(NOW, NOW + seconds * SECOND) == expected
