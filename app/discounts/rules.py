"""What an organisation may be told, which addresses it may name, and whether somebody signed in lately enough."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

SCOPES = ("openid", "membership", "profile", "email")
CLAIMS = (
    "sub", "membership_status", "membership_valid_until", "tier", "eduperson_scoped_affiliation",
    "eduperson_entitlement", "name", "given_name", "family_name", "email", "email_verified",
)  # fmt: skip
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Facts:
    """Of one person on one day. `valid_until` is the last day of the run, None without one and for life."""

    status: str
    is_member: bool
    tier: str | None
    valid_until: date | None
    benefits: list[str]


def membership_claims(facts: Facts, domain: str) -> dict[str, Any]:
    """The claims of scope membership. What does not apply is left out rather than null (OpenID Connect Core 5.3.2)."""
    claims: dict[str, Any] = {"membership_status": facts.status}
    if facts.valid_until is not None:
        claims["membership_valid_until"] = facts.valid_until.isoformat()
    if facts.tier is not None:
        claims["tier"] = facts.tier
    if facts.is_member:  # never member@: in eduPerson that is somebody of the institution itself
        claims["eduperson_scoped_affiliation"] = [f"alum@{domain}"]
    if facts.benefits:
        claims["eduperson_entitlement"] = [entitlement_urn(code) for code in facts.benefits]
    return claims


def entitlement_urn(benefit_code: str) -> str:
    return f"urn:carnet:benefit:{benefit_code}"


def granted(asked: str, allowed: Collection[str]) -> list[str]:
    """Of the scopes asked for those that are allowed, in one order; unknown ones are ignored (Core 3.1.2.1)."""
    wanted = set(asked.split(" "))
    return [scope for scope in SCOPES if scope in wanted and scope in allowed]


def is_good_redirect(uri: str, loopback_too: bool) -> bool:
    """An https address without a fragment or a user; plain http for loopback alone, where that is allowed."""
    if not re.fullmatch(r"[!#-;=?-\[\]_a-z~]{8,500}", uri) or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (loopback_too and parts.scheme == "http" and parts.hostname in LOOPBACK)


def is_recent(signed_in_at: datetime, max_age: int | None, now: datetime) -> bool:
    """Whether a sign-in is as young as `max_age` seconds; None asks for nothing."""
    return max_age is None or now - signed_in_at <= timedelta(seconds=max_age)
