"""A second opinion: who has which days, worked out day by day from the facts in the order they happened.

Written from the rules of membership and money, not from the application: it knows no rows, no ledger and no news,
only what happened and when. It is slow and plain on purpose.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta

DAY = timedelta(days=1)
HORIZON = date(2075, 12, 31)  # life ends here: days are counted one by one
HOLDS_DAYS = 30


@dataclass(frozen=True)
class Plan:
    """A tier: by anniversary, or from a fixed day of the year with its bonus days."""

    code: str
    months: int = 12
    grace: int = 30
    fixed: tuple[int, int] | None = None
    bonus: int = 0


@dataclass(eq=False)
class Bought:
    """Days somebody bought, was given or granted. `under` is what an upgrade was bought upon."""

    key: str
    plan: Plan
    anchor: date
    first: date
    last: date
    under: Bought | None = None
    gone_on: date | None = None

    def stands(self, day: date) -> bool:
        is_paid = self.first <= day <= self.last and (self.gone_on is None or day < self.gone_on)
        return is_paid and (self.under is None or self.under.stands(day))

    @property
    def depth(self) -> int:
        return 0 if self.under is None else self.under.depth + 1


@dataclass(frozen=True)
class Offered:
    """What is on sale: kind, anchor, first and last day."""

    kind: str
    anchor: date
    first: date
    last: date


def months_after(day: date, months: int) -> date:
    """The same day of a later month; where the month has no such day, the first of the month after it."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    if day.day <= monthrange(year, month)[1]:
        return date(year, month, day.day)
    return date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)


def last_day(plan: Plan, anchor: date, first: date, joining: bool) -> date:
    """The last day of a term that begins on `first` in a chain that began on `anchor`."""
    if plan.fixed is not None:
        starts = [date(first.year + n, *plan.fixed) for n in range(4)]
        starts = [day for day in starts if day > first]
        if joining and (starts[0] - first).days <= plan.bonus:
            del starts[0]
        return starts[0] - DAY
    months = 0
    while months_after(anchor, months) < first:
        months += 1
    return months_after(anchor, months + plan.months) - DAY


@dataclass
class Member:
    """One person's days, each with what it was bought by."""

    days: dict[date, Bought] = field(default_factory=dict)
    bought: dict[str, Bought] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)
    is_held: bool = False

    def pieces(self) -> list[tuple[Bought, date, date]]:
        """Runs of days bought by one thing, in order."""
        found: list[tuple[Bought, date, date]] = []
        for day in sorted(self.days):
            it = self.days[day]
            if found and found[-1][0] is it and found[-1][2] + DAY == day:
                found[-1] = (it, found[-1][1], day)
            else:
                found.append((it, day, day))
        return found

    def terms(self) -> list[tuple[str, date, date]]:
        return [(it.plan.code, first, last) for it, first, last in self.pieces()]

    def grace_after(self, it: Bought, last: date) -> date:
        """Grace follows days that ran out, not days whose money went back."""
        ran_out = last == it.last and it.gone_on is None and (it.under is None or it.under.gone_on is None)
        return last + it.plan.grace * DAY if ran_out else last

    def status(self, today: date) -> str:
        it = self.days.get(today)
        word = "active"
        if it is None:
            past = [piece for piece in self.pieces() if piece[2] < today]
            if not past:
                return "none"
            it, _first, last = past[-1]
            if today > self.grace_after(it, last):
                return "lapsed"
            word = "grace"
        return "suspended" if self.is_held or self._is_disputed(it) else word

    def _is_disputed(self, it: Bought) -> bool:
        """Its money, or that of what it was bought upon: an upgrade has paid the difference only."""
        return it.key in self.disputed or (it.under is not None and self._is_disputed(it.under))

    def has_future(self, today: date) -> bool:
        return any(first > today for _it, first, _last in self.pieces())

    def offer(self, plan: Plan, today: date, even_if_renewed: bool = False) -> Offered | None:
        """Joining, renewing or rejoining; None for somebody who has renewed already."""
        pieces = self.pieces()
        if not even_if_renewed and self.has_future(today):
            return None
        if not pieces or today > self.grace_after(pieces[-1][0], pieces[-1][2]):
            kind = "rejoin" if pieces else "join"
            return Offered(kind, today, today, last_day(plan, today, today, joining=True))
        it, _first, last = pieces[-1]
        if last >= HORIZON:
            return None
        first, anchor = last + DAY, it.anchor
        months = 0
        while months_after(anchor, months) < first:
            months += 1
        if months_after(anchor, months) != first:
            anchor = first
        return Offered("renew", anchor, first, last_day(plan, anchor, first, joining=False))

    def is_covered(self, first: date, last: date) -> bool:
        return any(first <= day <= last for day in self.days)

    def buy(self, key: str, plan: Plan, anchor: date, first: date, last: date) -> bool:
        """False when somebody has some of these days already."""
        if self.is_covered(first, last):
            return False
        self._take(Bought(key, plan, anchor, first, last))
        return True

    def upgrade(self, key: str, plan: Plan, first: date, last: date, is_higher: bool) -> bool:
        """The rest of the term that runs on `first`, when it still runs to `last`."""
        held = self.days.get(first)
        if held is None or held.last != last or not is_higher:
            return False
        if any(self.days.get(day) is not held for day in _days(first, last)):
            return False
        self._take(Bought(key, plan, held.anchor, first, last, under=held))
        return True

    def _take(self, it: Bought) -> None:
        self.bought[it.key] = it
        for day in _days(it.first, it.last):
            self.days[day] = it

    def lose(self, key: str, today: date) -> None:
        """Its money went back: it keeps the days before today; the days beneath it come to light."""
        it = self.bought.get(key)
        if it is not None and it.gone_on is None:
            it.gone_on = today
            self._lay(it)

    def regain(self, key: str) -> None:
        """Its money is here after all: the days that nobody has bought since come back."""
        it = self.bought.get(key)
        if it is not None and it.gone_on is not None:
            it.gone_on = None
            self._lay(it)

    def _lay(self, it: Bought) -> None:
        while it.under is not None:
            it = it.under
        stack = [other for other in self.bought.values() if _root(other) is it]
        for day in _days(it.first, it.last):
            if self.days.get(day, it) not in stack:
                continue
            standing = [other for other in stack if other.stands(day)]
            if standing:
                self.days[day] = max(standing, key=lambda other: (other.depth, list(self.bought).index(other.key)))
            else:
                self.days.pop(day, None)


def _root(it: Bought) -> Bought:
    return it if it.under is None else _root(it.under)


def _days(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((min(last, HORIZON) - first).days + 1)]
