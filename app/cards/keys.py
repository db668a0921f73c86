"""The keys that sign cards, and those that sign the list of cards withdrawn: never the same.

CARD_KEYS is a JSON list, one object per key:

    [{"id": 1, "private": "<32 bytes, base64url>", "first_use_on": "2026-11-23", "retired_on": null},
     {"id": 1, "use": "status", "private": "...", "first_use_on": "2026-11-23", "retired_on": null}]

A key without "use" signs cards. A key signs from `first_use_on` on, until a newer one of its use does.
It is published at once, so a key whose day has not come is known to scanners before its first card is.
From `retired_on` (optional) on it neither signs nor verifies and is no longer published.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Use = Literal["card", "status"]
_FIELDS = {"id", "use", "private", "first_use_on", "retired_on"}


class InvalidCardKeys(ValueError):
    """CARD_KEYS cannot be used. The message says which key and why, and never shows a private key."""


class NoSigningKey(Exception):
    """No key's first day of use has come, or all have retired."""


@dataclass(frozen=True, slots=True)
class CardKey:
    key_id: int
    private: Ed25519PrivateKey = field(repr=False)
    first_use_on: date
    retired_on: date | None = None
    use: Use = "card"

    @property
    def kid(self) -> str:
        return f"{self.use}-{self.key_id}"

    def is_retired(self, today: date) -> bool:
        return self.retired_on is not None and self.retired_on <= today

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)

    def public_jwk(self) -> dict[str, str]:
        x = _base64url(self.private.public_key().public_bytes_raw())
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "alg": "EdDSA", "use": "sig", "x": x}


class CardKeys:
    """All keys, by use and id."""

    def __init__(self, keys: Sequence[CardKey]) -> None:
        """InvalidCardKeys if none signs cards, two of a use share id or first day, or any two the secret."""
        self._keys = {k.kid: k for k in keys}
        if not self.of("card"):
            raise InvalidCardKeys("CARD_KEYS holds no key that signs cards")
        taken: set[str] = set()
        for k in keys:
            for what in (f"the id {k.key_id}", f"the first_use_on {k.first_use_on.isoformat()}"):
                if f"{k.use} {what}" in taken:
                    raise InvalidCardKeys(f"CARD_KEYS: two {k.use} keys have {what}")
                taken.add(f"{k.use} {what}")
        if len({k.private.private_bytes_raw() for k in keys}) < len(keys):
            raise InvalidCardKeys("CARD_KEYS: two keys are the same secret")

    @classmethod
    def load(cls, text: str) -> Self:
        """Read the text of CARD_KEYS; InvalidCardKeys names what is wrong."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise InvalidCardKeys("CARD_KEYS is not JSON") from error
        if not isinstance(document, list):
            raise InvalidCardKeys("CARD_KEYS is not a JSON list of keys")
        return cls([_read_key(item, f"CARD_KEYS, key {n}") for n, item in enumerate(document, 1)])

    def dump(self) -> str:
        """The text of CARD_KEYS. It is secret."""
        return json.dumps(
            [
                {
                    "id": k.key_id,
                    **({"use": k.use} if k.use != "card" else {}),
                    "private": _base64url(k.private.private_bytes_raw()),
                    "first_use_on": k.first_use_on.isoformat(),
                    "retired_on": k.retired_on.isoformat() if k.retired_on else None,
                }
                for k in self._keys.values()
            ],
            indent=1,
        )

    def of(self, use: Use) -> list[CardKey]:
        """The keys of one use, retired ones too, by first day of use."""
        return sorted((k for k in self._keys.values() if k.use == use), key=lambda k: k.first_use_on)

    def with_key(self, key: CardKey) -> "CardKeys":
        """These keys and a further one, or one in the place of that with its use and id."""
        return CardKeys([*(k for k in self._keys.values() if k.kid != key.kid), key])

    def next_id(self, use: Use = "card") -> int:
        """The id after the newest key's that no key has; InvalidCardKeys when all 256 are taken."""
        taken = [k.key_id for k in self.of(use)] or [0]
        for step in range(1, 256):
            key_id = (taken[-1] + step) % 256
            if key_id not in taken:
                return key_id
        raise InvalidCardKeys(f"CARD_KEYS: all 256 ids of {use} keys are taken; remove retired keys")

    def signing_key(self, today: date, use: Use = "card") -> CardKey:
        """The newest key whose first day of use has come; NoSigningKey if there is none."""
        ready = [k for k in self.of(use) if k.first_use_on <= today and not k.is_retired(today)]
        if not ready:
            raise NoSigningKey(f"no {use} key of CARD_KEYS may sign on {today.isoformat()}")
        return ready[-1]

    def knows(self, key_id: int, today: date) -> bool:
        """Whether there is a key for cards of this id that is not retired."""
        key = self._keys.get(f"card-{key_id}")
        return key is not None and not key.is_retired(today)

    def is_signed(self, key_id: int, message: bytes, signature: bytes) -> bool:
        """Whether the key for cards `key_id`, which must be known, made this signature."""
        try:
            self._keys[f"card-{key_id}"].private.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def public_jwks(self, today: date) -> dict[str, list[dict[str, str]]]:
        """The JWK set (RFC 7517, RFC 8037) of all keys that are not retired, unused ones too.

        `kid` is "card-1" or "status-1".
        """
        return {"keys": [k.public_jwk() for k in self._keys.values() if not k.is_retired(today)]}


def generate(key_id: int, first_use_on: date, use: Use = "card") -> CardKey:
    """A new key. Only the very first may be used today; a later one is published a day before its use."""
    return CardKey(key_id, Ed25519PrivateKey.generate(), first_use_on, use=use)


def complete(keys: CardKeys | None, first_use_on: date) -> CardKeys:
    """What an installation begins with, one key of each use; of `keys` those that are there stay."""
    if keys is None:
        keys = CardKeys([generate(1, first_use_on)])
    return keys if keys.of("status") else keys.with_key(generate(1, first_use_on, "status"))


def _read_key(item: object, where: str) -> CardKey:
    if not isinstance(item, dict):
        raise InvalidCardKeys(f"{where} is not an object")
    for name in item:
        if name not in _FIELDS:
            raise InvalidCardKeys(f"{where} has an unknown field {name!r}")
    key_id = item.get("id")
    if type(key_id) is not int or not 0 <= key_id <= 255:
        raise InvalidCardKeys(f"{where}: id must be a whole number from 0 to 255")
    use = item.get("use", "card")
    if use not in ("card", "status"):
        raise InvalidCardKeys(f'{where}: use is "status", or left out for a key that signs cards')
    where = f"CARD_KEYS, {use} key with id {key_id}"
    first_use_on = _read_day(item.get("first_use_on"), f"{where}: first_use_on")
    retired_on = None
    if item.get("retired_on") is not None:
        retired_on = _read_day(item["retired_on"], f"{where}: retired_on")
        if retired_on <= first_use_on:
            raise InvalidCardKeys(f"{where}: retired_on must be after first_use_on")
    private = _read_secret(item.get("private"), f"{where}: private")
    return CardKey(key_id, Ed25519PrivateKey.from_private_bytes(private), first_use_on, retired_on, use)


def _read_day(value: object, where: str) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise InvalidCardKeys(f"{where} must be a day like 2026-11-23")


def _read_secret(value: object, where: str) -> bytes:
    if isinstance(value, str):
        try:
            raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) == 32:
            return raw
    raise InvalidCardKeys(f"{where} must be 32 bytes in base64url")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
