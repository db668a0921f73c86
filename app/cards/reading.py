"""Judging a code by itself: its form, signature and dates. What the register says comes after."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from app.cards.keys import CardKeys
from app.cards.payload import CONTEXT, Contents, Forged, parse_code, window_at

CodeReason = Literal["forged", "unknown_card", "stale_code", "expired_card", "ok"]


@dataclass(frozen=True, slots=True)
class Reading:
    """`contents` is what the code says once its signature is verified; None when forged or unknown."""

    reason: CodeReason
    contents: Contents | None


def read_code(text: str, card_base_url: str, keys: CardKeys, now: datetime, today: date) -> Reading:
    """Judge a scanned text (or its digits alone); the first reason of the membership rules that applies.

    forged: not in the one form of our codes, or not signed by the key it names.
    unknown_card: names a key we do not have. stale_code: live, and more than one window away from `now`.
    expired_card: static, and `today` (the association's day) is after its expiry day.
    """
    try:
        code = parse_code(text, card_base_url)
    except Forged:
        return Reading("forged", None)
    contents = code.contents
    if not keys.knows(contents.key_id, today):
        return Reading("unknown_card", None)
    if not keys.is_signed(contents.key_id, CONTEXT + code.body, code.signature):
        return Reading("forged", None)
    if contents.window is not None and abs(contents.window - window_at(now)) > 1:
        return Reading("stale_code", contents)
    if contents.expires_on is not None and contents.expires_on < today:
        return Reading("expired_card", contents)
    return Reading("ok", contents)
