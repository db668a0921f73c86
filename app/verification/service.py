"""One decision for every asker: is this a member today, is the benefit theirs, and if not, why."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.benefits.models import Benefit
from app.cards.service import ReadCard, read_card
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier
from app.memberships.service import FOR_LIFE, get_tier_by_id
from app.people.models import Person
from app.people.service import number_in
from app.services.models import Service
from app.services.service import subject_for
from app.verification.flags import flag_two_desks, lock_live_cards
from app.verification.judging import judge
from app.verification.models import ScanTotal, Verification

LONGEST_CREDENTIAL = 400
NONCE = re.compile(r"[ -~]{1,100}")
LOGGED = (
    "id", "service_id", "nonce", "account_id", "device_id", "person_id", "card_id", "live_window", "benefit_id",
    "tier_id", "reason", "status", "valid", "entitled", "check_identity", "valid_until", "grace_until",
    "limit_remaining", "checked_at",
)  # fmt: skip
MEMBER_NUMBER = re.compile(r"[Mm]-[0-9]{1,9}")


@dataclass(frozen=True)
class Verdict:
    """The answer to one verification. `tier` is a code; dates are last days, both included, None for life."""

    id: str
    valid: bool
    reason: str
    status: str
    tier: str | None
    tier_name: str | None
    valid_until: date | None
    grace_until: date | None
    entitled: bool
    limit_remaining: int | None
    subject: str | None
    check_identity: bool
    checked_at: datetime


def verify(
    service: Service, credential: str, benefit: Benefit | None, nonce: str | None, account_id: int | None,
    now: datetime, today: date, device_id: int | None = None,
) -> Verdict:  # fmt: skip
    """Answer one service about one credential and log it, once per nonce. Raises Refusal."""
    if not 1 <= len(credential) <= LONGEST_CREDENTIAL:
        raise Refusal("bad_credential", _("Send the text of a card's code as the credential."))
    if nonce is not None and not NONCE.fullmatch(nonce):
        raise Refusal("bad_nonce", _("A nonce has 1 to 100 characters, all of them plain ASCII."))
    read, person_id, check_identity = _read(service, credential, now, today)
    if nonce is not None and (earlier := find_by_nonce(service.id, nonce)):
        return _again(earlier, person_id, benefit)
    judged = judge(read, person_id, benefit, now, today)
    lock_live_cards([judged])
    row = Verification(
        id=new_id(), service_id=service.id, nonce=nonce, account_id=account_id, device_id=device_id,
        benefit_id=benefit.id if benefit else None, check_identity=check_identity and judged.is_valid, checked_at=now,
        **judged.columns(),
    )  # fmt: skip
    is_new = _log(row)
    if not is_new and nonce is not None:  # the same scan arrived twice at once
        return _again(get_by_nonce(service.id, nonce), person_id, benefit)
    flag_two_desks(row.id, service.id, judged)
    return verdict_of(row)


def look_at_card(digits: str, now: datetime, today: date) -> tuple[str, Tier | None, bool]:
    """For a stranger's phone: (reason, tier where valid, check_identity); nothing is logged."""
    read = read_card(digits, now, today)
    judged = judge(read, read.card.person_id if read.card else None, None, now, today)
    tier = get_tier_by_id(judged.standing.tier_id) if judged.is_valid else None
    return judged.reason, tier, not read.is_live


def find_by_nonce(service_id: int, nonce: str) -> Verification | None:
    return db.session.execute(_by_nonce(service_id, nonce)).scalar_one_or_none()


def get_by_nonce(service_id: int, nonce: str) -> Verification:
    return db.session.execute(_by_nonce(service_id, nonce)).scalar_one()


def new_id() -> str:
    return f"v_{secrets.token_urlsafe(15)}"


def last_use_of_services() -> dict[int, date]:
    """The last day each service asked, also where only totals are kept of it."""
    kept = select(ScanTotal.service_id, func.max(ScanTotal.checked_on)).group_by(ScanTotal.service_id)
    days: dict[int, date] = {row[0]: row[1] for row in db.session.execute(kept)}
    query = select(Verification.service_id, func.max(Verification.checked_at)).group_by(Verification.service_id)
    return days | {row[0]: clock.day_of(row[1]) for row in db.session.execute(query)}


def last_scan_of_person(person_id: int) -> Verification | None:
    query = select(Verification).where(Verification.person_id == person_id)
    return db.session.execute(query.order_by(Verification.checked_at.desc()).limit(1)).scalar()


def _read(service: Service, credential: str, now: datetime, today: date) -> tuple[ReadCard, int | None, bool]:
    """What the credential says, whose it is, and whether an identity check must go with it."""
    if MEMBER_NUMBER.fullmatch(credential):
        if not service.has_scope("verify:number"):
            raise Refusal("missing_scope", _("This service may not ask by member number."), 403)
        number = number_in(credential)
        person = db.session.get(Person, number) if number is not None else None
        # A number of nobody answers like that of somebody who was never a member: the register is not for asking.
        return ReadCard("ok"), person.id if person else None, True
    read = read_card(credential, now, today)
    return read, read.card.person_id if read.card else None, not read.is_live


def _log(row: Verification) -> bool:
    """Write a verification, past the mapper, which every request would pay for; False where its nonce is known."""
    connection = db.session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {name: getattr(row, name) for name in LOGGED}
    statement = dialect.insert(Verification.__table__).on_conflict_do_nothing()
    return connection.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount == 1


def _by_nonce(service_id: int, nonce: str) -> Select[Verification]:
    return select(Verification).where(Verification.service_id == service_id, Verification.nonce == nonce)


def _again(earlier: Verification, person_id: int | None, benefit: Benefit | None) -> Verdict:
    """The answer given before; a nonce does not stand for a second question."""
    if (earlier.person_id, earlier.benefit_id) != (person_id, benefit.id if benefit else None):
        raise Refusal("nonce_reused", _("This nonce belongs to another question. Send a new one."), 422)
    return verdict_of(earlier)


def _last_day(day: date | None) -> date | None:
    """None for life, which has no last day."""
    return None if day == FOR_LIFE else day


def verdict_of(row: Verification) -> Verdict:
    """What was answered, read back from the log."""
    tier = get_tier_by_id(row.tier_id) if row.tier_id else None
    return Verdict(
        id=row.id, valid=row.valid, reason=row.reason, status=row.status, tier=tier.code if tier else None,
        tier_name=tier.name if tier else None, valid_until=_last_day(row.valid_until),
        grace_until=_last_day(row.grace_until),
        entitled=row.entitled, limit_remaining=row.limit_remaining,
        subject=subject_for(row.service_id, row.person_id) if row.person_id and row.status != "none" else None,
        check_identity=row.check_identity, checked_at=row.checked_at,
    )  # fmt: skip
