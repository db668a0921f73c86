"""May this device use the Wi-Fi now? The one decision, which the view radius.entitlement repeats in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, text

from app import clock
from app.benefits.service import find_benefit, why_not
from app.extensions import db
from app.memberships.service import FOR_LIFE, standing_of
from app.wifi import rules
from app.wifi.models import WifiCredential

BENEFIT = "wifi"  # the benefit's code; the view knows it by the same


IN_VIEW = text(
    "SELECT id, person_id, username, ssha2_256, session_timeout FROM radius.entitlement WHERE username = :name"
)


@dataclass(frozen=True)
class Entitled:
    """Yes, for `session_timeout` seconds; `ssha2_256` is what the secret is compared with."""

    credential_id: int
    person_id: int
    username: str
    ssha2_256: str
    session_timeout: int


@dataclass(frozen=True)
class Refused:
    """No: unknown_device, revoked, suspended, lapsed, none or not_entitled."""

    reason: str
    credential_id: int | None = None


def entitlement(username: str, now: datetime, today: date) -> Entitled | Refused:
    """Of a device, by the user name it sends."""
    name = rules.clean_username(username)
    if "\0" in name:
        return Refused("unknown_device")
    row = db.session.execute(
        select(
            WifiCredential.id, WifiCredential.person_id, WifiCredential.ssha2_256, WifiCredential.revoked_at
        ).where(WifiCredential.username == name)
    ).one_or_none()  # fmt: skip
    if row is None:
        return Refused("unknown_device")
    if row.revoked_at is not None:
        return Refused("revoked", row.id)
    found = entitlement_of_person(row.person_id, now, today)
    if isinstance(found, str):
        return Refused(found, row.id)
    return Entitled(row.id, row.person_id, name, row.ssha2_256, found)


def find_in_view(username: str) -> Entitled | None:
    """The same yes by one query where there is the view (PostgreSQL); None: no, or not known this way."""
    name = rules.clean_username(username)
    if db.session.get_bind().dialect.name != "postgresql" or "\0" in name:
        return None
    row = db.session.execute(IN_VIEW, {"name": name}).one_or_none()
    return Entitled(*row) if row else None


def entitlement_of_person(person_id: int, now: datetime, today: date) -> int | str:
    """How many seconds a session of theirs may last, or why there is none."""
    standing = standing_of(person_id, now, today)
    if not standing.is_valid or standing.valid_until is None or standing.grace_until is None:
        return standing.status
    benefit = find_benefit(BENEFIT)
    if benefit is None or why_not(benefit, standing, now, today) is not None:
        return "not_entitled"
    last_day = rules.last_day(standing.valid_until, standing.grace_until, benefit.in_grace, benefit.available_until)
    return rules.session_timeout(None if last_day == FOR_LIFE else clock.day_end(last_day), now)
