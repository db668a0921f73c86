"""The member's and the staff's pages for each of the cast, in each state: a date, a price, a next step."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from flask import Flask

from app import clock
from app.accounts.service import grant_role, open_account
from app.extensions import db
from app.formats import day_long, day_short
from app.memberships.models import Suspension
from app.memberships.service import TermDates, grant_term, standing_of, terms_of
from app.people.models import Person
from app.people.service import add_person
from tests.cast import Cast, pay
from tests.kept import everything_kept
from tests.verification.asking import set_clock
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WHO = ("alice", "bob", "carol", "dan", "mallory")


def text_of(page: str) -> str:
    """What is read on a page, in one line with plain spaces."""
    main = re.sub(r"(?s)^.*<main[^>]*>", "", page).partition("</main>")[0]
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())
    return re.sub(r" ([.,;:])", r"\1", words)


def read(visitor: Visitor, path: str) -> str:
    response = visitor.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return text_of(response.get_data(as_text=True))


def home(app: Flask, who: str) -> str:
    return read(Visitor(app, f"{who}@example.org"), "/")


def long(day: date | None) -> str:
    assert day is not None
    return day_long(day).replace("\u00a0", " ")


def short(day: date | None) -> str:
    assert day is not None
    return day_short(day).replace("\u00a0", " ")


def a_year_after(last: date) -> date:
    """The last day of the year that follows a year ending on `last`."""
    first = last + timedelta(days=1)
    return first.replace(year=first.year + 1) - timedelta(days=1)


def hold(person: Person) -> None:
    db.session.add(Suspension(person_id=person.id, cause="dispute", from_at=clock.now()))
    db.session.commit()


def test_an_active_member_reads_until_when_and_what_renewing_costs(app: Flask, cast: Cast) -> None:
    valid_until = standing_of(cast.alice.id, cast.now, cast.today).valid_until
    assert valid_until is not None
    text = home(app, "alice")
    assert f"{(valid_until - cast.today).days} days left" in text
    assert f"A member until {long(valid_until)}" in text
    assert "Renew for €50.00" in text
    assert f"New last day: {long(a_year_after(valid_until))}" in text
    assert "Show" in text and "Sports hall" in text


@pytest.mark.parametrize(("days_before", "words"), [(1, "1 day left"), (0, "Last day today")])
def test_the_last_days_are_counted_in_words(app: Flask, cast: Cast, days_before: int, words: str) -> None:
    valid_until = standing_of(cast.alice.id, cast.now, cast.today).valid_until
    assert valid_until is not None
    set_clock(clock.day_end(valid_until - timedelta(days=days_before)) - timedelta(hours=2))
    assert words in home(app, "alice")


def test_in_grace_one_reads_when_the_year_ended_and_by_when_to_renew(app: Flask, cast: Cast) -> None:
    standing = standing_of(cast.bob.id, cast.now, cast.today)
    assert standing.grace_until is not None and standing.valid_until is not None
    text = home(app, "bob")
    assert f"{(standing.grace_until - cast.today).days} days of grace left" in text
    assert f"Your year ended on {long(standing.valid_until)}. Renew by {long(standing.grace_until)}" in text
    assert "Renew for €50.00" in text
    assert f"New last day: {long(a_year_after(standing.valid_until))}" in text


@pytest.mark.parametrize(("who", "price"), [("carol", "€30.00"), ("dan", "€30.00")])
def test_whoever_is_no_longer_a_member_reads_since_when_and_the_way_back(
    app: Flask, cast: Cast, who: str, price: str
) -> None:
    ended = standing_of(getattr(cast, who).id, cast.now, cast.today).valid_until
    text = home(app, who)
    assert "Your membership ended" in text
    assert f"You were a member until {long(ended)}" in text
    assert f"Come back for {price}" in text
    assert f"Last day: {long(a_year_after(cast.today - timedelta(days=1)))}" in text
    assert "days left" not in text


def test_a_refund_stands_among_the_payments(app: Flask, cast: Cast) -> None:
    assert "€30.00 Refunded" in home(app, "dan")


def test_a_stranger_to_membership_is_welcomed_with_a_price(app: Flask, cast: Cast) -> None:
    text = home(app, "mallory")
    assert "Welcome, Mallory" in text and "You are not a member yet." in text
    assert "Become a member from €30.00" in text
    assert "None yet." in text


def test_on_hold_nothing_is_sold(app: Flask, cast: Cast) -> None:
    hold(cast.alice)
    text = home(app, "alice")
    assert "On hold" in text and "the card does not work meanwhile" in text
    assert "Renew for" not in text


def test_after_renewing_nothing_more_is_sold(app: Flask, cast: Cast) -> None:
    before = standing_of(cast.alice.id, cast.now, cast.today).valid_until
    assert before is not None
    pay(cast.alice, cast.plus, cast.today)
    text = home(app, "alice")
    assert f"A member until {long(a_year_after(before))}" in text
    assert "Renew for" not in text


def test_a_coming_membership_says_when_it_starts(app: Flask, cast: Cast) -> None:
    starts_on = cast.today + timedelta(days=10)
    ends_on = starts_on + timedelta(days=364)
    dates = TermDates(starts_on, starts_on, ends_on, ends_on)
    grant_term(cast.mallory.id, cast.basic, dates, "test", "a prize", cast.now)
    mallory = Visitor(app, "mallory@example.org")
    assert f"You start on {long(starts_on)}" in read(mallory, "/")
    assert f"Your card starts on {long(starts_on)}" in read(mallory, "/card")
    assert "Granted" in read(mallory, "/account/why")


@pytest.mark.parametrize("who", WHO)
def test_the_account_page_is_ones_own(app: Flask, cast: Cast, who: str) -> None:
    person = getattr(cast, who)
    text = read(Visitor(app, person.email), "/account")
    assert person.full_name in text and person.member_number in text and person.email in text
    for other in WHO:
        if other != who:
            assert getattr(cast, other).full_name not in text


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("alice", "A member on this day because payment P-"), ("bob", "In grace on this day because payment P-"),
        ("carol", "No longer a member on this day because payment P-"),
        ("dan", "No longer a member on this day because payment P-"), ("mallory", "No day of membership so far"),
    ],
)  # fmt: skip
def test_every_day_is_explained_by_its_payment(app: Flask, cast: Cast, who: str, words: str) -> None:
    person = getattr(cast, who)
    texts = [
        read(Visitor(app, person.email), "/account/why"),
        read(Visitor(app, "admin@example.org"), f"/admin/people/{person.member_number}"),
    ]
    for text in texts:
        assert words in text
        for term in terms_of(person.id):
            assert f"{short(term.starts_on)} – {short(term.ends_on)}" in text
            assert f"bought {short(term.starts_on)} – {short(term.sold_ends_on)}" in text


@pytest.mark.parametrize("who", WHO)
def test_a_persons_record_shows_money_to_the_treasurer_only(app: Flask, cast: Cast, who: str) -> None:
    person = getattr(cast, who)
    seen = {
        role: read(Visitor(app, f"{role}@example.org"), f"/admin/people/{person.member_number}")
        for role in ("treasurer", "admin")
    }
    assert all(person.full_name in text for text in seen.values())
    assert "Payments" in seen["treasurer"] and "Payments" not in seen["admin"]


def test_a_record_on_hold_says_so(app: Flask, cast: Cast) -> None:
    hold(cast.alice)
    text = read(Visitor(app, "admin@example.org"), f"/admin/people/{cast.alice.member_number}")
    assert "On hold" in text


def test_the_administrator_sees_the_association_in_figures(app: Flask, cast: Cast) -> None:
    text = read(Visitor(app, "admin@example.org"), "/admin")
    for words in (
        "People 5", "Active 1", "In grace 1", "Lapsed 2", "Basic", "Plus", "€30.00", "€50.00", "Main desk", "Library",
        "Campus Wi-Fi", "No scan yet", "Never asked", "No worker has ever been seen",
    ):  # fmt: skip
        assert words in text, words


def test_people_are_found_by_name_number_and_address(app: Flask, cast: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    for text in ("alice", "Soler", "ALICE SOLER", cast.alice.member_number, "alice@example.org"):
        found = read(admin, f"/admin/people?text={text}")
        assert "Alice Soler" in found and "Bob Vidal" not in found, text


PAGES = (
    "/", "/join", "/renew", "/account", "/account/why", "/card", "/treasury", "/treasury/payments", "/admin",
    "/admin/people", "/scan", "/sign-in", "/privacy", "/accessibility", "/api/v1/docs", "/api/v1/openapi.json",
    "/.well-known/jwks.json", "/healthz", "/C/1", "/treasury/payments.csv",
)  # fmt: skip


def test_before_there_is_any_tier_every_page_works(app: Flask) -> None:
    now = clock.now()
    for role in ("scanner", "treasurer", "admin"):
        grant_role(open_account(f"{role}@example.org", now), role, now)
    db.session.commit()
    kept = everything_kept()
    assert kept["tier"] == kept["person"] == []
    for who in (None, "newcomer", "scanner", "treasurer", "admin"):
        visitor = Visitor(app, f"{who}@example.org" if who else None)
        statuses = {path: visitor.get(path).status_code for path in PAGES}
        assert max(statuses.values()) < 500, (who, statuses)
        assert statuses["/"] in (200, 302)
    assert "There is no membership on sale right now" in read(Visitor(app), "/")
    assert "No tier yet" in read(Visitor(app, "admin@example.org"), "/admin")
    assert "flask services add" in read(Visitor(app, "scanner@example.org"), "/scan")


def test_a_member_of_no_tier_on_sale_has_a_home(app: Flask) -> None:
    add_person("Nora", "Gil", "nora@example.org", clock.now())
    db.session.commit()
    nora = Visitor(app, "nora@example.org")
    assert "Welcome, Nora" in read(nora, "/")
    assert nora.get("/join").status_code == 200
    form = {"tier": "plus", "given_name": "Nora", "family_name": "Gil"}
    assert nora.post("/join", form).status_code == 400
