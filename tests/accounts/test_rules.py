"""When a link, a code and a session still count, and where a link may lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import rules

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("age", "usable"), [(timedelta(), True), (15 * 60 * SECOND - SECOND, True), (15 * 60 * SECOND, False)]
)
def test_a_link_lives_fifteen_minutes(age: timedelta, usable: bool) -> None:
    assert rules.can_be_used(NOW + age, NOW + rules.LINK_LIFE, None) is usable
    assert not rules.can_be_used(NOW + age, NOW + rules.LINK_LIFE, NOW)  # and works once


@pytest.mark.parametrize(
    ("since_start", "since_seen", "live"),
    [
        (timedelta(), timedelta(), True),
        (timedelta(days=30), timedelta(days=30) - SECOND, True),
        (timedelta(days=30), timedelta(days=30), False),
        (timedelta(days=90) - SECOND, timedelta(), True),
        (timedelta(days=90), timedelta(), False),
    ],
)
def test_a_session_ends_after_a_month_unused_and_after_three_months_anyway(
    since_start: timedelta, since_seen: timedelta, live: bool
) -> None:
    assert rules.is_session_live(NOW, NOW - since_start, NOW - since_seen, None) is live
    assert not rules.is_session_live(NOW, NOW - since_start, NOW - since_seen, NOW)


@pytest.mark.parametrize("path", ["/", "/card", "/join?tier=plus", "/a/b?c=d&e=f", "/card#code"])
def test_a_link_may_lead_to_a_page_of_ours(path: str) -> None:
    assert rules.own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [None, "", "card", "//evil.example.net", "///evil.example.net", "/\\evil.example.net", "\\\\evil.example.net",
     "https://evil.example.net", "javascript:alert(1)", "/\tevil", "/\n/evil.example.net", " /card", "/card\r\nX: y",
     "/a\\b"],
)  # fmt: skip
def test_a_link_leads_nowhere_else(path: str | None) -> None:
    assert rules.own_path(path) == "/"


@given(st.text())
def test_whatever_the_path_it_stays_on_this_site(text: str) -> None:
    for path in (rules.own_path(text), rules.own_path("/" + text)):
        assert path.startswith("/") and not path.startswith(("//", "/\\"))


@given(st.binary(min_size=16, max_size=16))
def test_link_and_code_come_from_the_nonce_and_the_key_alone(nonce: bytes) -> None:
    token, code = rules.link_token("key", nonce), rules.sign_in_code("key", nonce)
    assert len(token) == 43 and len(code) == 8 and code.isdecimal()
    assert (token, code) == (rules.link_token("key", nonce), rules.sign_in_code("key", nonce))
    assert token != rules.link_token("other key", nonce)
    assert code not in token and rules.hash_token(token) != token


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Version/18.0 Mobile Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130 Safari/537 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"),
        ("curl/8", "Browser"),
        ("<script>", "Browser"),
    ],
)
def test_a_device_is_named_as_people_know_it(agent: str, name: str) -> None:
    assert rules.device_name(agent) == name
