"""Terms bought upon each other, kept as rows: ending one whose money went back, restoring it, upgrading it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from app import audit
from app.extensions import db
from app.memberships import rules
from app.memberships.layers import Days, Layer, lay
from app.memberships.models import Suspension, Term
from app.memberships.rules import DAY
from app.memberships.terms import find_term_of_payment, note, tell_of_change, terms_of

GONE = ("refunded", "withdrawn", "dispute_lost", "merge")


@dataclass
class Bought:
    """What one payment or grant bought: its rows, the sold one first; `below` is the index of what it stands on."""

    rows: list[Term]
    below: int | None
    cause: str | None
    gone_on: date | None

    @property
    def sold(self) -> Term:
        return self.rows[0]


def end_terms_of_payment(payment_id: int, because: str, now: datetime, today: date) -> list[int]:
    """Keep only the days before today, without grace, of what a payment bought and of what stands on it.

    `because` is refunded, withdrawn or dispute_lost. A lower tier beneath it has its days back. Answers the payments
    of upgrades that stood on it and lost days though their own money is here. Doing it again changes nothing.
    """
    sold = find_term_of_payment(payment_id)
    if sold is None:
        return []
    stack = read_stack(sold)
    index = _index(stack, sold)
    mine = stack[index]
    if mine.cause is None:
        mine.cause, mine.gone_on = because, today
        _write(stack, now)
    upgrades = [it.sold for i, it in enumerate(stack) if i != index and _stands_on(stack, i, index)]
    return [it.payment_id for it in upgrades if it.ended_because == "base_ended" and it.payment_id]


def restore_terms_of_payment(payment_id: int, now: datetime, today: date) -> bool:
    """Give back the days that a payment had lost, as far as nobody has bought them since.

    An upgrade comes back over the lower tier's days. False when some days could not come back, or when what the
    payment stands on is gone itself. Doing it again, or for what never ended, changes nothing and is True.
    """
    sold = find_term_of_payment(payment_id)
    if sold is None:
        return True
    stack = read_stack(sold)
    index = _index(stack, sold)
    mine = stack[index]
    if mine.cause is None:
        return True
    mine.cause = mine.gone_on = None
    _write(stack, now)
    ours = [it for i, it in enumerate(stack) if _stands_on(stack, i, index)]
    days = sum((row.ends_on - row.starts_on).days + 1 for it in ours for row in it.rows)
    return days == (sold.sold_ends_on - sold.starts_on).days + 1


def rows_upon(payment_id: int) -> list[Term]:
    """The rows of what a payment bought and of what was bought upon it: the days that need its money."""
    sold = find_term_of_payment(payment_id)
    if sold is None:
        return []
    stack = read_stack(sold)
    index = _index(stack, sold)
    return [row for i, it in enumerate(stack) if _stands_on(stack, i, index) for row in it.rows]


def lay_upgrade(upgrade: Term, now: datetime) -> None:
    """Give a new upgrade, still without days, those of the term it stands on."""
    _write(read_stack(upgrade), now, new=upgrade)


def read_stack(term: Term) -> list[Bought]:
    """All that was bought upon the same term as this one, the lowest first."""
    by_id = {it.id: it for it in terms_of(term.person_id)}

    def sold(it: Term) -> Term:
        while it.continues_id is not None:
            it = by_id[it.continues_id]
        return it

    def root(it: Term) -> Term:
        it = sold(it)
        return it if it.upgrades_id is None else root(by_id[it.upgrades_id])

    rows: dict[int, list[Term]] = {}
    for it in sorted(by_id.values(), key=lambda row: row.id):
        if root(it) is root(term):
            rows.setdefault(sold(it).id, []).append(it)
    places = {sold_id: i for i, sold_id in enumerate(rows)}
    stack = [
        Bought(
            rows=mine, below=places[sold(by_id[mine[0].upgrades_id]).id] if mine[0].upgrades_id else None,
            cause=next((row.ended_because for row in mine if row.ended_because in GONE), None), gone_on=None,
        )
        for mine in rows.values()
    ]  # fmt: skip
    for i, bought in enumerate(stack):
        bought.gone_on = _gone_on(stack, i) if bought.cause else None
    return stack


def _gone_on(stack: list[Bought], index: int) -> date | None:
    """The day from which a layer's money is gone: the one after the last it or what stands on it has."""
    rows = [row for i, it in enumerate(stack) if _stands_on(stack, i, index) for row in it.rows]
    last = max((row.ends_on for row in rows if row.ends_on >= row.starts_on), default=None)
    if last is None:
        return stack[index].sold.starts_on
    return last + DAY if last < rules.FOR_LIFE else None


