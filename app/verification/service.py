"""One decision for every asker: is this a member today, is the benefit theirs, and if not, why."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from app.benefits.models import Benefit
from app.benefits.service import is_entitled
from app.cards.service import ReadCard, read_card
from app.errors import Refusal
from app.extensions import db, insert_once
from app.memberships.models import Tier
from app.memberships.service import NEVER, Standing, get_tier_by_id, standing_of
from app.people.models import Person
from app.people.service import number_in
from app.services.models import Service
from app.services.service import subject_for
from app.verification import rules
from app.verification.models import Verification

LONGEST_CREDENTIAL = 400
NONCE = re.compile(r"[ -~]{1,100}")
MEMBER_NUMBER = re.compile(r"[Mm]-[0-9]{1,9}")


@dataclass(frozen=True)
class Verdict:
    """The answer to one verification. `tier` is a code; dates are last days, both included."""

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


@dataclass(frozen=True)
class _Judged:
    reason: str
    standing: Standing
    is_entitled: bool

    @property
    def is_valid(self) -> bool:
        return self.reason in rules.VALID


def verify(
    service: Service, credential: str, benefit: Benefit | None, nonce: str | None, account_id: int | None,
    now: datetime, today: date,
) -> Verdict:  # fmt: skip
    """Answer one service about one credential and log it, once per nonce. Raises Refusal."""
    if not 1 <= len(credential) <= LONGEST_CREDENTIAL:
        raise Refusal("bad_credential", _("Send the text of a card's code as the credential."))
    if nonce is not None and not NONCE.fullmatch(nonce):
        raise Refusal("bad_nonce", _("A nonce has 1 to 100 characters, all of them plain ASCII."))
    read, person_id, check_identity = _read(service, credential, now, today)
    if nonce is not None and (earlier := db.session.execute(_by_nonce(service.id, nonce)).scalar_one_or_none()):
        return _again(earlier, person_id, benefit)
    judged = _judge(read.reason, person_id, benefit, now, today)
    row_id = f"v_{secrets.token_urlsafe(15)}"
    is_new = insert_once(
        Verification, id=row_id, service_id=service.id, nonce=nonce, account_id=account_id, person_id=person_id,
        card_id=read.card.id if read.card else None, benefit_id=benefit.id if benefit else None,
        tier_id=judged.standing.tier_id, reason=judged.reason, status=judged.standing.status, valid=judged.is_valid,
        entitled=judged.is_entitled and judged.is_valid, check_identity=check_identity and judged.is_valid,
        valid_until=judged.standing.valid_until, grace_until=judged.standing.grace_until, checked_at=now,
    )  # fmt: skip
    if not is_new and nonce is not None:  # the same scan arrived twice at once
        return _again(db.session.execute(_by_nonce(service.id, nonce)).scalar_one(), person_id, benefit)
    return _verdict(db.session.get_one(Verification, row_id))


def look_at_card(digits: str, now: datetime, today: date) -> tuple[str, Tier | None, bool]:
    """For a stranger's phone: (reason, tier where valid, check_identity); nothing is logged."""
    read = read_card(digits, now, today)
    judged = _judge(read.reason, read.card.person_id if read.card else None, None, now, today)
    tier = get_tier_by_id(judged.standing.tier_id) if judged.is_valid else None
    return judged.reason, tier, not read.is_live


def last_use_of_services() -> dict[int, datetime]:
    query = select(Verification.service_id, func.max(Verification.checked_at)).group_by(Verification.service_id)
    return {row[0]: row[1] for row in db.session.execute(query)}


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


def _judge(code_reason: str, person_id: int | None, benefit: Benefit | None, now: datetime, today: date) -> _Judged:
    standing = standing_of(person_id, now, today) if person_id is not None else NEVER
    entitled = standing.is_valid
    if benefit is not None:
        tiers = [tier.id for tier in benefit.tiers]
        entitled = is_entitled(standing.status, standing.tier_id, tiers, benefit.in_grace)
    return _Judged(rules.decide(code_reason, standing.status, entitled), standing, entitled)


def _by_nonce(service_id: int, nonce: str) -> Select[Verification]:
    return select(Verification).where(Verification.service_id == service_id, Verification.nonce == nonce)


def _again(earlier: Verification, person_id: int | None, benefit: Benefit | None) -> Verdict:
    """The answer given before; a nonce does not stand for a second question."""
    if (earlier.person_id, earlier.benefit_id) != (person_id, benefit.id if benefit else None):
        raise Refusal("nonce_reused", _("This nonce belongs to another question. Send a new one."), 422)
    return _verdict(earlier)


def _verdict(row: Verification) -> Verdict:
    tier = get_tier_by_id(row.tier_id) if row.tier_id else None
    return Verdict(
        id=row.id, valid=row.valid, reason=row.reason, status=row.status, tier=tier.code if tier else None,
        tier_name=tier.name if tier else None, valid_until=row.valid_until, grace_until=row.grace_until,
        entitled=row.entitled, limit_remaining=None,
        subject=subject_for(row.service_id, row.person_id) if row.person_id and row.status != "none" else None,
        check_identity=row.check_identity, checked_at=row.checked_at,
    )  # fmt: skip
