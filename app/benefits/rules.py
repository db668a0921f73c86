"""Whether a standing entitles to a benefit."""

from __future__ import annotations

from collections.abc import Collection


def is_entitled(status: str, tier_id: int | None, benefit_tier_ids: Collection[int], in_grace: bool) -> bool:
    """A member of one of the benefit's tiers, active, or in grace where the benefit honours it."""
    if status == "grace" and not in_grace:
        return False
    return status in ("active", "grace") and tier_id in benefit_tier_ids
