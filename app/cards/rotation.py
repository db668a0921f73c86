"""Changing keys: a new one is published before it signs, an old one stays until nothing it signed is good any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from sqlalchemy import func, select

from app import clock
from app.cards.keys import CardKey, CardKeys, Use, generate
from app.cards.payload import LAST_EXPIRY
from app.extensions import db
from app.memberships.models import Term, Tier

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rotation:
    """`keys` as they are from now on. `newest` is published and waits for its day; `is_new` when it was made now.

    `staying` are older keys with the last day on which something they signed may be good, as far as known today.
    """

    keys: CardKeys
    newest: CardKey
    is_new: bool
    retired: list[CardKey]
    staying: list[tuple[CardKey, date]]


def rotate(
    keys: CardKeys, use: Use, first_use_on: date, today: date, last_expiry_before: Callable[[date], date]
) -> Rotation:
    """A key more, unless one waits for its first day already; those with nothing good left retire today.

    `last_expiry_before` says until when a code made before a day may be good, apart from live ones.
    """
    newest = keys.of(use)[-1]
    is_new = newest.first_use_on <= today
    if is_new:
        newest = generate(keys.next_id(use), first_use_on, use)
        keys = keys.with_key(newest)
    in_turn = keys.of(use)
    retired, staying = [], []
    for key, following in pairwise(in_turn):
        if key.is_retired(today):
            continue
        # Live codes and lists made on the evening before are good for a day and, at midnight, for half a minute more.
        last_on = max(following.first_use_on + DAY, last_expiry_before(following.first_use_on))
        if last_on < today:
            retired.append(replace(key, retired_on=today))
            keys = keys.with_key(retired[-1])
        else:
            staying.append((key, last_on))
    return Rotation(keys, newest, is_new, retired, staying)


def last_printed_expiry(day: date) -> date:
    """The last day that a printed code made before `day` can hold: of all terms as sold by then, in grace."""
    sold_by_then = (
        select(Tier.grace_days, func.max(Term.sold_ends_on))
        .join(Term, Term.tier_id == Tier.id)
        .where(Term.created_at < clock.day_start(day))
        .group_by(Tier.grace_days)
    )
    last_on = date.min
    for grace_days, sold_ends_on in db.session.execute(sold_by_then):
        days = min(timedelta(days=grace_days), max(LAST_EXPIRY - sold_ends_on, timedelta(0)))
        last_on = max(last_on, min(sold_ends_on + days, LAST_EXPIRY))
    return last_on
