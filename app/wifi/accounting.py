"""Sessions, as access controllers report them: in any order, and more than once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select

from app import clock
from app.extensions import changed_rows, db, insert_once
from app.wifi import rules
from app.wifi.models import WifiCredential, WifiSession

DAYS_KEPT = 90
SILENT = timedelta(seconds=rules.LONGEST_SESSION) + timedelta(hours=1)  # after which a session cannot run any more


@dataclass(frozen=True)
class Report:
    """One Accounting-Request. `kind` is Start, Interim-Update or Stop, or Accounting-On or -Off of a controller.

    `seconds` is how long the session has run, `delay` how long the report took to reach us.
    """

    kind: str
    acct_unique_id: str
    username: str
    controller: str | None = None
    session_ref: str | None = None
    seconds: int = 0
    delay: int = 0
    octets_sent: int = 0
    octets_received: int = 0
    cause: str | None = None


def note_accounting(report: Report, now: datetime) -> None:
    """Keep what a report says; said twice or late it changes nothing. Of a device nobody knows nothing is kept."""
    at = now - timedelta(seconds=report.delay)
    if report.kind in ("Accounting-On", "Accounting-Off"):
        if report.controller:
            _end_all_of(report.controller, at)
        return
    if not report.acct_unique_id or report.kind not in ("Start", "Interim-Update", "Stop"):
        return
    name = rules.clean_username(report.username).replace("\0", "")
    credential = db.session.execute(select(WifiCredential).where(WifiCredential.username == name)).scalar_one_or_none()
    if credential is None:
        return
    insert_once(
        WifiSession, acct_unique_id=report.acct_unique_id, credential_id=credential.id, controller=report.controller,
        session_ref=report.session_ref, started_at=at - timedelta(seconds=report.seconds), updated_at=at,
        octets_sent=0, octets_received=0,
    )  # fmt: skip
    session = db.session.execute(
        select(WifiSession).where(WifiSession.acct_unique_id == report.acct_unique_id).with_for_update()
    ).scalar_one()
    if session.credential_id != credential.id:
        return
    session.octets_sent = max(session.octets_sent, report.octets_sent)
    session.octets_received = max(session.octets_received, report.octets_received)
    session.updated_at = max(session.updated_at, at)
    if report.kind == "Stop" and session.stopped_at is None:
        _end(session, at, report.cause)
    credential.last_used_at = max(credential.last_used_at or at, at)
    db.session.flush()


def end_lost_sessions(now: datetime) -> None:
    """End those of which nothing was heard for longer than a session may last, at the last word of them."""
    query = select(WifiSession).where(WifiSession.stopped_at.is_(None), WifiSession.updated_at < now - SILENT)
    for session in db.session.execute(query.with_for_update(skip_locked=True)).scalars():
        _end(session, session.updated_at, "Lost")
    db.session.flush()


def erase_old_sessions(today: date) -> int:
    """How many rows went."""
    before = clock.day_start(today - timedelta(days=DAYS_KEPT))
    return changed_rows(delete(WifiSession).where(WifiSession.stopped_at < before))


def _end_all_of(controller: str, at: datetime) -> None:
    """A controller that starts or stops has no sessions left."""
    query = select(WifiSession).where(
        WifiSession.stopped_at.is_(None), WifiSession.controller == controller, WifiSession.started_at <= at
    )
    for session in db.session.execute(query.with_for_update()).scalars():
        _end(session, at, "NAS-Reboot")
    db.session.flush()


def _end(session: WifiSession, at: datetime, cause: str | None) -> None:
    session.stopped_at = max(at, session.started_at)
    session.cause = cause
    session.controller = session.session_ref = None
