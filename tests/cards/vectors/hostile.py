"""Codes that must not be accepted, and why each is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha512

from app.cards.payload import CONTEXT, EXPIRY_EPOCH
from tests.cards.vectors.generate import (
    CURRENT,
    KEYS,
    KNOWN,
    KNOWN_IDS,
    PREFIX,
    RETIRED,
    STATUS,
    STATUS_ALONE,
    STRANGER,
    TODAY,
    WINDOW,
    Line,
    body_of,
    code,
    drawn,
    sign,
    text_of,
)

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD = 2**255 - 19
# The eight points of small order in their canonical form, the neutral one first, then what is no canonical form.
SMALL_ORDER = (
    1, FIELD - 1, 0, 1 << 255,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x85FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    0xFA03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    1 + (1 << 255), FIELD - 1 + (1 << 255), FIELD, FIELD + (1 << 255), FIELD + 1, FIELD + 1 + (1 << 255),
)  # fmt: skip
# Zeros of scripts whose digits Unicode calls decimal: Arabic, Persian, Devanagari, Bengali, Thai, full-width.
ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0xFF10)
SLIPPED_IN = (" ", "_", ",", ".", "-", "+", "e", "\u200b", "\u00a0", "\n", "\0", "\u0661")
EXPIRY = date(2027, 1, 22)
STATIC, LIVE = body_of(expires_on=EXPIRY), body_of()
OTHER_STATIC = body_of(key_id=2, expires_on=TODAY, card_id=7, status_index=0, tier=255)
OTHER_LIVE = body_of(key_id=0, card_id=2**40 - 1, status_index=2**24 - 1, tier=1)
BOTH = (("static", STATIC), ("live", LIVE))
SIGNERS = {k.key_id: k.private for k in KNOWN}


def lines() -> list[Line]:
    """Each text once, as the first part that makes it names it."""
    made: dict[str, Line] = {}
    for part in (
        flipped_bits, signatures, small_order, out_of_date, keys, forms, marks, cut_and_extended, digits_changed,
        slipped_in, prefixes, aliases, mixed, strange_texts,
    ):  # fmt: skip
        for name, text, reason in part():
            made.setdefault(text, (name, text, reason))
    return list(made.values())


def forged_or_unknown(body: bytes) -> str:
    """A key's id is read before the signature: a code that names none of ours is not looked at further."""
    return "forged" if body[1] in KNOWN_IDS else "unknown_card"


def flipped_bits() -> Iterator[Line]:
    """Every single bit, of the mark too."""
    for name, body in (*BOTH, ("another static", OTHER_STATIC), ("another live", OTHER_LIVE)):
        whole = b"\x01" + body + sign(body, SIGNERS[body[1]])
        for bit in range(len(whole) * 8):
            changed = (int.from_bytes(whole, "big") ^ (1 << bit)).to_bytes(len(whole), "big")
            is_marked = changed[0] == 1 and changed[1] == body[0]
            reason = forged_or_unknown(changed[1:]) if is_marked else "forged"
            yield f"{name}, bit {bit}", text_of(changed), reason


def signatures() -> Iterator[Line]:
    for name, body in BOTH:
        good = sign(body)
        s = int.from_bytes(good[32:], "little")
        for times in range(1, 16):
            if s + times * GROUP_ORDER < 2**256:
                changed = (s + times * GROUP_ORDER).to_bytes(32, "little")
                yield f"{name}, S + {times} L", code(body, good[:32] + changed), "forged"
        changed = ((-s) % GROUP_ORDER).to_bytes(32, "little")
        yield f"{name}, -S", code(body, good[:32] + changed), "forged"
        for what, signature in {
            "S = L": good[:32] + GROUP_ORDER.to_bytes(32, "little"),
            "S = 0": good[:32] + bytes(32),
            "R = 0": bytes(32) + good[32:],
            "-R": good[:31] + bytes([good[31] ^ 128]) + good[32:],
            "signature zero": bytes(64),
            "signature all ones": b"\xff" * 64,
            "R and S swapped": good[32:] + good[:32],
            "signature reversed": good[::-1],
            "signature without context": CURRENT.private.sign(body),
            "signature of another version": CURRENT.private.sign(b"carnet-card-v2\0" + body),
            "signature with context twice": CURRENT.private.sign(CONTEXT + CONTEXT + body),
            "signature of the context": CURRENT.private.sign(CONTEXT),
            "signature of the text": CURRENT.private.sign(code(body).encode()),
            "signature of the hash": CURRENT.private.sign(sha512(CONTEXT + body).digest()),
        }.items():
            yield f"{name}, {what}", code(body, signature), "forged"


