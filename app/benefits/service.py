"""Benefits' front door."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.benefits.models import Benefit
from app.benefits.rules import is_entitled
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier

__all__ = ["is_entitled"]


def add_benefit(code: str, name: str, tiers: Sequence[Tier], in_grace: bool) -> Benefit:
    """Raises Refusal for a code in use or no code at all."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", code) or not name.strip():
        detail = _("%(code)s needs small letters, digits and dashes, and a name.", code=repr(code))
        raise Refusal("bad_benefit", detail)
    if find_benefit(code):
        raise Refusal("benefit_exists", _("There is a benefit %(code)s already.", code=repr(code)), 409)
    benefit = Benefit(code=code, name=name.strip(), in_grace=in_grace, tiers=list(dict.fromkeys(tiers)))
    db.session.add(benefit)
    db.session.flush()
    return benefit


def find_benefit(code: str) -> Benefit | None:
    return db.session.execute(select(Benefit).where(Benefit.code == code)).scalar_one_or_none()


def get_benefit(code: str) -> Benefit:
    """Raises Refusal."""
    benefit = find_benefit(code)
    if benefit is None:
        raise Refusal("unknown_benefit", _("There is no benefit %(code)s.", code=repr(code)))
    return benefit


def list_benefits() -> list[Benefit]:
    return list(db.session.execute(select(Benefit).options(selectinload(Benefit.tiers)).order_by(Benefit.id)).scalars())


def benefit_names(tier: Tier) -> list[str]:
    """What a tier includes, in the catalogue's order."""
    return [benefit.name for benefit in list_benefits() if tier.id in {t.id for t in benefit.tiers}]
