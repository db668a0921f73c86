"""Writes codes.json: codes and hostile changes of them, each with the reason it must be given.

The Python reader and the browser's verifier are both held to this file. Reasons follow from how a
line was made, never from asking either. From the top folder: python -m tests.cards.vectors.generate
"""

import json
from datetime import UTC, date, datetime
from hashlib import sha512
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.cards.codes import live_code, static_code
from app.cards.keys import CardKey, CardKeys
from app.cards.payload import CONTEXT, Contents, encode, parse_code, window_at, write_code

FILE = Path(__file__).with_name("codes.json")
BASE_URL = "https://card.example.org"
PREFIX = "HTTPS://CARD.EXAMPLE.ORG/C/"
NOW = datetime(2026, 11, 23, 10, 0, 17, tzinfo=UTC)
TODAY = date(2026, 11, 23)
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def key(key_id: int, seed: int, first_use_on: date) -> CardKey:
    return CardKey(key_id, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), first_use_on)


CURRENT = key(1, 101, date(2026, 1, 1))
KEYS = CardKeys([CURRENT, key(2, 102, date(2026, 11, 24)), key(0, 100, date(2025, 1, 1))])
KNOWN_IDS = {0, 1, 2}
STRANGER = CardKeys([key(1, 201, date(2026, 1, 1))])
UNKNOWN = CardKeys([key(77, 177, date(2026, 1, 1))])
CARD = {"card_id": 0xA1B2C3D4E5, "status_index": 0x01E240, "tier": 2}


def static(expires_on: date = date(2027, 1, 22), keys: CardKeys = KEYS, base: str = BASE_URL, day: date = TODAY) -> str:
    return static_code(keys, **CARD, expires_on=expires_on, card_base_url=base, today=day)


def live(offset: int = 0, keys: CardKeys = KEYS, base: str = BASE_URL, day: date = TODAY) -> str:
    return live_code(keys, **CARD, window=window_at(NOW) + offset, card_base_url=base, today=day)


def parts(text: str) -> tuple[bytes, bytes]:
    code = parse_code(text, BASE_URL)
    return code.body, code.signature


def flip(raw: bytes, bit: int) -> bytes:
    return (int.from_bytes(raw, "big") ^ (1 << bit)).to_bytes(len(raw), "big")


def number(raw: bytes) -> str:
    return PREFIX + str(int.from_bytes(raw, "big"))


def honest() -> list[tuple[str, str, str]]:
    lines = [("static", static(), "ok"), ("live", live(), "ok")]
    lines += [(f"{name}, digits alone", text.removeprefix(PREFIX), "ok") for name, text, _ in lines]
    for days, reason in ((-1, "expired_card"), (0, "ok"), (1, "ok")):
        day = date.fromordinal(TODAY.toordinal() + days)
        lines.append((f"static, expiry {days:+d} days", static(day), reason))
    lines.append(("static for life", static(date.max), "ok"))
    lines.append(("static of the first day", static(date(2020, 1, 1)), "expired_card"))
    for offset in (-2880, -120, -2, -1, 1, 2, 120):
        lines.append((f"live, window {offset:+d}", live(offset), "ok" if abs(offset) <= 1 else "stale_code"))
    for name, day in (("an older key", date(2025, 6, 1)), ("a key not in use yet", date(2026, 11, 24))):
        lines += [(f"static by {name}", static(day=day), "ok"), (f"live by {name}", live(day=day), "ok")]
    return lines


