"""Using a benefit: reserve, confirm, cancel, or all in one at a desk. A use counts once, whoever asks how often."""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app import audit
from app.benefits.limits import counting_uses, expire, limit_remaining, locked, note, period_today
from app.benefits.models import Benefit, BenefitCode, Redemption
from app.benefits.refusing import limit_reached, not_theirs
from app.benefits.rules import free_place, takes_off
from app.benefits.service import why_not
from app.benefits.uses import brought, redemptions_of
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import standing_of
from app.people.models import Person

__all__ = ["brought", "limit_remaining", "period_today", "redemptions_of"]

# A shop takes a course back for as long as the law lets its buyer withdraw (Directive 2011/83/EU, article 9).
CANCEL_WITHIN = timedelta(days=14)
REFERENCE = re.compile(r"[ -~]{1,100}")
DEAREST = 10**8  # cents


def reserve(
    benefit: Benefit, person_id: int, service_id: int | None, now: datetime, today: date, *, minutes: int = 15,
    reference: str | None = None, price_cents: int | None = None, verification_id: str | None = None,
    code: BenefitCode | None = None,
) -> Redemption:  # fmt: skip
    """Hold one use for some minutes; not confirmed by then, it is given back by itself.

    With the price of what is bought, the use is worth what the benefit takes off it. Raises Refusal: not_entitled,
    limit_reached, benefit_not_now.
    """
    until = now + timedelta(minutes=minutes)
    return _use(
        benefit, person_id, service_id, now, today, price_cents, state="reserved", reserved_until=until,
        verification_id=verification_id, code_id=code.id if code else None, reference=reference,
    )  # fmt: skip


def redeem(
    benefit: Benefit, person_id: int, service_id: int | None, now: datetime, today: date, *, verification_id: str,
    offline_at: datetime | None = None,
) -> Redemption:  # fmt: skip
    """One use at a desk, confirmed at once, after the verification of this id, and once for it.

    `offline_at`: when it was given without signal, with `today` the day of that. It is kept then whatever we know
    by now, beyond the limit marked `over_limit`, and one taken back since is no error. Raises Refusal as `reserve`,
    and `redemption_cancelled` for one that was taken back.
    """
    lock_uses(person_id)
    earlier = _find_of_verification(verification_id)
    if earlier is None:
        return _use(
            benefit, person_id, service_id, now, today, None, state="confirmed", confirmed_at=now,
            verification_id=verification_id, created_at=offline_at or now, is_offline=offline_at is not None,
        )  # fmt: skip
    if (earlier.benefit_id, earlier.person_id, earlier.service_id) != (benefit.id, person_id, service_id):
        raise Refusal("verification_used", _("This scan was counted for something else. Scan again."), 409)
    if earlier.state == "cancelled" and offline_at is None:
        raise Refusal("redemption_cancelled", _("This use was taken back. Scan again to count one."), 409)
    return earlier


def confirm(redemption_id: str, service_id: int | None, now: datetime) -> Redemption:
    """The reserved use was made. Again is nothing new. Raises Refusal: 404 unknown, 409 cancelled, 410 expired."""
    it = get_redemption(redemption_id, service_id, for_update=True)
    state = it.state_at(now)
    if state == "expired":
        detail = _("The reservation was not confirmed in time and its use given back. Reserve again.")
        raise Refusal("redemption_expired", detail, 410)
    if state == "cancelled":
        raise Refusal("redemption_cancelled", _("This use was cancelled. Reserve again."), 409)
    if state == "reserved":
        it.state, it.confirmed_at = "confirmed", now
        db.session.flush()
        note("redemption_confirmed", it, now)
    return it


def cancel(redemption_id: str, service_id: int | None, now: datetime) -> Redemption:
    """Give a use back: a reserved one, or one confirmed in the last 14 days. Again is nothing new.

    A reservation whose time is over stays expired. Raises Refusal: 404 unknown, 409 too late.
    """
    return _cancel(get_redemption(redemption_id, service_id, for_update=True), now)


def cancel_of_verification(verification_id: str, now: datetime) -> Redemption | None:
    """Give back the use that followed a scan, when that is taken back; None where none did."""
    it = _find_of_verification(verification_id)
    return _cancel(it, now) if it is not None else None


