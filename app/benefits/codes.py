"""Single-use codes for shops without sign-in: a member draws one, a shop redeems it, once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select

from app import audit, clock
from app.benefits import rules
from app.benefits.models import Benefit, BenefitCode, Redemption
from app.benefits.redeeming import limit_remaining, lock_uses, period_today, reserve, use_of_code
from app.benefits.refusing import limit_reached, not_theirs
from app.benefits.service import why_not
from app.errors import Refusal
from app.extensions import changed_rows, db
from app.memberships.service import Standing, standing_of

LIFE = timedelta(hours=24)
MOST_LIVE = 3  # of one member and benefit
KEPT_FOR = timedelta(days=30)  # of a code that nobody used


def draw_code(benefit: Benefit, person_id: int, now: datetime, today: date) -> str:
    """A new code, ABCD-EFGH-JKMN, which is shown this once. It lives a day, or until the benefit is theirs no longer.

    Raises Refusal: not_entitled, benefit_not_now, limit_reached, no_codes, too_many_codes.
    """
    lock_uses(person_id)
    standing = standing_of(person_id, now, today)
    if (why := why_not(benefit, standing, now, today)) is not None:
        raise not_theirs(why, benefit, standing)
    if not benefit.by_code:
        raise Refusal("no_codes", _("%(benefit)s needs no code: show your card.", benefit=benefit.name))
    period = period_today(benefit, person_id, today)
    if period is not None and limit_remaining(benefit, person_id, now, today) == 0:
        raise limit_reached(benefit, period)
    if len(live_codes(benefit, person_id, now)) >= MOST_LIVE:
        detail = _("Three codes wait to be used. Use one of them, or wait until one ends.")
        raise Refusal("too_many_codes", detail, 409)
    code = rules.with_check("".join(secrets.choice(rules.ALPHABET) for _sign in range(rules.CODE_LENGTH - 1)))
    row = BenefitCode(
        benefit_id=benefit.id, person_id=person_id, code_hash=_hash(code), last_four=code[-4:], drawn_at=now,
        expires_at=min(now + LIFE, clock.day_end(_last_day(benefit, standing, today))),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    audit.record("code_drawn", f"code:{row.id}", now, person=person_id, benefit=benefit.id)
    return rules.grouped(code)


def live_codes(benefit: Benefit, person_id: int, now: datetime) -> list[BenefitCode]:
    """Those drawn and not used yet (reserved ones are among them), the oldest first."""
    used = exists().where(Redemption.code_id == BenefitCode.id, Redemption.state == "confirmed")
    query = select(BenefitCode).where(
        BenefitCode.person_id == person_id, BenefitCode.benefit_id == benefit.id, BenefitCode.expires_at > now, ~used
    )
    return list(db.session.execute(query.order_by(BenefitCode.id)).scalars())


def reserve_code(
    text: str, benefit: Benefit, service_id: int, now: datetime, today: date, *, reference: str | None = None,
    price_cents: int | None = None,
) -> Redemption:  # fmt: skip
    """Hold the use that a code stands for, as `redeeming.reserve` does, once for a code.

    A cancelled or expired reservation leaves the code as it was. Raises Refusal: unknown_code, code_for_other,
    code_expired, code_used, and those of `reserve`.
    """
    code = rules.read_code(text)
    if code is None:
        raise Refusal("unknown_code", _("That is no code of ours: a letter or a digit is wrong."), 404)
    row = db.session.execute(select(BenefitCode).where(BenefitCode.code_hash == _hash(code))).scalar_one_or_none()
    if row is None:
        raise Refusal("unknown_code", _("There is no such code."), 404)
    if row.benefit_id != benefit.id:
        raise Refusal("code_for_other", _("This code is for another benefit."), 409)
    if now >= row.expires_at:
        raise Refusal("code_expired", _("This code has ended. The member can draw a new one."), 410)
    lock_uses(row.person_id)
    if use_of_code(row.id, now) is not None:
        raise Refusal("code_used", _("This code was used. The member can draw a new one."), 409)
    return reserve(
        benefit, row.person_id, service_id, now, today, reference=reference, price_cents=price_cents, code=row
    )


def erase_unused(now: datetime) -> int:
    """Codes that ended long ago and stand behind no use. Answers how many went."""
    named = exists().where(Redemption.code_id == BenefitCode.id)
    return changed_rows(delete(BenefitCode).where(BenefitCode.expires_at <= now - KEPT_FOR, ~named))


def _last_day(benefit: Benefit, standing: Standing, today: date) -> date:
    """The last day on which the benefit is theirs, as far as is known today."""
    member_until = standing.grace_until if benefit.in_grace else standing.valid_until
    ends = [day for day in (member_until, benefit.available_until) if day is not None]
    return min([*ends, today + LIFE + rules.DAY])


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