def small_order() -> Iterator[Line]:
    """R is a point of small order, so that S alone decides; a verifier that multiplies by eight takes some of them."""
    secret = bytearray(sha512(CURRENT.private.private_bytes_raw()).digest()[:32])
    secret[0], secret[31] = secret[0] & 248, secret[31] & 127 | 64
    public = CURRENT.private.public_key().public_bytes_raw()
    for name, body in BOTH:
        for n, point in enumerate(SMALL_ORDER):
            r = point.to_bytes(32, "little")
            challenge = int.from_bytes(sha512(r + public + CONTEXT + body).digest(), "little")
            solved = challenge * int.from_bytes(secret, "little") % GROUP_ORDER
            for what, s in {"0": 0, "1": 1, "L - 1": GROUP_ORDER - 1, "L": GROUP_ORDER, "solved": solved}.items():
                if (n, what) != (0, "solved"):  # that one is a signature like any other
                    text = code(body, r + s.to_bytes(32, "little"))
                    yield f"{name}, R of small order {n}, S = {what}", text, "forged"


def out_of_date() -> Iterator[Line]:
    for days in (*range(1, 41), 59, 60, 365, 366, 1000, 2000, (TODAY - EXPIRY_EPOCH).days):
        body = body_of(expires_on=TODAY - timedelta(days=days))
        yield f"static, ended {days} days ago", code(body), "expired_card"
        yield f"static, ended {days} days ago, digits alone", code(body).removeprefix(PREFIX), "expired_card"
    for windows in (*range(2, 42), 60, 119, 120, 121, 2880, 10**6):
        for offset in (-windows, windows):
            yield f"live, window {offset:+d}", code(body_of(window=WINDOW + offset)), "stale_code"
    for window in (0, 1, 2**31 - 1, 2**31, 2**32 - 1):
        yield f"live, window {window}", code(body_of(window=window)), "stale_code"


def keys() -> Iterator[Line]:
    """Whose signature it is, and whose the code says it is."""
    for key_id in range(256):
        reason = "forged" if key_id in KNOWN_IDS else "unknown_card"
        for name, body in (("static", body_of(key_id, expires_on=EXPIRY)), ("live", body_of(key_id))):
            yield f"{name} by a stranger as key {key_id}", code(body, sign(body, STRANGER)), reason
            if key_id not in (*KNOWN_IDS, RETIRED.key_id, STATUS_ALONE.key_id, 77):
                continue
            yield f"{name} by the key of the list as key {key_id}", code(body, sign(body, STATUS.private)), reason
            if key_id != CURRENT.key_id:
                yield f"{name} by key 1 as key {key_id}", code(body, sign(body)), reason
    for key in (RETIRED, STATUS_ALONE):
        for name, body in (("static", body_of(key.key_id, expires_on=EXPIRY)), ("live", body_of(key.key_id))):
            yield f"{name} by {key.kid}, which is none for cards", code(body, sign(body, key.private)), "unknown_card"
    ended = body_of(expires_on=TODAY - timedelta(days=1))
    yield "a stranger's that has ended too", code(ended, sign(ended, STRANGER)), "forged"
    stale = body_of(window=WINDOW - 99)
    yield "a stranger's that is stale too", code(stale, sign(stale, STRANGER)), "forged"
    for published in KEYS.public_jwks(TODAY)["keys"]:
        yield f"the public key {published['kid']} itself", published["x"], "forged"


def forms() -> Iterator[Line]:
    """Signed by us, so that nothing but the form speaks against them."""
    for first in range(256):
        for name, body in BOTH:
            if first != body[0]:
                yield f"{name} with first byte {first:#04x}", code(bytes([first]) + body[1:]), "forged"
    for name, body in BOTH:
        header, tail = body[:11], len(body) - 11
        for size in range(17):
            if size != tail:
                yield f"{name} with a tail of {size} bytes", code(header + bytes(size)), "forged"
        for size in range(11):
            yield f"{name} with a header of {size} bytes", code(body[:size]), "forged"


def marks() -> Iterator[Line]:
    for name, body in BOTH:
        signature = sign(body)
        for mark in (0, *range(2, 256)):
            yield f"{name}, mark {mark}", text_of(bytes([mark]) + body + signature), "forged"
        for mark in (b"\x01\x00", b"\x01\x01", b"\x00\x01", b"\x01" * 8):
            yield f"{name}, mark 0x{mark.hex()}", text_of(mark + body + signature).replace("/C/", "/C/0"), "forged"
        yield f"{name}, signature first", text_of(b"\x01" + signature + body), "forged"


