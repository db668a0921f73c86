"""Opening a status list the way a stranger's program would: with joserfc and zlib, nothing of ours."""

from __future__ import annotations

import base64
import json
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey

LARGEST_BYTES = 2**24 // 8


class Refused(Exception):
    pass


@dataclass(frozen=True)
class OpenedList:
    sub: str
    issued_at: int
    expires_at: int
    ttl: int
    bits: bytes

    def is_set(self, index: int) -> bool | None:
        """None beyond the list's end."""
        if index >= len(self.bits) * 8:
            return None
        return self.bits[index // 8] >> index % 8 & 1 == 1

    @property
    def set_indices(self) -> set[int]:
        return {index for index in range(len(self.bits) * 8) if self.is_set(index)}


def open_list(token: str, jwks: dict[str, Any], url: str | None = None) -> OpenedList:
    """Raises Refused."""
    try:
        claims = _claims(token, jwks)
        listed = claims["status_list"]
        if url is not None and claims["sub"] != url:
            raise Refused("another list")
        if listed["bits"] != 1 or type(claims["iat"]) is not int or claims["exp"] <= claims["iat"]:
            raise Refused("no list of ours")
        unpacking = zlib.decompressobj()
        packed = base64.b64decode(listed["lst"] + "=" * (-len(listed["lst"]) % 4), altchars=b"-_", validate=True)
        bits = unpacking.decompress(packed, LARGEST_BYTES)
        if not unpacking.eof or unpacking.unused_data:
            raise Refused("not whole, or too long")
        return OpenedList(claims["sub"], claims["iat"], claims["exp"], claims["ttl"], bits)
    except (JoseError, zlib.error, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused(str(error)) from error


def _claims(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    kid = str(jws.extract_compact(token.encode()).headers().get("kid"))
    (jwk,) = [key for key in jwks["keys"] if key["kid"] == kid and kid.startswith("status-")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # EdDSA has a newer name
        opened = jws.deserialize_compact(token, OKPKey.import_key(jwk), algorithms=["EdDSA"])
    if opened.headers().get("typ") != "statuslist+jwt":
        raise Refused("no status list")
    claims: dict[str, Any] = json.loads(opened.payload)
    return claims