def get_redemption(redemption_id: str, service_id: int | None, for_update: bool = False) -> Redemption:
    """One of this service's own. Raises Refusal 404, whoever else's it may be."""
    query = select(Redemption).where(Redemption.id == redemption_id)
    it = db.session.execute(locked(query) if for_update else query).scalar_one_or_none()
    if it is None or it.service_id != service_id:
        raise Refusal("unknown_redemption", _("There is no such use of yours."), 404)
    return it


def expire_reservations(now: datetime) -> int:
    """Write down which reservations ran out; they had given their use back by themselves. Answers how many."""
    query = select(Redemption).where(Redemption.state == "reserved", Redemption.reserved_until <= now)
    over = list(db.session.execute(locked(query.order_by(Redemption.id))).scalars())
    expire(over, now)
    return len(over)


def use_of_code(code_id: int, now: datetime) -> Redemption | None:
    """The use that a code stands behind now, if any; one whose time ran out is written down as such."""
    query = select(Redemption).where(
        Redemption.code_id == code_id, Redemption.state.in_(("reserved", "confirmed"))
    )  # fmt: skip
    it: Redemption | None = db.session.execute(locked(query)).scalar_one_or_none()
    if it is not None and it.state_at(now) == "expired":
        expire([it], now)
        return None
    return it


def lock_uses(*person_ids: int) -> None:
    """One at a time where uses of these people are about to be counted; they may be named by others meanwhile."""
    people = select(Person.id).where(Person.id.in_(person_ids)).order_by(Person.id)
    db.session.execute(people.with_for_update(key_share=True))


def _use(
    benefit: Benefit, person_id: int, service_id: int | None, now: datetime, today: date, price_cents: int | None,
    is_offline: bool = False, **facts: Any,
) -> Redemption:  # fmt: skip
    lock_uses(person_id)
    if not is_offline:
        standing = standing_of(person_id, now, today)
        if (why := why_not(benefit, standing, now, today)) is not None:
            raise not_theirs(why, benefit, standing)
    it = Redemption(
        id=f"r_{secrets.token_urlsafe(15)}", benefit_id=benefit.id, person_id=person_id, service_id=service_id,
        by=audit.current_actor(), value_cents=_worth(benefit, price_cents), cost_cents=benefit.cost_cents,
        currency=benefit.currency, is_offline=is_offline, over_limit=False, **{"created_at": now, **facts},
    )  # fmt: skip
    period = period_today(benefit, person_id, today)
    if period is not None and benefit.limit_count is not None:
        taken = [other.n for other in counting_uses(benefit, person_id, period, now)]
        is_over = len(taken) >= benefit.limit_count
        if is_over and not is_offline:
            raise limit_reached(benefit, period)
        it.period_key, it.limit_count, it.over_limit = period.key, benefit.limit_count, is_over
        it.n = None if is_over else free_place(benefit.limit_count, taken)
    db.session.add(it)
    db.session.flush()
    note(f"redemption_{it.state}", it, now)
    return it


def _cancel(it: Redemption, now: datetime) -> Redemption:
    state = it.state_at(now)
    if state == "confirmed" and it.confirmed_at is not None and now > it.confirmed_at + CANCEL_WITHIN:
        raise Refusal("too_late", _("A use can be cancelled within 14 days. This one stays."), 409)
    if state in ("reserved", "confirmed"):
        it.state, it.n, it.cancelled_at = "cancelled", None, now
        db.session.flush()
        note("redemption_cancelled", it, now)
    elif it.state == "reserved":
        expire([it], now)
    return it


def _worth(benefit: Benefit, price_cents: int | None) -> int | None:
    if not benefit.has_discount:
        return benefit.value_cents
    if price_cents is None:
        return benefit.discount_cents or benefit.value_cents
    return takes_off(price_cents, benefit.discount_percent, benefit.discount_cents)


def _find_of_verification(verification_id: str) -> Redemption | None:
    query = select(Redemption).where(Redemption.verification_id == verification_id)
    found: Redemption | None = db.session.execute(locked(query)).scalar_one_or_none()
    return found
