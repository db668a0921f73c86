"""The association's service account at Google: it signs links that save a card, and asks for leave to change one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from config import ConfigurationError

SAVE_URL = "https://pay.google.com/gp/v/save/"
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
NEEDED = ("client_email", "private_key", "private_key_id", "token_uri")


@dataclass(frozen=True)
class GoogleAccount:
    """`issuer` is the number Google's wallet console gives; the rest stands in the account's key file."""

    issuer: str
    email: str
    token_uri: str
    key_id: str
    key: RSAKey = field(repr=False)

    @classmethod
    def load(cls, issuer: str, key_file: str) -> Self:
        """Read the two settings. Raises ConfigurationError, which names the setting and shows no key."""
        if not (issuer.isascii() and issuer.isdecimal()):
            raise ConfigurationError("GOOGLE_WALLET_ISSUER is not a number, such as 3388000000012345678.")
        try:
            document = json.loads(key_file)
        except ValueError:
            raise ConfigurationError("GOOGLE_WALLET_KEY is not JSON: it is the whole key file.") from None
        if not isinstance(document, dict) or not all(isinstance(document.get(name), str) for name in NEEDED):
            raise ConfigurationError(f"GOOGLE_WALLET_KEY lacks one of {', '.join(NEEDED)}.")
        try:
            key = RSAKey.import_key(document["private_key"])
        except (ValueError, JoseError):
            raise ConfigurationError("GOOGLE_WALLET_KEY: private_key is not an RSA key in PEM.") from None
        if not key.is_private:
            raise ConfigurationError("GOOGLE_WALLET_KEY: private_key is not a private key.")
        return cls(issuer, document["client_email"], document["token_uri"], document["private_key_id"], key)

    def object_id(self, serial: str) -> str:
        return f"{self.issuer}.{serial}"

    @property
    def class_id(self) -> str:
        return f"{self.issuer}.membership"

    def save_link(self, serial: str, origin: str, now: datetime) -> str:
        """Where a member saves the card that Google already has: short, so that no browser cuts it."""
        pass_ = {"id": self.object_id(serial), "classId": self.class_id}
        return SAVE_URL + self._signed(
            {
                "iss": self.email, "aud": "google", "typ": "savetowallet", "iat": int(now.timestamp()),
                "origins": [origin], "payload": {"genericObjects": [pass_]},
            }
        )  # fmt: skip

    def assertion(self, now: datetime) -> str:
        """What a token is asked for with (RFC 7523); good for an hour."""
        at = int(now.timestamp())
        return self._signed({"iss": self.email, "scope": SCOPE, "aud": self.token_uri, "iat": at, "exp": at + 3600})

    def _signed(self, claims: dict[str, object]) -> str:
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": self.key_id}, claims, self.key)
