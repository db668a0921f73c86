"""Membership dates: pure functions that write dates, and readers that only compare them.

Every `today` is the day in the association's time zone; for a manual payment it is the value date.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Status = Literal["none", "active", "grace", "lapsed", "suspended"]
Kind = Literal["join", "renew", "rejoin", "upgrade", "gift"]
DAY = timedelta(days=1)
FOR_LIFE = date.max
OFFER_HOLDS = timedelta(days=30)


@dataclass(frozen=True)
class TierRules:
    """Whole months; grace in days; `fixed_start` (month, day) for a fixed year, with its bonus days."""

    months: int
    grace_days: int
    fixed_start: tuple[int, int] | None = None
    bonus_days: int = 0


@dataclass(frozen=True)
class TermDates:
    """What a term stores. `anchor_on` is the first day of the unbroken chain."""

    anchor_on: date
    starts_on: date
    ends_on: date
    grace_ends_on: date


@dataclass(frozen=True)
class HeldTerm:
    """A term as readers see it; `suspended` says whether a hold on it or its person is open."""

    tier_id: int
    anchor_on: date
    starts_on: date
    ends_on: date
    grace_ends_on: date
    suspended: bool = False

    @property
    def is_empty(self) -> bool:
        return self.ends_on < self.starts_on


@dataclass(frozen=True)
class Standing:
    """What is true of a day, for the term that runs or, when none does, the last one; None where there is none.

    `starts_on` is that term's first day, `valid_until` the last of the unbroken run, `grace_until` its grace.
    """

    status: Status
    tier_id: int | None
    starts_on: date | None
    valid_until: date | None
    grace_until: date | None

    @property
    def is_valid(self) -> bool:
        return self.status in ("active", "grace")


NEVER = Standing("none", None, None, None, None)


@dataclass(frozen=True)
class Offer:
    """Days on sale, and the last day on which money buys exactly them."""

    kind: Kind
    dates: TermDates
    holds_until: date


class AlreadyRenewed(Exception):
    """A term lies wholly in the future or has no end, so no further one is sold."""


class Endless(AlreadyRenewed):
    """Membership for life: there is no day after it."""


def anniversary(anchor_on: date, months: int) -> date:
    """The day `months` after the anchor; a month without that day takes the first of the next month."""
    index = anchor_on.year * 12 + anchor_on.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if anchor_on.day <= monthrange(year, month)[1]:
        return date(year, month, anchor_on.day)
    return date(year, month + 1, 1)  # no December lacks a day


def months_since(anchor_on: date, day: date) -> int | None:
    """How many months after the anchor `day` is an anniversary; None when it is not one."""
    near = (day.year - anchor_on.year) * 12 + day.month - anchor_on.month
    return next((m for m in (near, near - 1) if m >= 0 and anniversary(anchor_on, m) == day), None)


def first_term(today: date, tier: TierRules) -> TermDates:
    """Joining, or rejoining after grace: starts today, with a new anchor."""
    return _term(today, today, tier, joining=True)


def following_term(run_anchor_on: date, run_ends_on: date, tier: TierRules) -> TermDates:
    """Renewing, early or in grace: starts the day after the run's end and keeps the chain's day.

    A run cut short (or carried over with an odd end) begins a new chain there.
    """
    starts_on = run_ends_on + DAY
    anchor_on = run_anchor_on if months_since(run_anchor_on, starts_on) is not None else starts_on
    return _term(anchor_on, starts_on, tier)


def _term(anchor_on: date, starts_on: date, tier: TierRules, joining: bool = False) -> TermDates:
    if tier.fixed_start is None:
        next_starts_on = anniversary(anchor_on, (months_since(anchor_on, starts_on) or 0) + tier.months)
    else:
        next_starts_on = _next_fixed_start(starts_on, tier.fixed_start)
        if joining and (next_starts_on - starts_on).days <= tier.bonus_days:
            next_starts_on = _next_fixed_start(next_starts_on, tier.fixed_start)
    ends_on = next_starts_on - DAY
    return TermDates(anchor_on, starts_on, ends_on, grace_end(ends_on, tier))


def grace_end(ends_on: date, tier: TierRules) -> date:
    """The last day of grace after a term that ran out."""
    return ends_on + timedelta(days=min(tier.grace_days, (FOR_LIFE - ends_on).days))


def _next_fixed_start(day: date, fixed_start: tuple[int, int]) -> date:
    """The first fixed start after `day`."""
    start = date(day.year, *fixed_start)
    return start if start > day else date(day.year + 1, *fixed_start)


def standing(terms: Iterable[HeldTerm], today: date) -> Standing:
    """Status, tier and dates of a day from all of a person's terms."""
    held = in_order(terms)
    begun = [t for t in held if t.starts_on <= today]
    if not begun:
        return NEVER
    current = begun[-1]  # an older term's grace ended with the one that followed it
    if today > current.grace_ends_on:
        return Standing("lapsed", current.tier_id, current.starts_on, current.ends_on, current.grace_ends_on)
    status: Status = "active" if today <= current.ends_on else "grace"
    if current.suspended:
        status = "suspended"
    last = _run_end(held, current)
    return Standing(status, current.tier_id, current.starts_on, last.ends_on, last.grace_ends_on)


