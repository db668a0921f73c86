"""Whose days they are when a term was upgraded, its money went back, or came back after all: pure.

Days bought upon each other lie in layers: a term, the upgrade bought upon it, the upgrade upon that. Each is sold to
the same last day; the topmost that still stands has the day. Facts in any order give the same days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest

from app.memberships.rules import DAY


@dataclass(frozen=True)
class Layer:
    """Days from `starts_on` on, bought upon the layer of index `below`; from `gone_on` on nobody pays for them."""

    starts_on: date
    below: int | None = None
    gone_on: date | None = None

    def holds(self, day: date) -> bool:
        return self.starts_on <= day and (self.gone_on is None or day < self.gone_on)


@dataclass(frozen=True)
class Days:
    """A run of days, both included."""

    first: date
    last: date


def lay(layers: Sequence[Layer], ends_on: date, taken: Iterable[Days]) -> list[list[Days]]:
    """The days each layer has, up to `ends_on`; the first is the lowest. Those `taken` are somebody else's."""
    taken = list(taken)
    marks = {layer.starts_on for layer in layers} | {layer.gone_on for layer in layers if layer.gone_on}
    marks |= {days.first for days in taken} | {days.last + DAY for days in taken if days.last < ends_on}
    firsts = sorted(day for day in marks if layers[0].starts_on <= day <= ends_on)
    held: list[list[Days]] = [[] for _ in layers]
    for first, following in zip_longest(firsts, firsts[1:]):
        owner = _owner(layers, first)
        if owner is None or any(days.first <= first <= days.last for days in taken):
            continue
        piece = Days(first, following - DAY if following else ends_on)
        mine = held[owner]
        if mine and mine[-1].last + DAY == first:
            mine[-1] = Days(mine[-1].first, piece.last)
        else:
            mine.append(piece)
    return held


def _owner(layers: Sequence[Layer], day: date) -> int | None:
    """The topmost layer that stands on a day; of two upon one layer, the one bought last."""
    owner: int | None = None
    while True:
        above = [i for i, layer in enumerate(layers) if layer.below == owner and layer.holds(day)]
        if not above:
            return owner
        owner = above[-1]
