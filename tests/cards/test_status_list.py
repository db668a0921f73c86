"""The list of cards withdrawn: which facts change it, when, and the form it is sent in."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.cards import service
from app.cards.keys import CardKeys, generate
from app.cards.models import Card
from app.cards.replacing import replace_card
from app.cards.status_list import SMALLEST, list_size, sign_list
from app.cards.withdrawn import withdrawn_places
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import (
    end_terms_of_payment,
    hold_person,
    lift_suspension_of_payment,
    release_person,
    restore_terms_of_payment,
    standing_of,
    suspend_days_of_payment,
    terms_of,
)
from app.people.models import Person
from tests.cards.opening import OpenedList, Refused, open_list
from tests.cast import Cast, pay
from tests.verification.asking import card_of, set_clock
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = timedelta(days=1)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://alumni.example.org/api/v1/card-status"
KEY = generate(1, date(2020, 1, 1), "status")
JWKS = {"keys": [KEY.public_jwk()]}


def fetch(app: Flask, **headers: str) -> TestResponse:
    return Visitor(app).get("/api/v1/card-status", headers=headers)


def fetched(app: Flask) -> OpenedList:
    jwks = Visitor(app).get("/.well-known/jwks.json").json
    return open_list(fetch(app).get_data(as_text=True), jwks, app.config["BASE_URL"] + "/api/v1/card-status")


def is_listed(app: Flask, person: Person) -> bool | None:
    return fetched(app).is_set(card_of(person).status_index)


def payment_of(person: Person, n: int = 0) -> int:
    payment_id = [term.payment_id for term in terms_of(person.id)][n]
    assert payment_id is not None
    return payment_id


# --- which facts change it, at the next request ---


@pytest.mark.parametrize("because", ["refunded", "withdrawn", "dispute_lost", "merge"])
def test_a_term_cut_early_is_listed_and_one_restored_is_not(app: Flask, cast: Cast, because: str) -> None:
    assert is_listed(app, cast.alice) is False
    end_terms_of_payment(payment_of(cast.alice), because, cast.now, cast.today)
    assert is_listed(app, cast.alice) is True
    restore_terms_of_payment(payment_of(cast.alice), cast.now, cast.today)
    assert is_listed(app, cast.alice) is False


def test_a_refund_in_grace_is_listed_though_no_day_was_taken(app: Flask, cast: Cast) -> None:
    assert is_listed(app, cast.bob) is False
    end_terms_of_payment(payment_of(cast.bob), "refunded", cast.now, cast.today)
    assert is_listed(app, cast.bob) is True


def test_a_hold_is_listed_until_its_release(app: Flask, cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        hold_person(person, "house rules", "test", clock.now())
        assert is_listed(app, person) is True
        release_person(person, "test", clock.now())
        assert is_listed(app, person) is False


def test_a_dispute_is_listed_until_it_is_won(app: Flask, cast: Cast) -> None:
    suspend_days_of_payment(payment_of(cast.alice), "dispute", clock.now(), clock.now())
    assert is_listed(app, cast.alice) is True
    lift_suspension_of_payment(payment_of(cast.alice), "dispute", clock.now(), clock.now())
    assert is_listed(app, cast.alice) is False


def test_a_dispute_of_next_years_fee_leaves_this_years_card_alone(app: Flask, cast: Cast) -> None:
    pay(cast.alice, cast.plus, cast.today)
    suspend_days_of_payment(payment_of(cast.alice, 1), "dispute", clock.now(), clock.now())
    assert is_listed(app, cast.alice) is False
    first_day = terms_of(cast.alice.id)[1].starts_on
    place = card_of(cast.alice).status_index
    days = (first_day - DAY, first_day)
    assert [place in withdrawn_places(clock.now(), day) for day in days] == [False, True]


def test_a_lost_card_is_listed_and_the_one_in_its_place_is_not(app: Flask, cast: Cast) -> None:
    lost = card_of(cast.alice)
    replace_card(cast.alice.id, lost.id, None, clock.now())
    now_listed = fetched(app)
    assert now_listed.is_set(lost.status_index) is True
    assert now_listed.is_set(card_of(cast.alice).status_index) is False
    assert card_of(cast.alice).id != lost.id


def test_a_mere_lapse_a_refund_long_over_and_a_renewal_change_nothing(app: Flask, cast: Cast) -> None:
    before = fetched(app).set_indices
    assert is_listed(app, cast.carol) is False  # lapsed a year ago
    pay(cast.alice, cast.plus, cast.today)
    set_clock(clock.day_end(terms_of(cast.bob.id)[0].grace_ends_on) + timedelta(hours=1))
    assert standing_of(cast.bob.id, clock.now(), clock.today()).status == "lapsed"
    assert fetched(app).set_indices == before
    set_clock(clock.day_end(cast.today + timedelta(days=500)))
    assert fetched(app).set_indices == set()  # even dan's refund: his codes have ended by themselves


# --- it says what the register says, of every code that is within its dates ---


def refunded(cast: Cast) -> None:
    end_terms_of_payment(payment_of(cast.alice), "refunded", cast.now, cast.today)


def refunded_years_later(cast: Cast) -> None:
    pay(cast.alice, cast.plus, cast.today)
    end_terms_of_payment(payment_of(cast.alice, 1), "refunded", cast.now, cast.today)


def this_year_refunded_and_not_the_next(cast: Cast) -> None:
    pay(cast.alice, cast.plus, cast.today)
    end_terms_of_payment(payment_of(cast.alice), "refunded", cast.now, cast.today)


def refunded_and_back_again(cast: Cast) -> None:
    refunded(cast)
    pay(cast.alice, cast.basic, cast.today)


def refund_failed(cast: Cast) -> None:
    refunded(cast)
    restore_terms_of_payment(payment_of(cast.alice), cast.now, cast.today)


def disputed(cast: Cast) -> None:
    suspend_days_of_payment(payment_of(cast.alice), "dispute", cast.now, cast.now)


def next_year_disputed(cast: Cast) -> None:
    pay(cast.alice, cast.plus, cast.today)
    suspend_days_of_payment(payment_of(cast.alice, 1), "dispute", cast.now, cast.now)


def held(cast: Cast) -> None:
    hold_person(cast.alice, "house rules", "test", cast.now)


def lost(cast: Cast) -> None:
    replace_card(cast.alice.id, card_of(cast.alice).id, None, cast.now)


def nothing(cast: Cast) -> None:
    pay(cast.alice, cast.plus, cast.today)


ONE_YEAR = (
    refunded, refunded_years_later, this_year_refunded_and_not_the_next, refunded_and_back_again, refund_failed,
    disputed, next_year_disputed, held, lost, nothing,
)  # fmt: skip
TWO_YEARS = (refunded, disputed, held, lost, refund_failed)  # the printed code is good for both
STORIES = [(1, story) for story in ONE_YEAR] + [(2, story) for story in TWO_YEARS]


@SQLITE
@pytest.mark.parametrize(("years", "story"), STORIES, ids=[f"{years}_{story.__name__}" for years, story in STORIES])
def test_dates_and_list_together_say_of_a_printed_code_what_the_register_says(
    app: Flask, cast: Cast, years: int, story: Callable[[Cast], None]
) -> None:
    if years == 2:
        pay(cast.alice, cast.plus, cast.today)
    card = card_of(cast.alice)
    printed = standing_of(cast.alice.id, cast.now, cast.today)
    assert printed.grace_until is not None
    story(cast)
    db.session.flush()
    now = clock.now()
    over = max(term.sold_ends_on + timedelta(days=term.tier.grace_days) for term in terms_of(cast.alice.id))
    for day in {*boundaries(cast.alice), *(cast.today + timedelta(days=n) for n in range(0, 820, 41))}:
        if day < cast.today:
            continue
        is_set = card.status_index in withdrawn_places(now, day)
        is_good = card.revoked_at is None and standing_of(cast.alice.id, now, day).is_valid
        if day <= printed.grace_until:
            assert is_set is not is_good, day
        elif day > over:
            assert not is_set, day


def boundaries(person: Person) -> list[date]:
    """The day before, of and after each end of somebody's terms, as sold and as they stand."""
    days = [
        day
        for term in terms_of(person.id)
        for day in (term.starts_on, term.ends_on, term.sold_ends_on, term.grace_ends_on)
    ]
    return [day + n * DAY for day in days for n in (-1, 0, 1)]


