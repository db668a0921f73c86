"""Tiers and their prices."""

from __future__ import annotations

import re
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.formats import day_long
from app.memberships.models import Tier, TierPrice

VAT_CODES = ("exempt", "0", "4", "10", "21")
CODE = re.compile(r"[a-z][a-z0-9-]{0,30}")


def add_tier(
    code: str, name: str, fee_cents: int, now: datetime, *, months: int = 12, grace_days: int = 30,
    fixed_start: str | None = None, bonus_days: int = 0, currency: str = "EUR", graduated_within: int | None = None,
    needs_document: bool = False, reminders: str = "-30,-7,0,15", vat_code: str = "exempt",
) -> Tier:  # fmt: skip
    """A new tier with its first price. Raises Refusal for values that make no tier."""
    if not CODE.fullmatch(code):
        detail = _("%(code)s is not a tier code: small letters, digits and dashes.", code=repr(code))
        raise Refusal("bad_tier_code", detail)
    if find_tier(code):
        raise Refusal("tier_exists", _("There is a tier %(code)s already.", code=repr(code)), 409)
    if not name.strip() or fee_cents <= 0:
        raise Refusal("bad_tier", _("A tier needs a name and a fee above zero."))
    if not (1 <= months <= 120 and 0 <= grace_days <= 366 and 0 <= bonus_days <= 366):
        raise Refusal("bad_tier", _("Months must be 1 to 120, grace and bonus days 0 to 366."))
    if fixed_start is not None and (not _is_month_day(fixed_start) or months != 12):
        raise Refusal("bad_tier", _("A fixed year needs a start such as 10-01 (not 02-29) and 12 months."))
    if bonus_days and fixed_start is None:
        raise Refusal("bad_tier", _("Bonus days go with a fixed first day of the year only."))
    if graduated_within is not None and (needs_document or not 0 <= graduated_within <= 100):
        detail = _("A tier asks for a graduation 0 to 100 years ago or for a document, not for both.")
        raise Refusal("bad_tier", detail)
    if vat_code not in VAT_CODES:
        known = ", ".join(VAT_CODES)
        raise Refusal("bad_tier", _("%(code)s is not a VAT code: choose %(known)s.", code=repr(vat_code), known=known))
    number = (db.session.execute(select(func.max(Tier.id))).scalar() or 0) + 1
    if number > 255:
        raise Refusal("too_many_tiers", _("A card has room for 255 tiers."))
    tier = Tier(
        id=number, code=code, name=name.strip(), months=months, grace_days=grace_days, fixed_start=fixed_start,
        bonus_days=bonus_days, created_at=now, reminder_days=read_offsets(reminders), vat_code=vat_code,
        condition="document" if needs_document else "graduated_within" if graduated_within is not None else None,
        condition_years=graduated_within,
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


def read_offsets(text: str) -> str:
    """Reminders as days from a term's last day, "15,-30, 0" -> "-30,0,15"; blank is none. Raises Refusal."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(re.fullmatch(r"[-+]?\d{1,3}", word, re.ASCII) for word in words):
        detail = _("%(text)s is not a list of days such as -30,-7,0,15.", text=repr(text))
        raise Refusal("bad_reminders", detail)
    offsets = sorted({int(word) for word in words})
    if any(not -366 <= offset <= 366 for offset in offsets):
        raise Refusal("bad_reminders", _("Reminders lie from 366 days before a last day to 366 days after it."))
    return ",".join(str(offset) for offset in offsets)


def set_price(tier: Tier, fee_cents: int, from_on: date, now: datetime, today: date) -> TierPrice:
    """A new fee from a day on; offers made before keep theirs. Raises Refusal.

    The past keeps its price; one that is still to come may be set anew.
    """
    if fee_cents <= 0:
        raise Refusal("bad_amount", _("A fee is above zero."))
    if from_on < today:
        detail = _("What was paid stays paid: a fee changes from %(day)s on at the earliest.", day=day_long(today))
        raise Refusal("price_in_the_past", detail)
    price = next((it for it in tier.prices if it.from_on == from_on), None)
    if price is not None and price.fee_cents != fee_cents and from_on == today:
        detail = _("A fee is in force from %(day)s already: set the new one from tomorrow.", day=day_long(today))
        raise Refusal("price_in_force", detail, 409)
    if price is None:
        price = TierPrice(currency=price_on(tier, today).currency, from_on=from_on)
        tier.prices.append(price)
    elif price.fee_cents == fee_cents:
        return price
    price.fee_cents = fee_cents
    db.session.flush()
    audit.record("price_set", f"tier:{tier.id}", now, fee_cents=fee_cents, from_on=from_on)
    return price


def close_tier(tier: Tier, on: date, successor: Tier | None, now: datetime, today: date) -> None:
    """Sell a tier no more from a day on; who holds it renews into the successor. Raises Refusal.

    One that has closed keeps its day, but may be given a successor.
    """
    if tier.closed_on is not None and tier.closed_on <= today:
        if on != tier.closed_on:
            detail = _("%(tier)s closed on %(day)s and keeps that day.", tier=tier.name, day=day_long(tier.closed_on))
            raise Refusal("closed_already", detail, 409)
    elif on < today:
        detail = _("A tier closes from %(day)s on at the earliest.", day=day_long(today))
        raise Refusal("close_in_the_past", detail)
    after = successor
    while after is not None:
        if after.id == tier.id:
            raise Refusal("bad_successor", _("%(tier)s cannot succeed itself.", tier=tier.name))
        after = after.successor
    if successor is not None and is_closed(successor, on):
        raise Refusal("bad_successor", _("%(tier)s is closed itself by then.", tier=successor.name))
    if (tier.closed_on, tier.successor) != (on, successor):
        tier.closed_on, tier.successor = on, successor
        db.session.flush()
        audit.record("tier_closed", f"tier:{tier.id}", now, on=on, successor=successor.code if successor else None)


def list_tiers() -> list[Tier]:
    return list(db.session.execute(select(Tier).order_by(Tier.id)).scalars())


def find_tier(code: str) -> Tier | None:
    if not CODE.fullmatch(code):  # what somebody typed into an address: PostgreSQL takes no NUL
        return None
    return db.session.execute(select(Tier).where(Tier.code == code)).scalar_one_or_none()


def get_tier(code: str) -> Tier:
    """Raises Refusal 404 naming the tiers there are."""
    tier = find_tier(code)
    if tier is None:
        known = ", ".join(t.code for t in list_tiers()) or _("none yet")
        detail = _("There is no tier %(code)s. There is: %(known)s.", code=repr(code), known=known)
        raise Refusal("unknown_tier", detail, 404)
    return tier


def get_tier_by_id(tier_id: int | None) -> Tier:
    return db.session.get_one(Tier, tier_id)


def is_closed(tier: Tier, today: date) -> bool:
    """From its closing day a tier is sold no longer."""
    return tier.closed_on is not None and tier.closed_on <= today


def current_successor(tier: Tier, today: date) -> Tier | None:
    """The tier itself while it is open, else the first open one along its chain of successors."""
    current: Tier | None = tier
    while current is not None and is_closed(current, today):
        current = current.successor
    return current


def price_on(tier: Tier, day: date) -> TierPrice:
    """The fee in force on a day."""
    return max((p for p in tier.prices if p.from_on <= day), key=lambda p: p.from_on)
