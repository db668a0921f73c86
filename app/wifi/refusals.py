"""Which sign-ins were refused and why, for the member who asks and for the association's counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import delete, select

from app import clock
from app.extensions import changed_rows, db
from app.wifi.entitling import Refused, entitlement
from app.wifi.models import WifiRefusal

DAYS_KEPT = 30
ONE_EVERY = timedelta(minutes=1)


def note_refusal(username: str, now: datetime, today: date) -> str:
    """Write down that FreeRADIUS refused a device; answers why: our own reason, or wrong_secret where we have none."""
    found = entitlement(username, now, today)
    refused = found if isinstance(found, Refused) else Refused("wrong_secret", found.credential_id)
    lately = select(WifiRefusal.id).where(
        WifiRefusal.at > now - ONE_EVERY, WifiRefusal.at <= now, WifiRefusal.reason == refused.reason,
        WifiRefusal.credential_id.is_not_distinct_from(refused.credential_id),
    )  # fmt: skip
    if db.session.execute(lately.limit(1)).first() is None:
        db.session.add(WifiRefusal(credential_id=refused.credential_id, reason=refused.reason, at=now))
        db.session.flush()
    return refused.reason


def erase_old_refusals(today: date) -> int:
    """How many rows went."""
    before = clock.day_start(today - timedelta(days=DAYS_KEPT))
    return changed_rows(delete(WifiRefusal).where(WifiRefusal.at < before))
