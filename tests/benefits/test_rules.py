"""Whose a benefit is."""

from __future__ import annotations

import pytest

from app.benefits.rules import is_entitled

PLUS, BASIC = 2, 1


@pytest.mark.parametrize(
    ("status", "tier", "in_grace", "entitled"),
    [
        ("active", PLUS, True, True),
        ("active", PLUS, False, True),
        ("active", BASIC, True, False),
        ("grace", PLUS, True, True),
        ("grace", PLUS, False, False),
        ("grace", BASIC, True, False),
        ("lapsed", PLUS, True, False),
        ("suspended", PLUS, True, False),
        ("none", None, True, False),
    ],
)
def test_a_benefit_is_for_members_of_its_tiers(status: str, tier: int | None, in_grace: bool, entitled: bool) -> None:
    assert is_entitled(status, tier, [PLUS], in_grace) is entitled


def test_a_benefit_of_no_tier_is_nobodys() -> None:
    assert not is_entitled("active", PLUS, [], True)
