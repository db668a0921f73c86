"""Benefits' front door: the catalogue, and whose a benefit is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app import audit, jobs
from app.benefits.models import Benefit
from app.benefits.rules import PERIODS, WhyNot
from app.benefits.rules import why_not as _why_not
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier
from app.memberships.service import Standing

KINDS = ("campus", "partner")
LONGEST_NAME = 80
LONGEST_DESCRIPTION = 500
# What change_benefit and add_benefit take beside code and tiers: the columns of those names.
CHANGEABLE = (
    "name", "description", "kind", "in_grace", "value_cents", "cost_cents", "discount_percent", "discount_cents",
    "available_from", "available_until", "limit_count", "limit_period", "offline_ok", "by_code",
)  # fmt: skip


def add_benefit(
    code: str, name: str, tiers: Sequence[Tier], in_grace: bool, now: datetime, **facts: Any
) -> Benefit:  # fmt: skip
    """`facts` are of CHANGEABLE. Raises Refusal for a code in use, no code at all, or facts that contradict."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", code) or not name.strip():
        detail = _("%(code)s needs small letters, digits and dashes, and a name.", code=repr(code))
        raise Refusal("bad_benefit", detail)
    if find_benefit(code):
        raise Refusal("benefit_exists", _("There is a benefit %(code)s already.", code=repr(code)), 409)
    benefit = Benefit(code=code, tiers=list(dict.fromkeys(tiers)))
    _set(benefit, {"name": name, "in_grace": in_grace, **facts})
    db.session.add(benefit)
    db.session.flush()
    _tell("benefit_added", benefit, now, code=code, **_recorded(benefit))
    return benefit


def change_benefit(benefit: Benefit, now: datetime, tiers: Sequence[Tier] | None = None, **facts: Any) -> None:
    """Uses already made stay as they were. Raises Refusal for facts that contradict."""
    before = (_recorded(benefit), benefit.description)
    _set(benefit, facts)
    if tiers is not None:
        benefit.tiers = list(dict.fromkeys(tiers))
    db.session.flush()
    if (_recorded(benefit), benefit.description) != before:
        _tell("benefit_changed", benefit, now, **_recorded(benefit))


def close_benefit(benefit: Benefit, now: datetime) -> None:
    """From now on nobody has it; what was used stays. Again is nothing new."""
    if benefit.closed_at is None:
        benefit.closed_at = now
        db.session.flush()
        _tell("benefit_closed", benefit, now)


def reopen_benefit(benefit: Benefit, now: datetime) -> None:
    if benefit.closed_at is not None:
        benefit.closed_at = None
        db.session.flush()
        _tell("benefit_reopened", benefit, now)


def set_partner(benefit: Benefit, service_id: int | None, now: datetime) -> None:
    """Which service provides it; None: the association itself."""
    if benefit.partner_id != service_id:
        benefit.partner_id = service_id
        db.session.flush()
        _tell("benefit_changed", benefit, now, **_recorded(benefit))


def _tell(action: str, benefit: Benefit, now: datetime, **facts: Any) -> None:
    """Write it down, and have those told who follow what members are entitled to."""
    audit.record(action, f"benefit:{benefit.id}", now, **facts)
    jobs.enqueue("benefits_changed", now)


def find_benefit(code: str) -> Benefit | None:
    return db.session.execute(select(Benefit).where(Benefit.code == code)).scalar_one_or_none()


def get_benefit(code: str) -> Benefit:
    """Raises Refusal."""
    benefit = find_benefit(code)
    if benefit is None:
        raise Refusal("unknown_benefit", _("There is no benefit %(code)s.", code=repr(code)))
    return benefit


def list_benefits() -> list[Benefit]:
    """All that were ever offered, in the catalogue's order."""
    return list(db.session.execute(select(Benefit).options(selectinload(Benefit.tiers)).order_by(Benefit.id)).scalars())


def benefit_names(tier: Tier) -> list[str]:
    """What a tier includes, in the catalogue's order; nothing that is closed."""
    offered = [benefit for benefit in list_benefits() if benefit.closed_at is None]
    return [benefit.name for benefit in offered if tier.id in {t.id for t in benefit.tiers}]


def why_not(benefit: Benefit, standing: Standing, now: datetime, today: date) -> WhyNot | None:
    """Why somebody of this standing has no right to a benefit today; None: it is theirs. Limits aside."""
    return _why_not(benefit.rules, standing.status, standing.tier_id, now, today)


def _set(benefit: Benefit, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name not in CHANGEABLE:
            raise ValueError(f"a benefit has no {name}")
        setattr(benefit, name, value.replace("\0", "").strip() if isinstance(value, str) else value)
    _check(benefit)


def _check(it: Benefit) -> None:
    """What the table's own checks refuse, said in words."""
    wrong = [
        (not it.name or len(it.name) > LONGEST_NAME, _("A benefit has a name of at most 80 letters.")),
        (len(it.description or "") > LONGEST_DESCRIPTION, _("A description has at most 500 letters.")),
        (it.kind is not None and it.kind not in KINDS, _("A benefit is of the campus or of a partner.")),
        (
            any(cents is not None and cents <= 0 for cents in (it.value_cents, it.cost_cents, it.discount_cents)),
            _("An amount is more than nothing; leave it out where there is none."),
        ),
        (
            it.discount_percent is not None and not 1 <= it.discount_percent <= 100,
            _("A discount takes 1 to 100 percent off."),
        ),
        (
            it.discount_percent is not None and it.discount_cents is not None,
            _("A discount is a percentage or an amount, not both."),
        ),
        (
            it.available_from is not None and it.available_until is not None and it.available_until < it.available_from,
            _("The last day is not before the first."),
        ),
        (
            (it.limit_count is None) != (it.limit_period is None) or it.limit_period not in (*PERIODS, None),
            _("A limit is a number of uses per day, month or year of membership."),
        ),
        (it.limit_count is not None and not 1 <= it.limit_count <= 1000, _("A limit is 1 to 1000 uses.")),
    ]
    for is_wrong, words in wrong:
        if is_wrong:
            raise Refusal("bad_benefit", words)


def _recorded(benefit: Benefit) -> dict[str, Any]:
    """For the audit log: everything but the texts."""
    facts = {name: getattr(benefit, name) for name in CHANGEABLE if name != "description"}
    return {**facts, "partner": benefit.partner_id, "tiers": [tier.code for tier in benefit.tiers]}
