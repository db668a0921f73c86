"""Why a benefit is refused, in the words of whoever reads it: the member, a desk or a shop."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.benefits.models import Benefit
from app.benefits.rules import DAY, OF_THE_BENEFIT, Period, WhyNot
from app.errors import Refusal
from app.formats import day_short
from app.memberships.service import Standing, get_tier_by_id


def not_theirs(why: WhyNot, benefit: Benefit, standing: Standing) -> Refusal:
    """benefit_not_now where nobody has it now, else not_entitled."""
    code = "benefit_not_now" if why in OF_THE_BENEFIT else "not_entitled"
    return Refusal(code, why_not_words(why, benefit, standing), 409)


def why_not_words(why: WhyNot, benefit: Benefit, standing: Standing) -> str:
    """One sentence that says what would change it."""
    name = benefit.name
    if why == "lapsed" and standing.valid_until is not None:
        return _("The membership ended on %(day)s. It can be renewed.", day=day_short(standing.valid_until))
    if why == "other_tier" and standing.tier_id is not None:
        tier = get_tier_by_id(standing.tier_id).name
        return _("%(benefit)s does not go with the tier %(tier)s.", benefit=name, tier=tier)
    if why == "not_yet" and benefit.available_from is not None:
        return _("%(benefit)s begins on %(day)s.", benefit=name, day=day_short(benefit.available_from))
    if why == "over" and benefit.available_until is not None:
        return _("%(benefit)s ended on %(day)s.", benefit=name, day=day_short(benefit.available_until))
    return {
        "none": _("There is no membership. One can be bought online."),
        "lapsed": _("The membership has ended. It can be renewed."),
        "suspended": _("The membership is on hold. Ask the association."),
        "closed": _("%(benefit)s is no longer offered.", benefit=name),
        "not_yet": _("%(benefit)s has not begun.", benefit=name),
        "over": _("%(benefit)s has ended.", benefit=name),
        "other_tier": _("%(benefit)s does not go with this membership.", benefit=name),
        "not_in_grace": _("%(benefit)s is not given in the days of grace. Renew to use it.", benefit=name),
    }[why]


def limit_reached(benefit: Benefit, period: Period) -> Refusal:
    return Refusal("limit_reached", limit_words(benefit, period), 409)


def limit_words(benefit: Benefit, period: Period) -> str:
    """How many there were, and when there are more."""
    used = {
        "day": ngettext(
            "The %(num)d use a day is used up.", "All %(num)d uses a day are used up.", benefit.limit_count or 0
        ),
        "month": ngettext(
            "The %(num)d use a month is used up.", "All %(num)d uses a month are used up.", benefit.limit_count or 0
        ),
        "term": ngettext(
            "The %(num)d use a year of membership is used up.", "All %(num)d uses a year of membership are used up.",
            benefit.limit_count or 0,
        ),
    }[benefit.limit_period or "term"]  # fmt: skip
    if period.last is None:
        return used
    again = day_short(period.last + DAY)
    if benefit.limit_period == "term":
        more = _("A new year of membership can begin on %(day)s.", day=again)
    else:
        more = _("There are more from %(day)s on.", day=again)
    return f"{used} {more}"
