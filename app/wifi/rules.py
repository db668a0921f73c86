"""Secrets a person can type, and how long a session may last."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike; small only, so no shift key
LONGEST_SESSION = 8 * 3600  # seconds
SHORTEST_SESSION = 60
LONGEST_LABEL = 60
SALT_BYTES = 16

Choose = Callable[[str], str]


def new_username(choose: Choose) -> str:
    """Eight letters of nobody's name."""
    return "".join(choose(LETTERS) for _ in range(8))


def new_secret(choose: Choose) -> str:
    """abcdef-ghjkmn-pqrstu: 18 letters of 31, some 89 bits; the dashes belong to it."""
    return "-".join("".join(choose(LETTERS) for _ in range(6)) for _ in range(3))


def ssha2_256(secret: str, salt: bytes) -> str:
    """What FreeRADIUS calls SSHA2-256-Password, in hexadecimal. A fast hash will do: the secret is random."""
    return (hashlib.sha256(secret.encode() + salt).digest() + salt).hex()


def clean_username(given: str) -> str:
    """As a device may send it: in capitals, or with a realm behind it."""
    return given.partition("@")[0].lower()


def clean_label(given: str) -> str | None:
    """A device's name without control characters; None when nothing or too much is left."""
    label = re.sub(r"[\x00-\x1f\x7f]+", " ", given).strip()
    return label if 1 <= len(label) <= LONGEST_LABEL else None


def session_timeout(ends_at: datetime | None, now: datetime) -> int:
    """Seconds a session may last: until the last day is over (None: never), eight hours at most, a minute at least."""
    if ends_at is None or ends_at - now >= timedelta(seconds=LONGEST_SESSION):
        return LONGEST_SESSION
    return max(SHORTEST_SESSION, (ends_at - now) // timedelta(seconds=1))


def last_day(valid_until: date, grace_until: date, in_grace: bool, available_until: date | None) -> date:
    """The last day that the benefit holds: of the membership, with its grace or without, or the benefit's own."""
    last = grace_until if in_grace else valid_until
    return last if available_until is None else min(last, available_until)
