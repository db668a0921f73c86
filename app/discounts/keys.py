"""The keys that sign ID tokens: apart from those of cards, under an address of their own.

OIDC_KEYS is a JSON list, one object per key, the private key as a JWK:

    [{"kid": "openid-1", "first_use_on": "2026-11-23", "jwk": {"kty": "RSA", ...}}]

RS256, since every OpenID program must be able to check it. A key signs from `first_use_on` on, until a newer one does;
it is published at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

from flask import current_app
from flask_babel import gettext as _
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from app.errors import Refusal
from config import FIRST_KEY_ON, kept_secret

BITS = 2048
AHEAD = timedelta(days=2)  # published a whole day before its first use


class InvalidOpenIdKeys(ValueError):
    """OIDC_KEYS cannot be used. The message never shows a private key."""


@dataclass(frozen=True)
class OpenIdKey:
    kid: str
    first_use_on: date
    private: RSAKey = field(repr=False)

    def public_jwk(self) -> dict[str, Any]:
        return {**self.private.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": "RS256"}


class OpenIdKeys:
    """All keys, by first day of use."""

    def __init__(self, keys: Sequence[OpenIdKey]) -> None:
        if not keys or len({key.kid for key in keys}) < len(keys):
            raise InvalidOpenIdKeys("OIDC_KEYS holds no key, or two of one name")
        self.all = sorted(keys, key=lambda key: key.first_use_on)

    @classmethod
    def first(cls) -> Self:
        return cls([generate(1, FIRST_KEY_ON)])

    @classmethod
    def load(cls, text: str) -> Self:
        """Raises InvalidOpenIdKeys."""
        try:
            items = [(it["kid"], date.fromisoformat(it["first_use_on"]), it["jwk"]) for it in json.loads(text)]
            keys = [OpenIdKey(kid, day, RSAKey.import_key(jwk)) for kid, day, jwk in items]
        except (ValueError, TypeError, KeyError, JoseError):
            raise InvalidOpenIdKeys("OIDC_KEYS is no list of keys as python -m app.discounts makes it") from None
        for key in keys:
            if not re.fullmatch(r"openid-[0-9]{1,6}", str(key.kid)) or not key.private.is_private:
                raise InvalidOpenIdKeys("OIDC_KEYS: each key needs a name such as openid-1 and its private part")
        return cls(keys)

    def dump(self) -> str:
        """The text of OIDC_KEYS. It is secret."""
        return json.dumps(
            [
                {"kid": key.kid, "first_use_on": key.first_use_on.isoformat(), "jwk": key.private.as_dict(private=True)}
                for key in self.all
            ]
        )

    def signing_key(self, today: date) -> OpenIdKey:
        """The newest whose first day of use has come; the oldest where none has, as on a clock moved back."""
        ready = [key for key in self.all if key.first_use_on <= today]
        return (ready or self.all[:1])[-1]

    def rotated(self, today: date) -> OpenIdKeys:
        """A key more, unless one waits already; those go that signed nothing since yesterday."""
        signing = self.signing_key(today)
        goes = [key for key in self.all if key.first_use_on < signing.first_use_on < today]
        kept = [key for key in self.all if key not in goes]
        if self.all[-1].first_use_on > today:
            return OpenIdKeys(kept)
        number = max(int(key.kid.rpartition("-")[2]) for key in self.all) + 1
        return OpenIdKeys([*kept, generate(number, today + AHEAD)])

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        return {"keys": [key.public_jwk() for key in self.all]}


def generate(number: int, first_use_on: date) -> OpenIdKey:
    return OpenIdKey(f"openid-{number}", first_use_on, RSAKey.generate_key(BITS))


def openid_keys() -> OpenIdKeys:
    """Those of this installation, read on first use. Raises Refusal where none are set."""
    held: OpenIdKeys | None = current_app.extensions.get("openid_keys")
    if held is None:
        text, path = current_app.config["OIDC_KEYS"], current_app.config["OIDC_KEYS_PATH"]
        if not text and isinstance(path, Path) and not current_app.config["PRODUCTION"]:
            text = kept_secret(path, lambda: OpenIdKeys.first().dump())
        if not text:
            detail = _("Signing in elsewhere with a membership is not set up here.")
            raise Refusal("openid_not_set_up", detail, 503)
        held = current_app.extensions["openid_keys"] = OpenIdKeys.load(text)
    return held