def cut_and_extended() -> Iterator[Line]:
    for name, body in BOTH:
        whole = b"\x01" + body + sign(body)
        text = text_of(whole)
        digits = text.removeprefix(PREFIX)
        for size in range(1, len(whole)):
            yield f"{name}, first {size} bytes", text_of(whole[:size]), "forged"
            yield f"{name}, last {size} bytes", text_of(whole[-size:]), "forged"
        for size in range(len(digits)):
            yield f"{name}, first {size} digits", PREFIX + digits[:size], "forged"
            if size < len(digits) - 1:
                yield f"{name}, last {size} digits", PREFIX + digits[len(digits) - size :], "forged"
        for digit in "0123456789":
            yield f"{name}, {digit} after", text + digit, "forged"
            yield f"{name}, {digit} before", PREFIX + digit + digits, "forged"
        for count in (1, 2, 3, 8, 64):
            yield f"{name}, {count} zero bytes after", text_of(whole + bytes(count)), "forged"
            yield f"{name}, {count} leading zeros", PREFIX + "0" * count + digits, "forged"
            yield f"{name}, {count} leading zeros, digits alone", "0" * count + digits, "forged"


def digits_changed() -> Iterator[Line]:
    for name, body in BOTH:
        text = code(body)
        for place in range(len(PREFIX), len(text)):
            digit = int(text[place])
            other = (digit + 1 + drawn(f"{name} {place}", 9)) % 10
            changed = text[:place] + str(other) + text[place + 1 :]
            yield f"{name}, another digit at {place}", changed, reason_of_number(changed)
            for zero in ZEROS:
                yield (
                    f"{name}, U+{zero + digit:04X} at {place}",
                    text[:place] + chr(zero + digit) + text[place + 1 :],
                    "forged",
                )


def reason_of_number(text: str) -> str:
    """A number one digit away is no code, unless its first bytes still are ours and name an unknown key."""
    digits = text.removeprefix(PREFIX)
    raw = int(digits).to_bytes(100, "big").lstrip(b"\0")
    tail = {0x11: 2, 0x21: 4}.get(raw[1], -1)
    if digits.startswith("0") or raw[0] != 1 or len(raw) != 1 + 11 + tail + 64:
        return "forged"
    return forged_or_unknown(raw[1:])


def slipped_in() -> Iterator[Line]:
    for name, body in BOTH:
        text = code(body)
        for place in range(len(text) + 1):
            for n in range(4):
                char = SLIPPED_IN[(place + n * 3) % len(SLIPPED_IN)]
                yield f"{name}, {char!a} slipped in at {place}", text[:place] + char + text[place:], "forged"


def prefixes() -> Iterator[Line]:
    text = code(STATIC)
    for place, char in enumerate(PREFIX):
        before, after = text[:place], text[place + 1 :]
        others = {char.swapcase(), "", char * 2, "0", "\u00d7", chr(ord(char) ^ 1), chr(ord(char) + 0xFEE0)} - {char}
        for other in sorted(others):
            yield f"prefix, {other!a} at {place}", before + other + after, "forged"
        if place:
            yield f"prefix, only from {place} on", text[place:], "forged"
            yield f"prefix, only up to {place}", text[:place], "forged"
    hosts = ("OTHER.EXAMPLE.ORG", "CARD.EXAMPLE.ORG.EVIL.ORG", "EVIL.ORG/CARD.EXAMPLE.ORG", "CARD.EXAMPLE.ORG@EVIL.ORG",
             "EVIL.ORG#CARD.EXAMPLE.ORG", "EVIL.ORG?CARD.EXAMPLE.ORG", "CARD.EXAMPLE.ORG:443", "CARD.EXAMPLE.ORG:80",
             "CARD.EXAMPLE.ORG.", "WWW.CARD.EXAMPLE.ORG", "CARDEXAMPLE.ORG", "CARD-EXAMPLE.ORG", "CARD.EXAMPLE.COM",
             "127.0.0.1", "[::1]", "", "XN--CARD-EXAMPLE.ORG", "CARD%2EEXAMPLE.ORG",
             "C\u0410RD.EXAMPLE.ORG")  # fmt: skip
    schemes = ("HTTP", "https", "Https", "HTTPs", "FTP", "FILE", "JAVASCRIPT", "DATA", "HTTPSS", "WS", "")
    for name, body in BOTH:
        digits = code(body).removeprefix(PREFIX)
        for host in hosts:
            yield f"{name} at {host!a}", f"HTTPS://{host}/C/{digits}", "forged"
        for scheme in schemes:
            yield f"{name} by {scheme!r}", f"{scheme}://CARD.EXAMPLE.ORG/C/{digits}", "forged"
        for path in (
            "/c/",
            "/C//",
            "//C/",
            "/C/C/",
            "/",
            "",
            "/D/",
            "/C",
            "/C/?",
            "/C/#",
            "/C/./",
            "/C/%20",
            "\\C\\",
            "/es/C/",
        ):
            yield f"{name} under {path!r}", f"HTTPS://CARD.EXAMPLE.ORG{path}{digits}", "forged"


