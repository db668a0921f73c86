"""A member asks about any day; and the states of a home that money does not make."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from app.extensions import db
from app.memberships.rules import FOR_LIFE
from app.memberships.service import TermDates, add_tier, close_tier, get_tier, grant_term, hold_person, terms_of
from tests.cast import Cast
from tests.portal.test_states import long, read, text_of
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = timedelta(days=1)


def asked(app: Flask, day: date) -> str:
    return read(Visitor(app, "alice@example.org"), f"/account/why?as_of={day}")


def test_the_day_before_the_first_and_the_last_day_of_a_term_are_told_apart(app: Flask, cast: Cast) -> None:
    [term] = terms_of(cast.alice.id)
    for day, words in (
        (term.starts_on - DAY, "No day of membership so far."),
        (term.starts_on, "A member on this day because payment P-"),
        (term.ends_on, "A member on this day because payment P-"),
        (term.ends_on + DAY, "In grace on this day because payment P-"),
        (term.grace_ends_on + DAY, "No longer a member on this day because payment P-"),
    ):
        text = asked(app, day)
        assert words in text and long(day) in text, day


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_there_are_have_an_answer(app: Flask, cast: Cast, day: date) -> None:
    assert "Every day explained" in asked(app, day)


@pytest.mark.parametrize("typed", ["soon", "2026-02-30", "31/12/2026", "\x00", "9" * 99])
def test_what_is_no_day_is_said_beside_the_field_and_today_is_explained(app: Flask, cast: Cast, typed: str) -> None:
    response = Visitor(app, "alice@example.org").get("/account/why", query_string={"as_of": typed})
    text = text_of(response.get_data(as_text=True))
    assert response.status_code == 400
    assert "That is not a day." in text and f"Today, {long(cast.today)}" in text


def test_a_member_for_life_has_nothing_to_renew(app: Flask, cast: Cast) -> None:
    dates = TermDates(cast.today, cast.today, FOR_LIFE, FOR_LIFE)
    grant_term(cast.mallory.id, cast.plus, dates, "test", "honorary", cast.now)
    mallory = Visitor(app, "mallory@example.org")
    home = read(mallory, "/")
    assert "A member for life" in home and "9999" not in home and "Become a member" not in home
    for page in ("/join", "/renew"):
        assert mallory.get(page).headers["Location"] == "/"
    assert "9999" not in read(mallory, "/account")


def test_staffs_hold_says_whom_to_ask_and_accuses_nobody(app: Flask, cast: Cast) -> None:
    hold_person(cast.alice, "staff", "test", cast.now)
    text = read(Visitor(app, "alice@example.org"), "/")
    assert "Ask the association" in text and "bank" not in text and "Renew for" not in text


def test_the_landing_sells_what_is_on_sale_and_names_who_may_pay_less(app: Flask, cast: Cast) -> None:
    add_tier("old", "Founders", 1000, cast.now)
    add_tier("young", "Young", 1500, cast.now, graduated_within=2)
    db.session.flush()
    close_tier(get_tier("old"), cast.today, cast.basic, cast.now, cast.today)
    text = read(Visitor(app), "/")
    assert "Founders" not in text and "Choose Young" not in text
    assert "There is also Young. For those who graduated at most 2 years ago." in text
