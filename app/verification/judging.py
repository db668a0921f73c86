"""What a credential is worth at a moment: the code, the card, the membership, the benefit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from app import clock
from app.benefits.models import Benefit
from app.benefits.redeeming import limit_remaining
from app.benefits.service import why_not
from app.cards.service import ReadCard, read_card
from app.memberships.service import NEVER, Standing, standing_as_known, standing_of
from app.verification import rules


@dataclass(frozen=True)
class Judged:
    """Our answer, before it is logged."""

    reason: str
    read: ReadCard
    person_id: int | None
    standing: Standing
    is_entitled: bool
    limit_remaining: int | None = None

    @property
    def is_valid(self) -> bool:
        return self.reason in rules.VALID

    @property
    def live_window(self) -> int | None:
        """Of a live code that was shown in its time."""
        return None if self.read.reason == "stale_code" else self.read.window

    def columns(self) -> dict[str, Any]:
        """What the log keeps of it."""
        return {
            "person_id": self.person_id, "card_id": self.read.card.id if self.read.card else None,
            "live_window": self.live_window, "tier_id": self.standing.tier_id, "reason": self.reason,
            "status": self.standing.status, "valid": self.is_valid,
            "entitled": self.is_entitled and self.reason in ("ok", "grace"),
            "valid_until": self.standing.valid_until, "grace_until": self.standing.grace_until,
            "limit_remaining": self.limit_remaining if self.is_entitled and self.is_valid else None,
        }  # fmt: skip


def judge(read: ReadCard, person_id: int | None, benefit: Benefit | None, now: datetime, today: date) -> Judged:
    """By what is true now."""
    standing = standing_of(person_id, now, today) if person_id is not None else NEVER
    judged = _judged(read, person_id, benefit, standing, now, today)
    if benefit is None or person_id is None or not judged.is_entitled:
        return judged
    left = limit_remaining(benefit, person_id, now, today)
    reason = rules.decide(read.reason, standing.status, judged.is_entitled, left)
    return replace(judged, reason=reason, limit_remaining=left)


def judge_as_of(credential: str, benefit: Benefit | None, at: datetime) -> Judged:
    """By what was known at an instant that has passed, limits aside: a desk without signal cannot know of them."""
    day = clock.day_of(at)
    read = read_card(credential, at, day)
    if read.reason in ("revoked", "replaced") and read.card and read.card.revoked_at and read.card.revoked_at > at:
        read = replace(read, reason="ok")
    if read.card is None:
        return _judged(read, None, benefit, NEVER, at, day)
    person_id = read.card.person_id
    return _judged(read, person_id, benefit, standing_as_known(person_id, day, at), at, day)


def _judged(
    read: ReadCard, person_id: int | None, benefit: Benefit | None, standing: Standing, now: datetime, today: date
) -> Judged:
    is_entitled = standing.is_valid if benefit is None else why_not(benefit, standing, now, today) is None
    return Judged(rules.decide(read.reason, standing.status, is_entitled), read, person_id, standing, is_entitled)
