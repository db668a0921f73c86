"""What a partner is told, where a browser may be sent back to, how old a sign-in may be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.discounts.rules import Facts, granted, is_good_redirect, is_recent, membership_claims

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LAST = date(2027, 3, 31)


@pytest.mark.parametrize(("status", "is_alum"), [("active", True), ("grace", True), ("lapsed", False), ("none", False)])
def test_only_a_member_is_alum_of_the_association(status: str, is_alum: bool) -> None:
    claims = membership_claims(Facts(status, is_alum, "plus", LAST, []), "alumni.example.org")
    assert claims["membership_status"] == status
    assert claims.get("eduperson_scoped_affiliation") == (["alum@alumni.example.org"] if is_alum else None)


def test_benefits_are_entitlements() -> None:
    claims = membership_claims(Facts("active", True, "plus", LAST, ["wifi", "sports"]), "x.org")
    assert claims["eduperson_entitlement"] == ["urn:carnet:benefit:wifi", "urn:carnet:benefit:sports"]
    assert (claims["tier"], claims["membership_valid_until"]) == ("plus", "2027-03-31")


def test_what_does_not_apply_is_left_out() -> None:
    assert membership_claims(Facts("none", False, None, None, []), "x.org") == {"membership_status": "none"}


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("openid", ["openid"]),
        ("membership openid", ["openid", "membership"]),
        ("openid email offline_access", ["openid"]),  # not allowed, not known
        ("openid  openid", ["openid"]),
        ("", []),
    ],
)
def test_scopes_that_are_not_allowed_or_not_known_are_left_out(asked: str, given: list[str]) -> None:
    assert granted(asked, ["openid", "membership"]) == given


@pytest.mark.parametrize(
    ("uri", "is_good", "is_good_at_home"),
    [
        ("https://courses.example.org/callback", True, True),
        ("https://courses.example.org:8443/cb?shop=1", True, True),
        ("http://127.0.0.1:9000/cb", False, True),
        ("http://localhost/cb", False, True),
        ("http://[::1]:9000/cb", False, True),
        ("http://courses.example.org/cb", False, False),
        ("http://127.0.0.1.evil.example/cb", False, False),
        ("https://courses.example.org/cb#part", False, False),
        ("https://user@courses.example.org/cb", False, False),
        ("https:///cb", False, False),
        ("https://courses.example.org:port/cb", False, False),
        ("https://courses.example.org/a b", False, False),
        ("https://courses.example.org/\\evil", False, False),
        ("javascript:alert(1)", False, False),
        ("org.example.app:/cb", False, False),
        ("/cb", False, False),
        ("https://courses.example.org/" + "a" * 500, False, False),
    ],
)
def test_a_browser_goes_back_over_https_or_on_ones_own_machine(uri: str, is_good: bool, is_good_at_home: bool) -> None:
    assert is_good_redirect(uri, loopback_too=False) == is_good
    assert is_good_redirect(uri, loopback_too=True) == is_good_at_home


@pytest.mark.parametrize(
    ("max_age", "age", "is_fresh"), [(None, 10**6, True), (60, 60, True), (60, 61, False), (0, 0, True), (0, 1, False)]
)
def test_a_sign_in_is_recent_up_to_its_last_second(max_age: int | None, age: int, is_fresh: bool) -> None:
    assert is_recent(NOW - timedelta(seconds=age), max_age, NOW) == is_fresh
