"""Status lists that open, and such as must not: wrongly signed, of another kind, broken, too large."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import zlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.cards.keys import CardKey, CardKeys, generate
from app.cards.status_list import SMALLEST, pack, sign_list

URL = "https://alumni.example.org/api/v1/card-status"
NOW = datetime(2026, 11, 23, 10, 0, 17, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 1)
CARD, STATUS, STRANGER = generate(1, FIRST_DAY), generate(1, FIRST_DAY, "status"), generate(1, FIRST_DAY, "status")
NEXT = generate(2, date(2026, 11, 24), "status")
JWKS = CardKeys([CARD, STATUS, NEXT]).public_jwks(NOW.date())
ONE_IN_A_HUNDRED = random.Random(7).sample(range(SMALLEST), SMALLEST // 100)  # noqa: S311
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
HEADER = {"typ": "statuslist+jwt", "alg": "EdDSA", "kid": "status-1"}


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(packed: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """Those of a good list; a change to None leaves the claim out."""
    issued_at = int(NOW.timestamp()) // 3600 * 3600
    lst = base64url(pack(64, [3]) if packed is None else packed)
    said = {"sub": URL, "iat": issued_at, "exp": issued_at + 86400, "ttl": 300, "status_list": {"bits": 1, "lst": lst}}
    return {name: value for name, value in {**said, **changes}.items() if value is not None}


def signed(said: Any, header: Any = HEADER, key: CardKey = STATUS) -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, said)]
    message = ".".join(map(base64url, parts))
    return f"{message}.{base64url(key.sign(message.encode()))}"


def header(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**HEADER, **changes}.items() if value is not None}


def good() -> dict[str, str]:
    lists = {
        "none": (SMALLEST, []), "the first": (SMALLEST, [0]), "the last": (SMALLEST, [SMALLEST - 1]),
        "one in a hundred": (SMALLEST, ONE_IN_A_HUNDRED), "all": (SMALLEST, range(SMALLEST)),
        "as large as can be": (2**24, [0, 2**24 - 1]),
    }  # fmt: skip
    made = {name: sign_list(STATUS, URL, size, places, NOW).decode() for name, (size, places) in lists.items()}
    made["by the next key"] = sign_list(NEXT, URL, SMALLEST, [5], NOW).decode()
    made["two days old"] = sign_list(STATUS, URL, SMALLEST, [5], NOW - timedelta(days=2)).decode()
    made["by hand"] = signed(claims())
    return made


def hostile() -> dict[str, str]:
    token = signed(claims())
    head, body, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    s = (int.from_bytes(raw[32:], "little") + GROUP_ORDER).to_bytes(32, "little")
    message = f"{base64url(json.dumps(header(alg='HS256')).encode())}.{body}"
    public = STATUS.private.public_key().public_bytes_raw()
    packed = pack(SMALLEST, ONE_IN_A_HUNDRED)
    return {
        "another key under our id": signed(claims(), key=STRANGER),
        "a key for cards under the list's id": signed(claims(), key=CARD),
        "a key for cards under its own id": signed(claims(), header(kid="card-1"), CARD),
        "an id nobody has": signed(claims(), header(kid="status-7"), STRANGER),
        "no id": signed(claims(), header(kid=None)),
        "an id that is no text": signed(claims(), header(kid=1)),
        "alg none": signed(claims(), header(alg="none")),
        "alg none, unsigned": ".".join((base64url(json.dumps(header(alg="none")).encode()), body, "")),
        "alg none, two parts": ".".join((base64url(json.dumps(header(alg="none")).encode()), body)),
        "alg missing": signed(claims(), header(alg=None)),
        "signed with the public key as a secret": message
        + "."
        + base64url(hmac.digest(public, message.encode(), hashlib.sha512)),
        "typ JWT": signed(claims(), header(typ="JWT")),
        "typ missing": signed(claims(), header(typ=None)),
        "typ of another form of list": signed(claims(), header(typ="statuslist+cwt")),
        "a header to be understood": signed(claims(), header(crit=["b64"], b64=False)),
        "a header that is a list": signed(claims(), [HEADER]),
        "a header that is no JSON": signed(claims(), b"{"),
        "unsigned": f"{head}.{body}.",
        "signature zero": f"{head}.{body}.{base64url(bytes(64))}",
        "signature cut": f"{head}.{body}.{signature[:-4]}",
        "signature longer": f"{head}.{body}.{signature}AAAA",
        "S + L": f"{head}.{body}.{base64url(raw[:32] + s)}",
        "signature of another list": f"{head}.{body}.{signed(claims(ttl=301)).split('.')[2]}",
        "another list under the signature": f"{head}.{base64url(json.dumps(claims(ttl=301)).encode())}.{signature}",
        "two parts": f"{head}.{body}",
        "four parts": f"{token}.{body}",
        "nothing": "",
        "a page": "<!doctype html><title>Sign in</title>",
        "space before": f" {token}",
        "newline after": f"{token}\n",
        "padded": f"{head}.{body}.{signature}==",
        "of another address": signed(claims(sub="https://evil.example.org/api/v1/card-status")),
        "of no address": signed(claims(sub=None)),
        "no iat": signed(claims(iat=None)),
        "no exp": signed(claims(exp=None)),
        "iat no number": signed(claims(iat="1795428000")),
        "iat no whole number": signed(claims(iat=1795428000.5)),
        "exp no number": signed(claims(exp="2026-11-24")),
        "ends before it begins": signed(claims(exp=1)),
        "no list": signed(claims(status_list=None)),
        "no bits in it": signed(claims(status_list={"bits": 1})),
        "two bits a card": signed(claims(status_list={"bits": 2, "lst": base64url(packed)})),
        "bits no number": signed(claims(status_list={"bits": "1", "lst": base64url(packed)})),
        "lst a number": signed(claims(status_list={"bits": 1, "lst": 7})),
        "lst no base64": signed(claims(status_list={"bits": 1, "lst": "%%%"})),
        "lst empty": signed(claims(b"")),
        "zlib cut by a byte": signed(claims(packed[:-1])),
        "zlib cut in half": signed(claims(packed[: len(packed) // 2])),
        "zlib's checksum wrong": signed(claims(packed[:-1] + bytes([packed[-1] ^ 1]))),
        "zlib and more": signed(claims(packed + b"\0")),
        "two of zlib": signed(claims(packed + packed)),
        "not zlib": signed(claims(bytes(64))),
        "gzip": signed(claims(zlib.compress(bytes(64), wbits=31))),
        "bare deflate": signed(claims(zlib.compress(bytes(64), wbits=-15))),
        "a byte more than a list can have": signed(claims(zlib.compress(bytes(2**21 + 1)))),
        "64 megabytes of nothing": signed(claims(zlib.compress(bytes(2**26)))),
        "claims that are a list": signed([claims()]),
        "claims that are no JSON": signed(b"{"),
        "claims that are null": signed(b"null"),
        "claims that are no text": signed(b"\xff\xfe{}"),
    }
