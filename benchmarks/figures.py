"""What a benchmark module's `run()` answers, and how two ways of doing a thing are timed fairly."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`value` of ours beside `baseline`, what `against` names, of the same run and in the same `unit`."""

    name: str
    against: str
    value: float
    baseline: float
    unit: str
    ratio: float


def compare(name: str, against: str, value: float, baseline: float, unit: str) -> Figure:
    return Figure(name, against, value, baseline, unit, value / baseline if baseline else math.inf)


def microseconds(
    ours: Callable[[], object], raw: Callable[[], object], calls: int, rounds: int = 7
) -> tuple[float, float]:
    """What a call of each takes: the median of rounds that take turns, so that a busy moment meets both."""
    times: dict[Callable[[], object], list[float]] = {ours: [], raw: []}
    for _ in range(rounds):
        for call, taken in times.items():
            began = time.perf_counter()
            for _ in range(calls):
                call()
            taken.append((time.perf_counter() - began) / calls * 1e6)
    return statistics.median(times[ours]), statistics.median(times[raw])
