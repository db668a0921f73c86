"""Money is integer minor units with its currency beside it; text only at the edges."""

from __future__ import annotations

import re

from babel.numbers import format_currency
from flask_babel import gettext as _

from app.errors import Refusal


def parse_amount(text: str) -> int:
    """ "30.00" or "30" -> 3000. Raises Refusal for anything else (a comma, a sign, a third decimal)."""
    match = re.fullmatch(r"(\d{1,7})(?:\.(\d{2}))?", text, re.ASCII)
    if not match:
        raise Refusal("bad_amount", _("%(text)s is not an amount such as 30.00.", text=repr(text)))
    return int(match[1]) * 100 + int(match[2] or 0)


def plain_amount(cents: int) -> str:
    """3000 -> "30.00", -50 -> "-0.50": for files that machines read."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def format_money(cents: int, currency: str, locale: str) -> str:
    """What a person reads: 5000, "EUR", "en" -> "€50.00"; the minus is U+2212."""
    from decimal import Decimal  # Babel's own type for exact printing; no arithmetic is done on it

    text = str(format_currency(Decimal(abs(cents)).scaleb(-2), currency, locale=locale))
    return f"−{text}" if cents < 0 else text


def format_whole(cents: int, currency: str, locale: str) -> str:
    """For headlines: 5000 -> "€50"; cents are kept where there are any."""
    text = format_money(cents, currency, locale)
    return re.sub(r"[.,]00(?!\d)", "", text) if cents % 100 == 0 else text
