"""Counting a use at a desk: one tap after the verdict, once for each scan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from app.benefits.models import Benefit, Redemption
from app.benefits.redeeming import period_today, redeem
from app.benefits.refusing import limit_words
from app.errors import Refusal
from app.extensions import db
from app.services.at_desk import AtDesk
from app.verification.models import Verification

COUNT_WITHIN = timedelta(minutes=5)  # of the scan; what is older says too little about who stands there now


def is_counted(benefit: Benefit | None) -> bool:
    """Whether desks count its uses: where it has a limit, or a use is worth something."""
    facts = (benefit.limit_count, benefit.value_cents, benefit.discount_cents) if benefit else ()
    return any(fact is not None for fact in facts)


def count_use(who: AtDesk, nonce: str, now: datetime, today: date) -> Redemption:
    """One use by whom a scan of this desk was of; again is nothing new.

    Raises Refusal: no such scan (404); taken back, too long ago, not theirs now, or used up (409).
    """
    query = select(Verification).where(Verification.service_id == who.desk.id, Verification.nonce == nonce)
    row = db.session.execute(query.with_for_update()).scalar_one_or_none()
    if row is None:
        raise Refusal("unknown_scan", _("There is no such scan at this desk."), 404)
    if row.undone_at is not None:
        raise Refusal("scan_undone", _("This scan was taken back. Scan the card again."), 409)
    benefit = who.desk.benefit
    if benefit is None or benefit.id != row.benefit_id or not row.entitled or row.person_id is None:
        raise Refusal("not_entitled", _("This scan gives no use of anything. Scan the card again."), 409)
    if now > row.checked_at + COUNT_WITHIN and row.id not in counted_at([row]):
        raise Refusal("too_late", _("This scan is some minutes old. Scan the card again."), 409)
    return redeem(benefit, row.person_id, who.desk.id, now, today, verification_id=row.id)


def left_and_used_up(
    row: Verification, benefit: Benefit, left: int | None, today: date
) -> tuple[str | None, str | None]:
    """How many uses are left, "7 of 10", and where none is, when there are more; None where there is no limit."""
    if left is None or row.person_id is None:
        return None, None
    period = period_today(benefit, row.person_id, today)
    used_up = limit_words(benefit, period) if left == 0 and period else None
    return _("%(left)s of %(limit)s", left=left, limit=benefit.limit_count), used_up


def counted_at(rows: Iterable[Verification]) -> dict[str, datetime]:
    """When the use of each of these scans was counted, by the scan's id; those given back are not in it."""
    query = select(Redemption.verification_id, Redemption.created_at).where(
        Redemption.verification_id.in_([row.id for row in rows]), Redemption.state == "confirmed"
    )
    return {verification_id: at for verification_id, at in db.session.execute(query) if verification_id}