def hostile(kind: str, text: str) -> list[tuple[str, str, str]]:
    body, signature = parts(text)
    lines = []
    for bit in range(len(body) * 8):
        changed = flip(body, bit)
        reason = "forged" if changed[1] in KNOWN_IDS else "unknown_card"
        lines.append((f"{kind}, bit {bit} of the body", write_code(changed, signature, BASE_URL), reason))
    for byte in range(64):
        bit = byte * 8 + byte % 8
        changed = write_code(body, flip(signature, bit), BASE_URL)
        lines.append((f"{kind}, bit {bit} of the signature", changed, "forged"))
    s = int.from_bytes(signature[32:], "little")
    order = GROUP_ORDER.to_bytes(32, "little")
    signatures = {
        "S + L": signature[:32] + (s + GROUP_ORDER).to_bytes(32, "little"),
        "S = L": signature[:32] + order,
        "S = 0": signature[:32] + bytes(32),
        "R = 0": bytes(32) + signature[32:],
        "signature zero": bytes(64),
        "signature all ones": b"\xff" * 64,
        "R the neutral point, S = 0": b"\x01" + bytes(63),
        "R and S swapped": signature[32:] + signature[:32],
        "signature reversed": signature[::-1],
        "signature without context": CURRENT.private.sign(body),
        "signature of another version": CURRENT.private.sign(b"carnet-card-v2\0" + body),
        "signature with context twice": CURRENT.private.sign(CONTEXT + CONTEXT + body),
    }
    for name, raw in signatures.items():
        lines.append((f"{kind}, {name}", write_code(body, raw, BASE_URL), "forged"))
    whole = b"\x01" + body + signature
    for size in (1, 2, 10, 64, 65, 66, 76, 77, 78, 79):
        if size < len(whole):
            lines.append((f"{kind}, first {size} bytes", number(whole[:size]), "forged"))
    numbers = {
        "a byte more": whole + b"\0",
        "no mark": body + signature,
        "mark 2": b"\x02" + body + signature,
        "mark 0x0101": b"\x01" + whole,
        "mark 0x0100": b"\x01\x00" + body + signature,
        "signature first": b"\x01" + signature + body,
    }
    for name, raw in numbers.items():
        lines.append((f"{kind}, {name}", number(raw), "forged"))
    return lines + [(f"{kind}, {name}", alias, "forged") for name, alias in aliases(text).items()]


def aliases(text: str) -> dict[str, str]:
    """Other ways of writing the same number or address, which a lenient reader would take for it."""
    digits = text.removeprefix(PREFIX)
    return {
        "last digit lost": text[:-1],
        "leading zero": PREFIX + "0" + digits,
        "digits with leading zero": "0" + digits,
        "plus": PREFIX + "+" + digits,
        "minus": PREFIX + "-" + digits,
        "underscore": digits[:3] + "_" + digits[3:],
        "comma": digits[:3] + "," + digits[3:],
        "fraction": text + ".0",
        "exponent": text + "e0",
        "hexadecimal": PREFIX + hex(int(digits)),
        "code twice": text + digits,
        "a thousand digits": PREFIX + digits * 6,
        "full-width digits": PREFIX + "".join(chr(0xFF10 + int(d)) for d in digits),
        "arabic digits": PREFIX + "".join(chr(0x0660 + int(d)) for d in digits),
        "one arabic digit": text[:-1] + chr(0x0660 + int(text[-1])),
        "superscript": text + "\u00b2",
        "space before": " " + text,
        "space after": text + " ",
        "space inside": PREFIX + " " + digits,
        "newline after": text + "\n",
        "newline after digits": digits + "\n",
        "nul after": text + "\0",
        "byte order mark": "\ufeff" + text,
        "right-to-left mark": text + "\u200f",
        "zero-width space": PREFIX + "\u200b" + digits,
        "lower case": text.lower(),
        "lower-case scheme": text.replace("HTTPS", "https"),
        "lower-case path": text.replace("/C/", "/c/"),
        "http": text.replace("HTTPS", "HTTP"),
        "no scheme": text.removeprefix("HTTPS:"),
        "other host": text.replace("EXAMPLE", "EXAMP1E"),
        "dotless letter": text.replace("CARD.EXAMPLE", "CARD.EXAMPLE\u0131"),
        "host below": text.replace("CARD.", "CARD.EVIL."),
        "host as user": text.replace("CARD.EX", "CARD.EXAMPLE.ORG@EX"),
        "port": text.replace(".ORG/", ".ORG:443/"),
        "dot after host": text.replace(".ORG/", ".ORG./"),
        "prefix twice": PREFIX + text,
        "path below": text.replace("/C/", "/C/C/"),
        "two slashes": text.replace("/C/", "//C/"),
        "slash after": text + "/",
        "query": text + "?a=1",
        "fragment": text + "#1",
        "percent sign": PREFIX + "%3" + digits,
    }