def test_a_membership_for_life_that_ends_is_listed_for_good(app: Flask, cast: Cast) -> None:
    term = db.session.query(Term).filter_by(person_id=cast.alice.id).one()
    term.ends_on = term.sold_ends_on = term.grace_ends_on = date.max
    db.session.flush()
    place = card_of(cast.alice).status_index
    assert place not in withdrawn_places(cast.now, date(2150, 1, 1))
    end_terms_of_payment(payment_of(cast.alice), "refunded", cast.now, cast.today)
    assert place in withdrawn_places(cast.now, cast.today)
    assert place in withdrawn_places(cast.now, date(2150, 1, 1))


# --- how it is served ---


def test_the_list_is_public_and_may_be_kept_for_five_minutes(app: Flask, cast: Cast) -> None:
    response = fetch(app)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/statuslist+jwt"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in response.headers


@SQLITE
def test_unchanged_facts_give_the_same_bytes_within_an_hour(app: Flask, cast: Cast) -> None:
    set_clock(clock.now().replace(minute=2, second=0))
    first = fetch(app)
    set_clock(clock.now() + timedelta(minutes=50))
    again = fetch(app)
    assert (again.get_data(), again.headers["ETag"]) == (first.get_data(), first.headers["ETag"])
    assert fetch(app, If_None_Match=first.headers["ETag"]).status_code == 304
    assert not first.headers["ETag"].startswith("W/")
    set_clock(clock.now() + timedelta(minutes=10))
    assert fetch(app, If_None_Match=first.headers["ETag"]).status_code == 200  # a new hour, a new day to expire on


