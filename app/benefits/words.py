"""A benefit's limit, what is left of it and what it takes off a price, in words."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.benefits.models import Benefit
from app.formats import format_money


def how_often(benefit: Benefit) -> str | None:
    """ "10 times a month"; None without a limit."""
    n = benefit.limit_count
    if n is None:
        return None
    return {
        "day": ngettext("once a day", "%(num)s times a day", n),
        "month": ngettext("once a month", "%(num)s times a month", n),
        "term": ngettext("once a year of membership", "%(num)s times a year of membership", n),
    }[benefit.limit_period or "term"]


def left_words(benefit: Benefit, left: int) -> str:
    """ "7 of 10 left this month" """
    facts = {"left": left, "limit": benefit.limit_count}
    return {
        "day": _("%(left)s of %(limit)s left today", **facts),
        "month": _("%(left)s of %(limit)s left this month", **facts),
        "term": _("%(left)s of %(limit)s left this year", **facts),
    }[benefit.limit_period or "term"]


def takes_off_words(benefit: Benefit) -> str | None:
    """ "−20 %" or "−€60.00"; None for no discount."""
    if benefit.discount_percent is not None:
        return _("−%(percent)s\u00a0%%", percent=benefit.discount_percent)
    if benefit.discount_cents is not None:
        return format_money(-benefit.discount_cents, benefit.currency)
    return None
