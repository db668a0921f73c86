"""When a sign-in or a session still counts, and which paths a link may lead to."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from urllib.parse import urlsplit

LINK_LIFE = timedelta(minutes=15)
INVITATION_LIFE = timedelta(days=7)
MOST_CODE_TRIES = 5
MOST_MAILS_AN_HOUR = 6
IDLE_LIMIT = timedelta(days=30)
ABSOLUTE_LIMIT = timedelta(days=90)


def link_token(secret_key: str, nonce: bytes) -> str:
    """The 256-bit token of a sign-in link, as text for a URL."""
    return urlsafe_b64encode(_mac(secret_key, b"sign-in-link", nonce)).rstrip(b"=").decode()


def sign_in_code(secret_key: str, nonce: bytes) -> str:
    """The 8 digits of a sign-in mail."""
    return f"{int.from_bytes(_mac(secret_key, b'sign-in-code', nonce)) % 10**8:08d}"


def hash_token(token: str) -> str:
    """How tokens are kept: SHA-256, enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def can_be_used(now: datetime, expires_at: datetime, used_at: datetime | None) -> bool:
    return used_at is None and now < expires_at


def is_session_live(now: datetime, created_at: datetime, last_seen_at: datetime, revoked_at: datetime | None) -> bool:
    return revoked_at is None and now < created_at + ABSOLUTE_LIMIT and now < last_seen_at + IDLE_LIMIT


def own_path(path: str | None) -> str:
    """`path` when it stays on this site, else "/"."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or re.search(r"[\x00-\x20\\]", path):
        return "/"
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else "/"


def device_name(user_agent: str) -> str:
    """A browser and system a person recognises, such as "Firefox on Android"."""
    browsers = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
        ("Mac OS", "Mac"), ("Linux", "Linux"),
    )  # fmt: skip
    browser = next((name for sign, name in browsers if sign in user_agent), "Browser")
    system = next((name for sign, name in systems if sign in user_agent), "")
    return f"{browser} on {system}" if system else browser


def _mac(secret_key: str, purpose: bytes, nonce: bytes) -> bytes:
    return hmac.digest(secret_key.encode(), purpose + b"\0" + nonce, "sha256")
