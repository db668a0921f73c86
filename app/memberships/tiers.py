"""Tiers and their prices."""

from __future__ import annotations

import re
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier, TierPrice


def add_tier(
    code: str, name: str, fee_cents: int, now: datetime, *, months: int = 12, grace_days: int = 30,
    fixed_start: str | None = None, bonus_days: int = 0, currency: str = "EUR",
) -> Tier:  # fmt: skip
    """A new tier with its first price. Raises Refusal for values that make no tier."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", code):
        raise Refusal("bad_tier_code", f"{code!r} is not a tier code: small letters, digits and dashes.")
    if find_tier(code):
        raise Refusal("tier_exists", f"There is a tier {code!r} already.", 409)
    if not name.strip() or fee_cents <= 0:
        raise Refusal("bad_tier", "A tier needs a name and a fee above zero.")
    if not (1 <= months <= 120 and 0 <= grace_days <= 366 and 0 <= bonus_days <= 366):
        raise Refusal("bad_tier", "Months must be 1 to 120, grace and bonus days 0 to 366.")
    if fixed_start is not None and (not _is_month_day(fixed_start) or months != 12):
        raise Refusal("bad_tier", "A fixed year needs a start such as 10-01 (not 02-29) and 12 months.")
    if bonus_days and fixed_start is None:
        raise Refusal("bad_tier", "Bonus days go with --fixed-start only.")
    number = (db.session.execute(select(func.max(Tier.id))).scalar() or 0) + 1
    if number > 255:
        raise Refusal("too_many_tiers", "A card has room for 255 tiers.")
    tier = Tier(
        id=number, code=code, name=name.strip(), months=months, grace_days=grace_days, fixed_start=fixed_start,
        bonus_days=bonus_days, created_at=now,
    )  # fmt: skip
    tier.prices.append(TierPrice(fee_cents=fee_cents, currency=currency, from_on=date(2000, 1, 1)))
    db.session.add(tier)
    db.session.flush()
    audit.record("tier_added", f"tier:{tier.id}", now, code=code, fee_cents=fee_cents, currency=currency)
    return tier


def _is_month_day(text: str) -> bool:
    try:
        date.fromisoformat(f"2001-{text}")
    except ValueError:
        return False
    return True


def list_tiers() -> list[Tier]:
    return list(db.session.execute(select(Tier).order_by(Tier.id)).scalars())


def find_tier(code: str) -> Tier | None:
    return db.session.execute(select(Tier).where(Tier.code == code)).scalar_one_or_none()


def get_tier(code: str) -> Tier:
    """Raises Refusal 404 naming the tiers there are."""
    tier = find_tier(code)
    if tier is None:
        known = ", ".join(t.code for t in list_tiers()) or "none yet"
        detail = _("There is no tier %(code)s. There is: %(known)s.", code=repr(code), known=known)
        raise Refusal("unknown_tier", detail, 404)
    return tier


def get_tier_by_id(tier_id: int | None) -> Tier:
    return db.session.get_one(Tier, tier_id)


def price_on(tier: Tier, day: date) -> TierPrice:
    """The fee in force on a day."""
    return max((p for p in tier.prices if p.from_on <= day), key=lambda p: p.from_on)
