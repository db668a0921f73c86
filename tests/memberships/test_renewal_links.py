"""Links in mails: signed, for one purpose, for a time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from app.errors import Refusal
from app.memberships import renewal_links
from tests.memberships.booking import at

pytestmark = pytest.mark.parametrize("shared_app", ["sqlite"], indirect=True)
NOW = at(date(2026, 11, 23))
PURPOSES: tuple[renewal_links.Purpose, ...] = ("renew", "stop", "gift")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_link_opens_what_it_was_made_for_until_its_time(house: Flask, purpose: renewal_links.Purpose) -> None:
    token = renewal_links.make(purpose, 123, NOW)
    ends_at = NOW + renewal_links.LIVES[purpose]
    assert renewal_links.read(purpose, token, ends_at - timedelta(seconds=1)) == 123
    for late in (ends_at, ends_at + timedelta(seconds=1)):
        with pytest.raises(Refusal) as refusal:
            renewal_links.read(purpose, token, late)
        assert (refusal.value.code, refusal.value.status) == ("link_too_old", 410)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_link_is_no_good_for_another_purpose(house: Flask, purpose: renewal_links.Purpose) -> None:
    token = renewal_links.make(purpose, 123, NOW)
    for other in set(PURPOSES) - {purpose}:
        with pytest.raises(Refusal) as refusal:
            renewal_links.read(other, token, NOW)
        assert (refusal.value.code, refusal.value.status) == ("bad_link", 404)


def test_a_link_that_was_changed_or_made_elsewhere_opens_nothing(house: Flask) -> None:
    token = renewal_links.make("renew", 123, NOW)
    body, _dot, signature = token.rpartition(".")
    other = renewal_links.make("renew", 124, NOW).rpartition(".")[0]
    house.config["SECRET_KEY"], kept = "x" * 40, house.config["SECRET_KEY"]
    foreign = renewal_links.make("renew", 123, NOW)
    house.config["SECRET_KEY"] = kept
    for wrong in (f"{other}.{signature}", body, token[:-1], token + "x", "", ".", "é", foreign):
        with pytest.raises(Refusal) as refusal:
            renewal_links.read("renew", wrong, NOW)
        assert refusal.value.code == "bad_link"
