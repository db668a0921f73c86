"""Taking a scan back at the desk, within a minute and with a reason; the use that was counted goes back with it."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from app.benefits.redeeming import cancel_of_verification
from app.errors import Refusal
from app.extensions import db
from app.services.at_desk import AtDesk
from app.verification import rules
from app.verification.counting import counted_at
from app.verification.models import Verification

REASONS = ("mistake", "wrong_person", "left")


def undo_scan(who: AtDesk, nonce: str, reason: str, now: datetime) -> None:
    """Once; again is nothing new. Raises Refusal: 404 for no scan of this desk, 409 a minute after the scan, or
    after its use was counted."""
    if reason not in REASONS:
        raise Refusal("bad_undo", _("Say why: a mistake, the wrong person, or they left."))
    query = select(Verification).where(Verification.service_id == who.desk.id, Verification.nonce == nonce)
    row = db.session.execute(query.with_for_update()).scalar_one_or_none()
    if row is None:
        raise Refusal("unknown_scan", _("There is no such scan at this desk."), 404)
    if row.undone_at is not None:
        return
    if not rules.can_be_undone(counted_at([row]).get(row.id, row.checked_at), now):
        raise Refusal("too_late", _("A scan can be taken back within a minute. This one stays."), 409)
    take_back(row, now, reason, who.actor, now)


def take_back(row: Verification, at: datetime, because: str, by: str, now: datetime) -> None:
    """Write down that a scan was undone at an instant, and give back the use that followed it."""
    row.undone_at, row.undone_because, row.undone_by = at, because, by
    cancel_of_verification(row.id, now)
    db.session.flush()