def aliases() -> Iterator[Line]:
    """Other ways of writing the same number, which a lenient reader would take for it."""
    for name, body in BOTH:
        text = code(body)
        digits = text.removeprefix(PREFIX)
        for what, alias in {
            "plus": PREFIX + "+" + digits,
            "minus": PREFIX + "-" + digits,
            "fraction": text + ".0",
            "exponent": text + "e0",
            "power of ten": PREFIX + digits[:-1] + "." + digits[-1] + "e1",
            "hexadecimal": PREFIX + hex(int(digits)),
            "hexadecimal without 0x": PREFIX + f"{int(digits):X}",
            "octal": PREFIX + oct(int(digits)),
            "big integer": text + "n",
            "thousands": PREFIX + f"{int(digits):,}",
            "underscores": PREFIX + f"{int(digits):_}",
            "code twice": text + text,
            "digits twice": text + digits,
            "prefix twice": PREFIX + text,
            "six times as long": PREFIX + digits * 6,
            "superscript": text + "\u00b2",
            "circled": text + "\u2460",
            "all full-width": PREFIX + "".join(chr(0xFF10 + int(d)) for d in digits),
            "all arabic": PREFIX + "".join(chr(0x0660 + int(d)) for d in digits),
            "all mathematical bold": PREFIX + "".join(chr(0x1D7CE + int(d)) for d in digits),
            "space before": " " + text,
            "space after": text + " ",
            "digits and space": digits + " ",
            "newline after": text + "\n",
            "newline after digits": digits + "\n",
            "carriage return": text + "\r\n",
            "nul after": text + "\0",
            "byte order mark": "\ufeff" + text,
            "right-to-left mark": text + "\u200f",
            "lower case": text.lower(),
            "slash after": text + "/",
            "query": text + "?a=1",
            "fragment": text + "#1",
            "percent sign": PREFIX + "%3" + digits,
            "quoted": f'"{text}"',
            "bracketed": f"<{text}>",
            "reversed": text[::-1],
            "after another address": "https://example.org/?" + text,
        }.items():
            yield f"{name}, {what}", alias, "forged"


def mixed() -> Iterator[Line]:
    """Parts of good codes put together."""
    static, live = sign(STATIC), sign(LIVE)
    yield "static body, live signature", code(STATIC, live), "forged"
    yield "live body, static signature", code(LIVE, static), "forged"
    for offset in (-2, -1, 1, 2):
        other = sign(body_of(window=WINDOW + offset))
        yield f"live, signature of window {offset:+d}", code(LIVE, other), "forged"
    for tier in range(1, 256):
        if tier != STATIC[10]:
            yield f"static raised to tier {tier}", code(body_of(expires_on=EXPIRY, tier=tier), static), "forged"
    for days in range(1, 200):
        later = body_of(expires_on=EXPIRY + timedelta(days=days))
        yield f"static made {days} days longer", code(later, static), "forged"
    for n in range(100):
        card_id, index = drawn(f"other card {n}", 2**40), drawn(f"other place {n}", 2**24)
        yield f"static of another card {n}", code(body_of(expires_on=EXPIRY, card_id=card_id), static), "forged"
        yield f"live at another place {n}", code(body_of(status_index=index), live), "forged"


def strange_texts() -> Iterator[Line]:
    texts = ["", " ", "0", "1", "-1", "M-000123", "hello", "null", "NaN", "Infinity", "{}", "[]", "=1+1", "\U0001f600"]
    texts += [
        PREFIX,
        PREFIX + "0",
        PREFIX + "1",
        "https://example.org/",
        "WIFI:S:campus;T:WPA;P:secret;;",
        "' OR 1=1 --",
    ]
    texts += ["BEGIN:VCARD\nVERSION:3.0\nEND:VCARD", "<script>alert(1)</script>", "../../etc/passwd", "\u0661\u0662"]
    texts += ["9" * n for n in (185, 186, 187, 190, 191, 192, 199, 200, 201, 400, 4300, 4301, 5000)]
    texts += ["1" + "0" * n for n in (185, 186, 187, 190, 191, 192, 199, 200)]
    for text in texts:
        yield f"text {text[:20]!a} of {len(text)}", text, "forged"
    for n in range(100):
        bytes_long = 78 if n % 2 else 80
        number = drawn(f"noise {n}", 256**32) * 256**46 + drawn(f"more noise {n}", 256**46)
        yield f"noise {n}", PREFIX + str(number % 256**bytes_long + 2 * 256**bytes_long), "forged"