def _index(stack: list[Bought], term: Term) -> int:
    return next(i for i, it in enumerate(stack) if term in it.rows)


def _stands_on(stack: list[Bought], index: int | None, below: int) -> bool:
    """Whether a layer is `below` itself or was bought upon it."""
    while index is not None and index != below:
        index = stack[index].below
    return index == below


def _write(stack: list[Bought], now: datetime, new: Term | None = None) -> None:
    """Make the rows say whose days they are; rows shrink before others grow, for days are nobody's twice."""
    person_id, ends_on = stack[0].sold.person_id, stack[0].sold.sold_ends_on
    ours = {row.id for it in stack for row in it.rows}
    taken = [Days(t.starts_on, t.ends_on) for t in terms_of(person_id) if t.id not in ours and t.ends_on >= t.starts_on]
    held = lay([Layer(it.sold.starts_on, it.below, it.gone_on) for it in stack], ends_on, taken)
    before = {row.id: (row.ends_on, row.grace_ends_on, row.ended_because) for it in stack for row in it.rows}
    ends: dict[int, date] = {}
    fresh: list[tuple[Bought, Days]] = []
    for it, days in zip(stack, held, strict=True):
        last_day = {piece.first: piece.last for piece in days}
        for row in it.rows:
            ends[row.id] = last_day.pop(row.starts_on, row.starts_on - DAY)
        fresh += [(it, Days(first, last)) for first, last in last_day.items()]
    for shrinks in (True, False):
        for it in stack:
            for row in it.rows:
                if (ends[row.id] < before[row.id][0]) is shrinks:
                    _set_end(stack, held, it, row, ends[row.id])
        db.session.flush()
    for it, piece in fresh:
        row = _continue(it, piece, now)
        _set_end(stack, held, it, row, piece.last)
        db.session.flush()
        note("term_continued", row, now)
    for it in stack:
        for row in it.rows:
            if row.id in before and row is not new and before[row.id] != (
                row.ends_on, row.grace_ends_on, row.ended_because
            ):  # fmt: skip
                note("term_ended" if row.ends_on <= before[row.id][0] else "term_restored", row, now)
    tell_of_change(person_id, now)


def _set_end(stack: list[Bought], held: list[list[Days]], it: Bought, row: Term, ends_on: date) -> None:
    """Write a row's end, the grace after it, and why it is earlier than it was sold."""
    because = it.cause
    if because is None and ends_on < row.sold_ends_on:
        because = _why(stack, held, stack.index(it), ends_on + DAY)
    grace_ends_on = rules.grace_end(ends_on, row.tier.rules) if because is None else ends_on
    row.ends_on, row.grace_ends_on, row.ended_because = ends_on, grace_ends_on, because


def _why(stack: list[Bought], held: list[list[Days]], index: int, day: date) -> str:
    """Why a layer that is paid for does not have a day: an upgrade has it, what it stood on is gone, or others do."""
    owner = next((i for i, days in enumerate(held) if any(it.first <= day <= it.last for it in days)), None)
    if owner is not None and _stands_on(stack, owner, index):
        return "upgraded"
    below = stack[index].below
    while below is not None:
        gone_on = stack[below].gone_on
        if gone_on is not None and gone_on <= day:
            return "base_ended"
        below = stack[below].below
    return "days_taken"


def _continue(it: Bought, piece: Days, now: datetime) -> Term:
    """A further row for days of a layer that do not follow its first; holds on the layer are on it too."""
    sold = it.sold
    row = Term(
        person_id=sold.person_id, tier_id=sold.tier_id, tier=sold.tier, anchor_on=sold.anchor_on,
        starts_on=piece.first, ends_on=piece.last, sold_ends_on=sold.sold_ends_on, grace_ends_on=piece.last,
        payment_id=sold.payment_id, continues_id=it.rows[-1].id, granted_by=sold.granted_by,
        granted_because=sold.granted_because, created_at=now,
    )  # fmt: skip
    it.rows.append(row)
    db.session.add(row)
    db.session.flush()
    for hold in db.session.execute(select(Suspension).where(Suspension.term_id == sold.id)).scalars():
        if hold.until_at is None:
            db.session.add(Suspension(term_id=row.id, cause=hold.cause, from_at=hold.from_at))
            audit.record("term_suspended", f"term:{row.id}", now, cause=hold.cause)
    return row
