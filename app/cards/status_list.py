"""The list of cards withdrawn, in the form of the IETF Token Status List: a signed JWT, one bit a card.

A set bit says that the card's codes count no longer although their dates are still good. A list names the hour it
was made in, so that in one hour the same facts give the same bytes.
"""

import base64
import json
import zlib
from collections.abc import Iterable
from datetime import datetime

from app.cards.keys import CardKey

MEDIA_TYPE = "application/statuslist+jwt"
SMALLEST = 131_072  # places; 16 KB of bits
ASK_AGAIN = 300  # seconds after which a scanner asks for the list again
HOUR = 3600
LIFETIME = 24 * HOUR


def list_size(cards: int, highest: int = -1) -> int:
    """How many places a list has for so many cards ever issued: a power of two, at most half of it used.

    `highest` is the largest index in use. A random place is then free at the second try on average, and where a
    card stands says nothing of how many there are.
    """
    size = SMALLEST
    while size < 2 * cards or size <= highest:
        size *= 2
    return size


def pack(size: int, indices: Iterable[int]) -> bytes:
    """The list's bits in zlib: index i is bit i % 8, from the lowest, of byte i // 8."""
    bits = bytearray(size // 8)
    for index in indices:
        bits[index // 8] |= 1 << index % 8
    # Few bits in long runs of nothing: run lengths alone pack as tightly as the full search, a hundred times faster.
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return packer.compress(bytes(bits)) + packer.flush()


def sign_list(key: CardKey, url: str, size: int, indices: Iterable[int], now: datetime) -> bytes:
    """The signed list as served at `url`. `key` is a status key."""
    issued_at = int(now.timestamp()) // HOUR * HOUR
    claims = {
        "sub": url,
        "iat": issued_at,
        "exp": issued_at + LIFETIME,
        "ttl": ASK_AGAIN,
        "status_list": {"bits": 1, "lst": _base64url(pack(size, indices)).decode("ascii")},
    }
    # By hand, for joserfc warns at each one that EdDSA has a newer name, which few readers know yet.
    header = {"typ": "statuslist+jwt", "alg": "EdDSA", "kid": key.kid}
    said = b".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return said + b"." + _base64url(key.sign(said))


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
