"""Reading the log: today's scans of a desk, a member's own, those to look at, and how many there were."""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import selectinload

from app import clock
from app.extensions import db
from app.verification.models import ScanTotal, Verification, VerificationFlag

MOST_OF_TODAY = 50
PAGE = 50


def scans_of_today(desk_id: int, today: date) -> tuple[list[Verification], int]:
    """The newest first, and how many there are."""
    of_today = (
        (Verification.service_id == desk_id)
        & (Verification.checked_at >= clock.day_start(today))
        & (Verification.checked_at < clock.day_end(today))
    )
    newest = select(Verification).where(of_today).options(selectinload(Verification.flags))
    rows = db.session.execute(newest.order_by(Verification.checked_at.desc(), Verification.id).limit(MOST_OF_TODAY))
    total = db.session.execute(select(func.count()).select_from(Verification).where(of_today)).scalar_one()
    return list(rows.scalars()), total


def checks_of_person(person_id: int, page: int) -> tuple[list[Verification], bool]:
    """Where and when somebody's card was checked, a page of it, the newest first; whether there is another page."""
    query = select(Verification).where(Verification.person_id == person_id).options(selectinload(Verification.service))
    return _page(query, page)


def flagged_scans(page: int) -> tuple[list[Verification], bool]:
    """Those to look at, the newest first; whether there is another page."""
    flagged = select(VerificationFlag.verification_id)
    query = select(Verification).where(Verification.id.in_(flagged)).options(
        selectinload(Verification.flags), selectinload(Verification.service), selectinload(Verification.device)
    )  # fmt: skip
    return _page(query, page)


def count_flagged() -> dict[int, int]:
    """By desk."""
    flagged = select(VerificationFlag.verification_id)
    query = select(Verification.service_id, func.count()).where(Verification.id.in_(flagged))
    return {row[0]: row[1] for row in db.session.execute(query.group_by(Verification.service_id))}


def totals_of_desk(desk_id: int, since: date) -> dict[date, Counter[str]]:
    """How many scans had which answer on each day from `since` on; those undone do not count."""
    days: dict[date, Counter[str]] = {}
    erased = select(ScanTotal).where(ScanTotal.service_id == desk_id, ScanTotal.checked_on >= since)
    for total in db.session.execute(erased).scalars():
        days.setdefault(total.checked_on, Counter())[total.reason] += total.count
    kept = select(Verification.checked_at, Verification.desk_reason, Verification.reason).where(
        Verification.service_id == desk_id, Verification.checked_at >= clock.day_start(since),
        Verification.undone_at.is_(None),
    )  # fmt: skip
    for checked_at, desk_reason, reason in db.session.execute(kept):
        days.setdefault(clock.day_of(checked_at), Counter())[desk_reason or reason] += 1
    return days


def _page(query: Select[Verification], page: int) -> tuple[list[Verification], bool]:
    newest = query.order_by(Verification.checked_at.desc(), Verification.id)
    rows = list(db.session.execute(newest.offset(page * PAGE).limit(PAGE + 1)).scalars())
    return rows[:PAGE], len(rows) > PAGE
