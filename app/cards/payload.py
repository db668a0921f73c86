"""The bytes of a card's code and their one text form.

    kind<<4 | format   1 byte    kind 1 static, 2 live; format 1
    key id             1 byte
    status index       3 bytes
    card id            5 bytes
    tier               1 byte
    expiry day         2 bytes   static only: days since 2020-01-01
    window             4 bytes   live only: 30-second windows since 1970-01-01 UTC
    signature         64 bytes   Ed25519 over CONTEXT and all of the above

All numbers are big-endian. The text form is a prefix (`HTTPS://HOST/C/`) and one decimal
number, that of 0x01 followed by these bytes: upper case and digits are what a QR code holds
most tightly. A code has exactly one text form; whatever differs from it is forged.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

CONTEXT = b"carnet-card-v1\0"
FORMAT = 1
STATIC = 1
LIVE = 2
SIGNATURE_BYTES = 64
HEADER_BYTES = 11
WINDOW_SECONDS = 30
EXPIRY_EPOCH = date(2020, 1, 1)
LAST_EXPIRY = EXPIRY_EPOCH + timedelta(days=0xFFFF)

_TAIL_BYTES = {STATIC: 2, LIVE: 4}
_MARK = b"\x01"
_DIGITS = re.compile(r"[1-9][0-9]{0,199}")


class Forged(ValueError):
    """The text is not a code of ours in its one form."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a code says. A static code has `expires_on`, a live one `window`; never both.

    `status_index` is below 2**24, `card_id` below 2**40, `key_id` and `tier` below 2**8.
    """

    key_id: int
    status_index: int
    card_id: int
    tier: int
    expires_on: date | None = None
    window: int | None = None

    def __post_init__(self) -> None:
        if (self.expires_on is None) == (self.window is None):
            raise ValueError("a code has either an expiry day or a window")

    @property
    def is_live(self) -> bool:
        return self.window is not None


@dataclass(frozen=True, slots=True)
class SignedCode:
    """A code taken apart, its signature not yet verified. `body` is what was signed, without CONTEXT."""

    contents: Contents
    body: bytes
    signature: bytes


def window_at(now: datetime) -> int:
    """The number of the 30-second window in which the aware instant `now` lies."""
    return int(now.timestamp()) // WINDOW_SECONDS


def card_prefix(card_base_url: str) -> str:
    """`HTTPS://HOST/C/` of a base address; ValueError unless it is only a scheme and a host."""
    parts = urlsplit(card_base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise ValueError(f"the address of cards is a scheme and a host, not {card_base_url!r}")
    if parts.query or parts.fragment or parts.username is not None or not card_base_url.isascii():
        raise ValueError(f"the address of cards is a scheme and a host, not {card_base_url!r}")
    return f"{parts.scheme}://{parts.netloc}/C/".upper()


def encode_header(kind: int, key_id: int, status_index: int, card_id: int, tier: int) -> bytes:
    """The first 11 bytes; live codes of a card share them. OverflowError where a number does not fit."""
    return (
        bytes([kind << 4 | FORMAT])
        + key_id.to_bytes(1, "big")
        + status_index.to_bytes(3, "big")
        + card_id.to_bytes(5, "big")
        + tier.to_bytes(1, "big")
    )


def encode(contents: Contents) -> bytes:
    """The bytes to be signed, without CONTEXT. OverflowError where a number does not fit."""
    c = contents
    if c.expires_on is not None:
        kind, number = STATIC, (c.expires_on - EXPIRY_EPOCH).days
    else:
        kind, number = LIVE, c.window or 0
    header = encode_header(kind, c.key_id, c.status_index, c.card_id, c.tier)
    return header + number.to_bytes(_TAIL_BYTES[kind], "big")


def decode(body: bytes) -> Contents:
    """Read back what `encode` made; Forged if it could not have made it."""
    if len(body) <= HEADER_BYTES:
        raise Forged("too short")
    kind, form = body[0] >> 4, body[0] & 0x0F
    tail = body[HEADER_BYTES:]
    if form != FORMAT or len(tail) != _TAIL_BYTES.get(kind):
        raise Forged("unknown kind, format or length")
    number = int.from_bytes(tail, "big")
    return Contents(
        key_id=body[1],
        status_index=int.from_bytes(body[2:5], "big"),
        card_id=int.from_bytes(body[5:10], "big"),
        tier=body[10],
        expires_on=EXPIRY_EPOCH + timedelta(days=number) if kind == STATIC else None,
        window=number if kind == LIVE else None,
    )


def write_code(body: bytes, signature: bytes, card_base_url: str) -> str:
    """The text of a code: `HTTPS://HOST/C/<digits>`."""
    return card_prefix(card_base_url) + str(int.from_bytes(_MARK + body + signature, "big"))


def parse_code(text: str, card_base_url: str) -> SignedCode:
    """Take apart a scanned text, or the digits alone. Raises Forged; verifies no signature."""
    digits = text.removeprefix(card_prefix(card_base_url))
    if not _DIGITS.fullmatch(digits):
        raise Forged("not a prefix of ours and a number")
    number = int(digits)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if raw[:1] != _MARK or len(raw) <= SIGNATURE_BYTES:
        raise Forged("not the number of a code")
    body, signature = raw[1:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    return SignedCode(decode(body), body, signature)
