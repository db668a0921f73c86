"""Billing periods: months keep the day of the month they began on, as far as a month has it."""

import calendar
from datetime import UTC, datetime
from typing import Any

from demo.simulator.account import DAY

_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}


def boundary_after(anchor: int, recurring: dict[str, Any], moment: int) -> int:
    """The first end of a period counted from `anchor` that comes after `moment`. Unix seconds."""
    periods = 1
    while (end := _after(anchor, recurring, periods)) <= moment:
        periods += 1
    return end


def _after(anchor: int, recurring: dict[str, Any], periods: int) -> int:
    count = recurring["interval_count"] * periods
    if recurring["interval"] in _DAYS:
        return anchor + count * _DAYS[recurring["interval"]] * DAY
    start = datetime.fromtimestamp(anchor, UTC)
    month = start.year * 12 + start.month - 1 + count * _MONTHS[recurring["interval"]]
    year, month = month // 12, month % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())
