"""What counts against a benefit's limit: the uses of a person in the period of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select

from app import audit
from app.benefits.models import Benefit, Redemption
from app.benefits.rules import Period, period_of
from app.extensions import db
from app.memberships.service import own_year_of


def period_today(benefit: Benefit, person_id: int, today: date) -> Period | None:
    """What a use today counts in; None for a benefit without limit."""
    if benefit.limit_count is None or benefit.limit_period is None:
        return None
    year = own_year_of(person_id, today) if benefit.limit_period == "term" else None
    return period_of(benefit.limit_period, today, (year.starts_on, year.ends_on) if year else None)


def limit_remaining(benefit: Benefit, person_id: int, now: datetime, today: date) -> int | None:
    """How many uses are left in the period of today; None: there is no limit."""
    period = period_today(benefit, person_id, today)
    if period is None or benefit.limit_count is None:
        return None
    counts = or_(Redemption.state == "confirmed", (Redemption.state == "reserved") & (Redemption.reserved_until > now))
    used = select(func.count()).select_from(Redemption).where(*_in(benefit, person_id, period), counts)
    return max(0, benefit.limit_count - db.session.execute(used).scalar_one())


def counting_uses(benefit: Benefit, person_id: int, period: Period, now: datetime) -> list[Redemption]:
    """The uses that count; reservations that ran out are written down as such and give their place back."""
    query = select(Redemption).where(*_in(benefit, person_id, period), Redemption.state.in_(("reserved", "confirmed")))
    rows = list(db.session.execute(locked(query.order_by(Redemption.id))).scalars())
    expire([it for it in rows if it.state_at(now) == "expired"], now)
    return [it for it in rows if it.state != "expired"]


def expire(rows: Sequence[Redemption], now: datetime) -> None:
    """Write down that these reservations ran out."""
    for it in rows:
        it.state, it.n = "expired", None
        note("redemption_expired", it, now)
    db.session.flush()


def locked(query: Any) -> Any:
    """Rows as they are now, for this transaction to change."""
    return query.with_for_update().execution_options(populate_existing=True)


def note(action: str, it: Redemption, now: datetime) -> None:
    audit.record(action, f"redemption:{it.id}", now, person=it.person_id, benefit=it.benefit_id, service=it.service_id)


def _in(benefit: Benefit, person_id: int, period: Period) -> tuple[Any, ...]:
    return (
        Redemption.benefit_id == benefit.id, Redemption.person_id == person_id, Redemption.period_key == period.key
    )  # fmt: skip
