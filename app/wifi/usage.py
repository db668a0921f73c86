"""How many members used the Wi-Fi in a month, and what was refused: numbers, never who or where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.extensions import Base, db, insert_once
from app.wifi.models import WifiCredential, WifiRefusal, WifiSession

MONTHS_SHOWN = 12


class WifiMonth(Base):
    """How many members had a session in a month, which begins on `month_on`. It stays when the sessions are erased."""

    __tablename__ = "wifi_month"

    month_on: Mapped[date] = mapped_column(primary_key=True)
    members: Mapped[int]


def count_months(today: date) -> None:
    """Count this month and the last anew, of which all sessions are still there."""
    this = today.replace(day=1)
    for month_on in (_month_before(this), this):
        members = members_in(month_on)
        if members:
            insert_once(WifiMonth, month_on=month_on, members=0)
            db.session.get_one(WifiMonth, month_on, with_for_update=True).members = members
    db.session.flush()


def members_in(month_on: date) -> int:
    """How many people had a session at any time of the month."""
    first, after = clock.day_start(month_on), clock.day_start(_month_after(month_on))
    query = select(func.count(WifiCredential.person_id.distinct())).join(
        WifiSession, WifiSession.credential_id == WifiCredential.id
    )
    return db.session.execute(query.where(WifiSession.started_at < after, WifiSession.updated_at >= first)).scalar_one()


def members_by_month(today: date) -> list[tuple[date, int]]:
    """Up to the last twelve months, newest first, from the first one with anybody in it; the running one as of now."""
    this = today.replace(day=1)
    kept = {row.month_on: row.members for row in db.session.execute(select(WifiMonth)).scalars()}
    kept[this] = members_in(this)
    months = [this]
    while len(months) < MONTHS_SHOWN and months[-1] > min(kept):
        months.append(_month_before(months[-1]))
    return [(month_on, kept.get(month_on, 0)) for month_on in months]


def refusals_by_reason() -> list[tuple[str, int]]:
    """Of the days for which they are kept, the most frequent first."""
    count = func.count()
    query = select(WifiRefusal.reason, count).group_by(WifiRefusal.reason).order_by(count.desc(), WifiRefusal.reason)
    return [(row[0], row[1]) for row in db.session.execute(query)]


def wrong_secrets(devices: Sequence[WifiCredential]) -> dict[int, datetime]:
    """When each device last came with a wrong secret, if it has not joined since."""
    query = select(WifiRefusal.credential_id, func.max(WifiRefusal.at)).where(
        WifiRefusal.reason == "wrong_secret", WifiRefusal.credential_id.in_([it.id for it in devices])
    )
    last = {row[0]: row[1] for row in db.session.execute(query.group_by(WifiRefusal.credential_id))}
    return {
        it.id: last[it.id] for it in devices
        if it.id in last and (it.last_used_at is None or it.last_used_at < last[it.id])
    }  # fmt: skip


def _month_before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def _month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
