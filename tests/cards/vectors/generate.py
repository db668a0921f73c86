"""Writes codes.json.gz: good codes and hostile ones, each with the reason it must be given.

The Python reader and the browser's verifier are both held to this one file. Reasons follow from how a line was
made, never from asking either. From the top folder: python -m tests.cards.vectors.generate
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.cards.keys import CardKey, CardKeys, Use
from app.cards.payload import CONTEXT, LAST_EXPIRY, Contents, card_prefix, encode, window_at

FILE = Path(__file__).with_name("codes.json.gz")
BASE_URL = "https://card.example.org"
PREFIX = card_prefix(BASE_URL)
NOW = datetime(2026, 11, 23, 10, 0, 17, tzinfo=UTC)
TODAY = date(2026, 11, 23)
WINDOW = window_at(NOW)

Line = tuple[str, str, str]  # name, text, reason


def key(key_id: int, seed: int, first_use_on: date, retired_on: date | None = None, use: Use = "card") -> CardKey:
    return CardKey(key_id, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), first_use_on, retired_on, use)


CURRENT = key(1, 101, date(2026, 1, 1))
COMING = key(2, 102, date(2026, 11, 24))
OLDER = key(0, 100, date(2025, 1, 1))
LAST = key(255, 55, date(2025, 6, 1))
RETIRED = key(3, 103, date(2024, 1, 1), retired_on=TODAY)
STATUS = key(1, 111, date(2026, 1, 1), use="status")
STATUS_ALONE = key(9, 119, date(2026, 11, 24), use="status")  # there is no key 9 for cards
KEYS = CardKeys([CURRENT, COMING, OLDER, LAST, RETIRED, STATUS, STATUS_ALONE])
KNOWN = (CURRENT, COMING, OLDER, LAST)
KNOWN_IDS = {k.key_id for k in KNOWN}
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([201]) * 32)
CARD = {"card_id": 0xA1B2C3D4E5, "status_index": 0x01E240, "tier": 2}


def drawn(label: str, below: int) -> int:
    """A number that looks random and is always the same."""
    return int.from_bytes(sha256(label.encode()).digest(), "big") % below


def body_of(key_id: int = 1, expires_on: date | None = None, window: int | None = None, **other: int) -> bytes:
    if expires_on is None and window is None:
        window = WINDOW
    return encode(Contents(key_id, **{**CARD, **other}, expires_on=expires_on, window=window))


def sign(body: bytes, by: Ed25519PrivateKey = CURRENT.private) -> bytes:
    return by.sign(CONTEXT + body)


def text_of(raw: bytes) -> str:
    return PREFIX + str(int.from_bytes(raw, "big"))


def code(body: bytes, signature: bytes | None = None) -> str:
    return text_of(b"\x01" + body + (sign(body) if signature is None else signature))


def good() -> list[Line]:
    days = [TODAY + timedelta(days=n) for n in (0, 1, 29, 30, 59, 365, 396, 3650)] + [LAST_EXPIRY]
    lines = []
    for k in KNOWN:
        for n, day in enumerate(days):
            body = body_of(k.key_id, expires_on=day, tier=drawn(f"tier {n}", 255) + 1)
            lines.append((f"static by {k.kid}, good until {day}", code(body, sign(body, k.private)), "ok"))
        for offset in (-1, 0, 1):
            body = body_of(k.key_id, window=WINDOW + offset)
            lines.append((f"live by {k.kid}, window {offset:+d}", code(body, sign(body, k.private)), "ok"))
    highest = {"card_id": 2**40 - 1, "status_index": 2**24 - 1, "tier": 255}
    for name, most in highest.items():
        for value in (0, 1, most - 1, most, *(drawn(f"{name} {n}", most) for n in range(6))):
            lines.append((f"static, {name} {value}", code(body_of(expires_on=days[3], **{name: value})), "ok"))
            lines.append((f"live, {name} {value}", code(body_of(**{name: value})), "ok"))
    return lines + [(f"{name}, digits alone", text.removeprefix(PREFIX), "ok") for name, text, _ in lines]


def build() -> dict[str, Any]:
    from tests.cards.vectors import hostile

    lines = good() + hostile.lines()
    return {
        "card_base_url": BASE_URL,
        "now": NOW.isoformat(),
        "today": TODAY.isoformat(),
        "jwks": KEYS.public_jwks(TODAY),
        "vectors": [short(*line) for line in lines],
    }


def short(name: str, text: str, reason: str) -> list[str]:
    """[name, reason, text], or the number as "0x..." after the name where the text is our prefix and a number.

    In hexadecimal a line differs from its neighbour by a letter, which packs a hundred times smaller.
    """
    digits = text.removeprefix(PREFIX)
    if digits != text and digits.isascii() and digits.isdecimal() and digits == str(int(digits)):
        return [name, reason, "number", hex(int(digits))]
    return [name, reason, "text", text]


def read_shared() -> dict[str, Any]:
    """The file's content, each vector as {"name", "reason", "text"}."""
    shared: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    shared["vectors"] = [
        {"name": name, "reason": reason, "text": PREFIX + str(int(value, 16)) if form == "number" else value}
        for name, reason, form, value in shared["vectors"]
    ]
    return shared


if __name__ == "__main__":
    said = json.dumps(build(), ensure_ascii=True, separators=(",", ":")).replace("],[", "],\n[")
    FILE.write_bytes(gzip.compress(said.encode(), mtime=0))