@SQLITE
def test_a_browser_gets_the_same_list_packed(app: Flask, cast: Cast) -> None:
    plain, packed = fetch(app), fetch(app, Accept_Encoding="gzip, deflate, br")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert "Accept-Encoding" in plain.headers["Vary"] and "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["ETag"] != plain.headers["ETag"]
    again = fetch(app, Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
    assert (again.status_code, again.get_data()) == (304, b"")


@SQLITE
def test_a_change_is_seen_by_whoever_has_the_list_from_a_moment_ago(app: Flask, cast: Cast) -> None:
    set_clock(clock.now().replace(minute=2, second=0))
    etag = fetch(app).headers["ETag"]
    hold_person(cast.alice, "house rules", "test", clock.now())
    response = fetch(app, If_None_Match=etag)
    assert response.status_code == 200
    assert response.headers["ETag"] != etag
    release_person(cast.alice, "test", clock.now())
    assert fetch(app, If_None_Match=etag).status_code == 304  # the facts of before, the list of before


@SQLITE
def test_the_list_names_itself_its_hour_and_how_long_it_holds(app: Flask, cast: Cast) -> None:
    opened = fetched(app)
    now = int(clock.now().timestamp())
    assert opened.sub == "http://127.0.0.1:8000/api/v1/card-status"
    assert opened.issued_at % 3600 == 0 and 0 <= now - opened.issued_at < 3600 + 5
    assert opened.expires_at - opened.issued_at == 24 * 3600
    assert opened.ttl == 300
    assert len(opened.bits) * 8 == SMALLEST


@SQLITE
def test_the_list_names_nobody(app: Flask, cast: Cast) -> None:
    """Where a card stands is random: the list of another set of people differs in nothing else."""
    hold_person(cast.alice, "house rules", "test", clock.now())
    opened = fetched(app)
    assert opened.set_indices == {card_of(cast.alice).status_index, card_of(cast.dan).status_index}


@SQLITE
def test_integrators_read_of_the_list_in_the_document_of_the_interface(app: Flask) -> None:
    operation = Visitor(app).get("/api/v1/openapi.json").json["paths"]["/api/v1/card-status"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["application/statuslist+jwt"]
    assert "/api/v1/card-status" in Visitor(app).get("/api/v1/docs").get_data(as_text=True)


@SQLITE
def test_asking_too_often_is_refused_for_a_while(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app)
    statuses = [visitor.get("/api/v1/card-status").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]


@SQLITE
def test_a_key_of_cards_signs_no_list(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    card_key = service.card_keys().of("card")[0]
    token = sign_list(card_key, URL, SMALLEST, [], NOON).decode()
    jwks = Visitor(app).get("/.well-known/jwks.json").json
    assert {key["kid"] for key in jwks["keys"]} == {"card-1", "status-1"}
    with pytest.raises(Refused):
        open_list(token, jwks)


# --- its size ---


@pytest.mark.parametrize(
    ("cards", "highest", "size"),
    [
        (0, -1, 131_072), (1, 131_071, 131_072), (65_536, 131_071, 131_072), (65_537, 131_071, 262_144),
        (131_072, 262_143, 262_144), (131_073, 262_143, 524_288), (3, 131_072, 262_144), (3, 2**24 - 1, 2**24),
    ],
)  # fmt: skip
def test_the_list_doubles_when_half_of_it_is_used(cards: int, highest: int, size: int) -> None:
    assert list_size(cards, highest) == size


def test_a_new_card_gets_a_place_within_the_list(app: Flask, cast: Cast) -> None:
    places = {card.status_index for card in db.session.query(Card)}
    assert len(places) == 4 and max(places) < SMALLEST


def test_131_072_cards_with_one_in_a_hundred_withdrawn_fit_into_four_kilobytes() -> None:
    drawn = random.Random(1)  # noqa: S311
    for _ in range(5):
        places = drawn.sample(range(SMALLEST), SMALLEST // 100)
        token = sign_list(KEY, URL, SMALLEST, places, NOON)
        assert open_list(token.decode(), JWKS, URL).set_indices == set(places)
        assert len(token) <= 4096
        # Half the places of a list stay free, so that so many cards have one twice as long: sent packed.
        places = drawn.sample(range(2 * SMALLEST), SMALLEST // 100)
        assert len(gzip.compress(sign_list(KEY, URL, 2 * SMALLEST, places, NOON))) <= 4096


@pytest.mark.parametrize(
    "places", [[], [0], [7, 8], [SMALLEST - 1], list(range(0, SMALLEST, 3)), list(range(SMALLEST))]
)
def test_every_place_is_told_apart_from_its_neighbours(places: list[int]) -> None:
    opened = open_list(sign_list(KEY, URL, SMALLEST, places, NOON).decode(), JWKS, URL)
    assert opened.set_indices == set(places)
    assert opened.is_set(SMALLEST) is None
    assert opened.is_set(SMALLEST - 1) is (SMALLEST - 1 in places)


def test_keys_of_the_list_change_on_their_day() -> None:
    old, new = generate(1, date(2026, 1, 1), "status"), generate(2, date(2026, 11, 24), "status")
    keys = CardKeys([generate(1, date(2026, 1, 1)), old, new])
    assert keys.signing_key(date(2026, 11, 23), "status") is old
    assert keys.signing_key(date(2026, 11, 24), "status") is new
