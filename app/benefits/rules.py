"""Whose a benefit is on a day, by what its uses are counted, and what a code for one looks like: pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

WhyNot = str  # none, lapsed, suspended, closed, not_yet, over, other_tier or not_in_grace
OF_THE_BENEFIT = ("closed", "not_yet", "over")  # and not of the member
PERIODS = ("day", "month", "term")
DAY = timedelta(days=1)

# No 0 and O, no 1, I and L. 31 is a prime: weights then tell every wrong sign and every two that were swapped.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 12  # 11 drawn at random (54 bits), one to check them


@dataclass(frozen=True)
class BenefitRules:
    """Days are both included; None: no bound. From the instant `closed_at` on it is nobody's."""

    tier_ids: frozenset[int]
    in_grace: bool
    available_from: date | None = None
    available_until: date | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Period:
    """What uses are counted by: those with the same key. `last` is its last day."""

    key: str
    last: date | None


def why_not(benefit: BenefitRules, status: str, tier_id: int | None, now: datetime, today: date) -> WhyNot | None:
    """The first reason why somebody of this standing has no right to a benefit now; None: it is theirs."""
    if status in ("none", "lapsed", "suspended"):
        return status
    if benefit.closed_at is not None and benefit.closed_at <= now:
        return "closed"
    if benefit.available_from is not None and today < benefit.available_from:
        return "not_yet"
    if benefit.available_until is not None and today > benefit.available_until:
        return "over"
    if tier_id not in benefit.tier_ids:
        return "other_tier"
    return "not_in_grace" if status == "grace" and not benefit.in_grace else None


def period_of(limit_period: str, today: date, own_year: tuple[date, date] | None) -> Period:
    """The period that a use on a day counts in. `own_year` is the membership's own, for "term"."""
    if limit_period == "day":
        return Period(f"day:{today.isoformat()}", today)
    if limit_period == "month":
        first_of_next = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        return Period(f"month:{today.isoformat()[:7]}", first_of_next - DAY)
    if own_year is None:
        return Period("term:none", None)
    return Period(f"term:{own_year[0].isoformat()}", own_year[1])


def free_place(limit_count: int, taken: Collection[int | None]) -> int | None:
    """The first free one of the places 1 to `limit_count`; None when all are taken."""
    return next((place for place in range(1, limit_count + 1) if place not in taken), None)


def takes_off(price_cents: int, percent: int | None, cents: int | None) -> int:
    """What a benefit takes off a price: a percentage, rounded down to a cent, or an amount, never more than all."""
    if percent is not None:
        return price_cents * percent // 100
    return min(price_cents, cents or 0)


def with_check(drawn: str) -> str:
    """The code: what was drawn and the sign that checks it."""
    return drawn + ALPHABET[_sum(drawn) % len(ALPHABET)]


def read_code(text: str) -> str | None:
    """The code that somebody typed, in whatever case and grouping; None when it cannot be one."""
    code = "".join(text.upper().replace("-", " ").split())
    if len(code) != CODE_LENGTH or not set(code) <= set(ALPHABET):
        return None
    return code if with_check(code[:-1]) == code else None


def grouped(code: str) -> str:
    """ABCD-EFGH-JKMN"""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _sum(drawn: str) -> int:
    return -sum((place + 2) * ALPHABET.index(sign) for place, sign in enumerate(drawn))
