"""Secrets that can be typed, and how long a session lasts."""

from __future__ import annotations

import hashlib
import math
import secrets
from datetime import UTC, date, datetime, timedelta

import pytest

from app.wifi import rules

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_a_secret_has_eighty_bits_at_least_and_no_letters_that_look_alike() -> None:
    secret = rules.new_secret(secrets.choice)
    groups = secret.split("-")
    assert [len(group) for group in groups] == [6, 6, 6]
    assert 18 * math.log2(len(rules.LETTERS)) > 80
    assert len(set(rules.LETTERS)) == 31 and not set(rules.LETTERS) & set("0o1li")
    assert set("".join(groups)) <= set(rules.LETTERS)
    assert secret != rules.new_secret(secrets.choice)


def test_what_is_kept_is_the_hash_of_secret_and_salt_with_the_salt_behind() -> None:
    salt = bytes(range(16))
    assert rules.ssha2_256("abc", salt) == hashlib.sha256(b"abc" + salt).hexdigest() + salt.hex()
    assert rules.ssha2_256("abc", salt) != rules.ssha2_256("abc", bytes(16))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("k7m2x9qp", "k7m2x9qp"), ("K7m2x9qp", "k7m2x9qp"), ("k7m2x9qp@wifi.example.org", "k7m2x9qp"),
        ("@wifi.example.org", ""), ("a@b@c", "a"),
    ],
)  # fmt: skip
def test_a_device_may_send_capitals_and_a_realm(given: str, kept: str) -> None:
    assert rules.clean_username(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  My phone ", "My phone"), ("a\x00b\nc", "a b c"), ("", None), (" \n", None), ("x" * 60, "x" * 60),
        ("x" * 61, None), ("%{User-Password}", "%{User-Password}"),
    ],
)  # fmt: skip
def test_a_device_has_a_name_of_one_to_sixty_letters(given: str, kept: str | None) -> None:
    assert rules.clean_label(given) == kept


@pytest.mark.parametrize(
    ("left", "timeout"),
    [
        (timedelta(hours=8, seconds=1), 28800), (timedelta(hours=8), 28800),
        (timedelta(hours=8, seconds=-1), 28799), (timedelta(seconds=61, milliseconds=900), 61),
        (timedelta(seconds=60), 60), (timedelta(seconds=59), 60), (timedelta(0), 60), (timedelta(days=4000), 28800),
    ],
)  # fmt: skip
def test_a_session_lasts_to_the_end_of_the_last_day_eight_hours_at_most_a_minute_at_least(
    left: timedelta, timeout: int
) -> None:
    assert rules.session_timeout(NOW + left, NOW) == timeout


def test_a_session_of_a_member_for_life_lasts_eight_hours() -> None:
    assert rules.session_timeout(None, NOW) == 28800


@pytest.mark.parametrize(
    ("in_grace", "until", "last"),
    [
        (True, None, date(2027, 1, 30)), (False, None, date(2026, 12, 31)),
        (True, date(2026, 12, 1), date(2026, 12, 1)), (False, date(2027, 6, 1), date(2026, 12, 31)),
    ],
)  # fmt: skip
def test_the_last_day_is_the_memberships_or_the_benefits(in_grace: bool, until: date | None, last: date) -> None:
    assert rules.last_day(date(2026, 12, 31), date(2027, 1, 30), in_grace, until) == last