def _run_end(held: Sequence[HeldTerm], current: HeldTerm) -> HeldTerm:
    """The last term of the unbroken run that `current` is in."""
    for term in held:
        if term.starts_on - DAY == current.ends_on:  # an end may be the last day there is
            current = term
    return current


def in_order(terms: Iterable[HeldTerm]) -> list[HeldTerm]:
    """The terms that hold any day, by start."""
    return sorted((t for t in terms if not t.is_empty), key=lambda t: t.starts_on)


def make_offer(terms: Iterable[HeldTerm], tier: TierRules, today: date) -> Offer:
    """What is sold today: joining, renewing or rejoining. Raises AlreadyRenewed."""
    held = in_order(terms)
    if any(t.starts_on > today for t in held):
        raise AlreadyRenewed
    kind: Kind = "join" if not held else "renew" if today <= held[-1].grace_ends_on else "rejoin"
    return Offer(kind, dates_after_run(held, tier, today), today + OFFER_HOLDS)


def dates_after_run(terms: Iterable[HeldTerm], tier: TierRules, today: date) -> TermDates:
    """The term after somebody's last day, whatever they have bought; from today when grace is over. Raises Endless."""
    held = in_order(terms)
    if not held or today > held[-1].grace_ends_on:
        return first_term(today, tier)
    if held[-1].ends_on == FOR_LIFE:
        raise Endless
    return following_term(held[-1].anchor_on, held[-1].ends_on, tier)


def upgrade_fee(held_cents: int, wanted_cents: int, starts_on: date, ends_on: date, today: date) -> int:
    """Fee difference x days left (today included) / days of the whole term, in cents, rounded down.

    Rounded half up, two upgrades could cost more than the direct one.
    """
    return (wanted_cents - held_cents) * ((ends_on - today).days + 1) // ((ends_on - starts_on).days + 1)


def has_graduated_within(graduation_years: Iterable[int | None], years: int, today: date) -> bool:
    """Whether one of the years lies at most `years` back; the whole of the last calendar year counts."""
    return any(year is not None and 0 <= today.year - year <= years for year in graduation_years)


def own_year(starts_on: date, sold_ends_on: date, day: date) -> tuple[date, date]:
    """The first and the last day of the year that `day` is in, of a term sold from `starts_on` to `sold_ends_on`.

    Years begin on the term's anniversaries; days that make no whole year (a bonus, a short term) and those of grace
    belong to the year before them.
    """
    index = 0
    while anniversary(starts_on, 12 * (index + 1)) <= day and _has_whole_year(starts_on, sold_ends_on, index + 1):
        index += 1
    is_last = not _has_whole_year(starts_on, sold_ends_on, index + 1)
    return (
        anniversary(starts_on, 12 * index),
        sold_ends_on if is_last else anniversary(starts_on, 12 * (index + 1)) - DAY,
    )


def _has_whole_year(starts_on: date, sold_ends_on: date, index: int) -> bool:
    return anniversary(starts_on, 12 * (index + 1)) - DAY <= sold_ends_on


def is_covered(terms: Iterable[HeldTerm], starts_on: date, ends_on: date) -> bool:
    """Whether any day from `starts_on` to `ends_on` is somebody's already."""
    return any(not t.is_empty and t.starts_on <= ends_on and starts_on <= t.ends_on for t in terms)


def cut(starts_on: date, ends_on: date, today: date) -> date:
    """The last day that stays when money went back today: the day before, emptied if none is left."""
    return min(ends_on, max(today - DAY, starts_on - DAY))