def strangers() -> list[tuple[str, str, str]]:
    lines = []
    for kind, make in (("static", static), ("live", live)):
        lines.append((f"{kind} by a stranger under our id", make(keys=STRANGER), "forged"))
        lines.append((f"{kind} by an unknown id", make(keys=UNKNOWN), "unknown_card"))
        lines.append((f"{kind} for another host", make(base="https://other.example.org"), "forged"))
        lines.append((f"{kind} for http", make(base="http://card.example.org"), "forged"))
    static_body, static_signature = parts(static())
    live_body, live_signature = parts(live())
    lines.append(("static body, live signature", write_code(static_body, live_signature, BASE_URL), "forged"))
    lines.append(("live body, static signature", write_code(live_body, static_signature, BASE_URL), "forged"))
    earlier = write_code(live_body, parts(live(-1))[1], BASE_URL)
    lines.append(("live, signature of the window before", earlier, "forged"))
    for name, contents in (
        ("other card", Contents(1, CARD["status_index"], 7, 2, expires_on=date(2027, 1, 22))),
        ("other tier", Contents(1, CARD["status_index"], CARD["card_id"], 3, expires_on=date(2027, 1, 22))),
        ("later expiry", Contents(1, CARD["status_index"], CARD["card_id"], 2, expires_on=date(2028, 1, 22))),
    ):
        lines.append((f"static, {name}", write_code(encode(contents), static_signature, BASE_URL), "forged"))
    texts = ["", " ", "0", "1", "-1", "M-000123", "hello", "null", "NaN", "{}", "=1+1", "\U0001f600"]
    texts += [PREFIX, PREFIX + "0", PREFIX + "1", "https://example.org/", "WIFI:S:campus;T:WPA;P:secret;;"]
    texts += ["9" * 186, "9" * 191, "1" + "0" * 199, "9" * 4300, "9" * 5000]
    return lines + [(f"text {text[:20]!r} of {len(text)}", text, "forged") for text in texts]


def ours_but_wrong() -> list[tuple[str, str, str]]:
    """Signed with our own key, so that nothing but their form speaks against them."""
    body, _ = parts(static())
    header, day, window = body[:11], body[11:], bytes(4)
    bodies = {
        "format 0": b"\x10" + body[1:],
        "format 2": b"\x12" + body[1:],
        "kind 0": b"\x01" + body[1:],
        "kind 3": b"\x31" + body[1:],
        "kind 3 with a window": b"\x31" + header[1:] + window,
        "static with a window": header + window,
        "live with a day": b"\x21" + header[1:] + day,
        "no tail": header,
        "a tail of 1": header + b"\0",
        "a tail of 3": header + bytes(3),
        "nothing": b"",
    }
    lines = []
    for name, raw in bodies.items():
        text = write_code(raw, CURRENT.private.sign(CONTEXT + raw), BASE_URL)
        lines.append((f"signed by us, {name}", text, "forged"))
    text = write_code(body, beyond_the_field(CONTEXT + body), BASE_URL)
    return [*lines, ("signed by us, R not in its one form", text, "forged")]


def beyond_the_field(message: bytes) -> bytes:
    """R is the neutral point, y = 1, written as 1 + p: lenient verifiers take it, RFC 8032 does not."""
    r = (1 + 2**255 - 19).to_bytes(32, "little")
    secret = bytearray(sha512(CURRENT.private.private_bytes_raw()).digest()[:32])
    secret[0], secret[31] = secret[0] & 248, secret[31] & 127 | 64
    public = CURRENT.private.public_key().public_bytes_raw()
    challenge = int.from_bytes(sha512(r + public + message).digest(), "little")
    return r + (challenge * int.from_bytes(secret, "little") % GROUP_ORDER).to_bytes(32, "little")


def build() -> dict[str, object]:
    lines = honest() + hostile("static", static()) + hostile("live", live()) + strangers() + ours_but_wrong()
    return {
        "card_base_url": BASE_URL,
        "now": NOW.isoformat(),
        "today": TODAY.isoformat(),
        "jwks": KEYS.public_jwks(TODAY),
        "vectors": [{"name": name, "text": text, "reason": reason} for name, text, reason in lines],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(build(), indent=0) + "\n", encoding="utf-8")
