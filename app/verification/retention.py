"""After some days nobody can see any more whose card was checked where: the rows go, totals stay."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from sqlalchemy import delete, select, update

from app import clock
from app.association import get_association
from app.extensions import changed_rows, db, insert_once
from app.verification.models import ScanTotal, Verification, VerificationFlag


def erase_details(today: date) -> int:
    """Erase what is `scan_days` old or older, keeping how many scans each desk had by day and answer.

    Answers how many rows went. Counts only what it takes away itself, so that twice, or two at once, is once.
    """
    is_old = Verification.checked_at < clock.day_end(today - timedelta(days=get_association().scan_days))
    old = select(Verification.id).where(is_old)
    db.session.execute(delete(VerificationFlag).where(VerificationFlag.verification_id.in_(old)))
    gone = db.session.execute(
        delete(Verification).where(is_old).returning(
            Verification.service_id, Verification.checked_at, Verification.desk_reason, Verification.reason,
            Verification.undone_at,
        )
    ).all()  # fmt: skip
    totals = Counter(
        (service_id, clock.day_of(checked_at), desk_reason or reason)
        for service_id, checked_at, desk_reason, reason, undone_at in gone
        if undone_at is None
    )
    for (service_id, day, reason), count in sorted(totals.items()):
        if not insert_once(ScanTotal, service_id=service_id, checked_on=day, reason=reason, count=count):
            this = (ScanTotal.service_id == service_id, ScanTotal.checked_on == day, ScanTotal.reason == reason)
            changed_rows(update(ScanTotal).where(*this).values(count=ScanTotal.count + count))
    return len(gone)
