"""Scans that a desk judged by itself, without signal, and sends later: each is one row however often it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from app import clock
from app.association import get_association
from app.benefits.models import Benefit
from app.benefits.redeeming import lock_uses, redeem
from app.errors import Refusal
from app.extensions import db, insert_once
from app.services.at_desk import AtDesk
from app.verification import rules
from app.verification.flags import add_flag, flag_two_desks, lock_live_cards
from app.verification.judging import Judged, judge_as_of
from app.verification.models import Verification
from app.verification.service import LONGEST_CREDENTIAL, NONCE, get_by_nonce, new_id
from app.verification.undoing import REASONS, take_back

MOST_AT_ONCE = 100
WIDEST_SKEW_MS = 10**13  # of a clock: some 300 years
YEARS = range(2020, 2200)


@dataclass(frozen=True)
class OfflineScan:
    """As a desk sends it, read; instants are aware. `reason` is the desk's own verdict; `redeemed_at`, sent as
    "redeemed", is when it counted a use of its benefit.
    """

    nonce: str
    credential: str
    scanned_at: datetime
    reason: str
    list_issued_at: datetime | None
    clock_skew_ms: int
    undone_at: datetime | None
    undone_because: str | None
    redeemed_at: datetime | None


def take_scans(who: AtDesk, sent: Sequence[Any], now: datetime) -> dict[str, list[Any]]:
    """{"taken": [nonce], "refused": [{"nonce", "detail"}]} of one upload; what is refused stops no other."""
    scans, refused = [], []
    earliest = clock.day_end(clock.day_of(now) - timedelta(days=get_association().scan_days))
    for it in sent:
        try:
            scan = _read(it)
            if scan.scanned_at < earliest:
                raise Refusal("too_old", _("This scan is older than the days that scans are kept."))
            scans.append(scan)
        except Refusal as refusal:
            refused.append(_no(it.get("nonce") if isinstance(it, dict) else None, refusal))
    scans.sort(key=lambda scan: scan.nonce)  # two uploads of the same scans queue in one order
    judged = [judge_as_of(scan.credential, who.desk.benefit, min(scan.scanned_at, now)) for scan in scans]
    lock_live_cards(judged)
    lock_uses(*(it.person_id for scan, it in zip(scans, judged, strict=True) if scan.redeemed_at and it.person_id))
    taken = []
    for scan, answer in zip(scans, judged, strict=True):
        try:
            _take(who, scan, answer, now)
            taken.append(scan.nonce)
        except Refusal as refusal:
            refused.append(_no(scan.nonce, refusal))
    return {"taken": taken, "refused": refused}


def _take(who: AtDesk, scan: OfflineScan, judged: Judged, now: datetime) -> None:
    benefit = who.desk.benefit
    row_id = new_id()
    is_new = insert_once(
        Verification, id=row_id, service_id=who.desk.id, nonce=scan.nonce, account_id=who.account_id,
        device_id=who.device.id if who.device else None, benefit_id=benefit.id if benefit else None,
        check_identity=not judged.read.is_live and (judged.is_valid or scan.reason == "ok"),
        checked_at=min(scan.scanned_at, now), **_alone(scan, now), **judged.columns(),
    )  # fmt: skip
    row = get_by_nonce(who.desk.id, scan.nonce)
    if not is_new:
        card = judged.read.card
        if (row.person_id, row.card_id) != (judged.person_id, card.id if card else None):
            raise Refusal("nonce_reused", _("This nonce belongs to another scan."))
        if row.received_at is None:  # it had reached us with signal, but our answer did not reach the desk
            for name, value in _alone(scan, now).items():
                setattr(row, name, value)
    elif who.ended:
        add_flag(row.id, f"device_{who.ended}")
    if not rules.agrees(scan.reason, row.reason):
        add_flag(row.id, "differs")
    if rules.is_ahead(scan.scanned_at, now):
        add_flag(row.id, "future")
    flag_two_desks(row.id, who.desk.id, judged)
    if scan.undone_at is not None and row.undone_at is None:
        if rules.can_be_undone(scan.redeemed_at or scan.scanned_at, scan.undone_at):
            take_back(row, scan.undone_at, scan.undone_because or "", who.actor, now)
        else:
            add_flag(row.id, "late_undo")
    db.session.flush()
    if scan.redeemed_at is not None and row.undone_at is None:
        _count_use(row, min(scan.redeemed_at, now), now)


def _count_use(row: Verification, at: datetime, now: datetime) -> None:
    """The use that the desk gave, kept whatever we know by now."""
    if row.benefit_id is not None and row.person_id is not None:
        benefit = db.session.get_one(Benefit, row.benefit_id)
        use = redeem(
            benefit, row.person_id, row.service_id, now, clock.day_of(at), verification_id=row.id, offline_at=at
        )
        if use.over_limit:
            add_flag(row.id, "over_limit")


def _alone(scan: OfflineScan, now: datetime) -> dict[str, Any]:
    return {
        "received_at": now, "desk_reason": scan.reason, "list_issued_at": scan.list_issued_at,
        "clock_skew_ms": scan.clock_skew_ms,
    }  # fmt: skip


def _read(sent: Any) -> OfflineScan:
    """Raises Refusal."""
    it = sent if isinstance(sent, dict) else {}
    nonce, credential, skew, undone = (it.get(name) for name in ("nonce", "credential", "clock_skew_ms", "undone"))
    undone = {"at": None, "reason": None} if undone is None else undone
    if (
        not isinstance(nonce, str)
        or not NONCE.fullmatch(nonce)
        or not isinstance(credential, str)
        or not 1 <= len(credential) <= LONGEST_CREDENTIAL
        or it.get("reason") not in rules.OFFLINE
        or not isinstance(skew, int | float)
        or not abs(skew) < WIDEST_SKEW_MS
        or not isinstance(undone, dict)
        or undone.get("reason") not in (*REASONS, None)
        or (undone.get("reason") is None) != (undone.get("at") is None)
    ):
        raise unreadable()
    scanned_at = _instant(it.get("scanned_at"))
    if scanned_at is None:
        raise unreadable()
    return OfflineScan(
        nonce, credential, scanned_at, it["reason"], _instant(it.get("list_issued_at")), round(skew),
        _instant(undone.get("at")), undone.get("reason"), _instant(it.get("redeemed")),
    )  # fmt: skip


def unreadable() -> Refusal:
    return Refusal("bad_scan", _("The scanner sent something we cannot read. Reload the page."))


def _instant(text: Any) -> datetime | None:
    """An instant with its offset, "2026-11-23T10:00:00.123Z". Raises Refusal."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise unreadable() from None
    if found.tzinfo is None or found.year not in YEARS:
        raise unreadable()
    return found.astimezone(UTC)


def _no(nonce: Any, refusal: Refusal) -> dict[str, Any]:
    return {"nonce": nonce if isinstance(nonce, str) else None, "detail": refusal.detail}
