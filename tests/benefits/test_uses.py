"""What was used: a member's own, what it brought them, what a benefit moves, a service's own."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from app.benefits.redeeming import cancel, confirm, reserve
from app.benefits.service import add_benefit, set_partner
from app.benefits.uses import brought, moved, redemptions_of, uses_of_service
from app.memberships.service import OwnYear, own_year_of
from tests.cast import Cast

DAY = timedelta(days=1)


def used(cast: Cast) -> None:
    """Alice read two books (one given back), bob one; alice took a course for 240 in place of 300, and reserved one."""
    books = add_benefit("books", "Books", [cast.plus], True, cast.now, value_cents=250, cost_cents=100)
    courses = add_benefit("courses", "Courses", [cast.plus], True, cast.now, discount_percent=20)
    set_partner(courses, cast.desk.id, cast.now)
    here = cast.library.id
    readers = [cast.alice, cast.alice, cast.alice, cast.bob]
    uses = [reserve(books, person.id, here, cast.now, cast.today) for person in readers]
    uses.append(reserve(courses, cast.alice.id, here, cast.now, cast.today, price_cents=30000))
    for it in uses:
        confirm(it.id, here, cast.now)
    cancel(uses[0].id, here, cast.now)
    reserve(books, cast.alice.id, here, cast.now, cast.today)


def test_what_a_year_brought_counts_confirmed_uses_only(app: Flask, cast: Cast) -> None:
    used(cast)
    year = own_year_of(cast.alice.id, cast.today)
    assert year is not None
    found = [(it.benefit.code, it.uses, it.value_cents, it.currency) for it in brought(cast.alice.id, year)]
    assert found == [("books", 2, 500, "EUR"), ("courses", 1, 6000, "EUR")]
    assert brought(cast.alice.id, OwnYear(cast.today + DAY, cast.today + DAY)) == []
    assert brought(cast.alice.id, OwnYear(cast.today - DAY, cast.today - DAY)) == []
    assert len(brought(cast.alice.id, OwnYear(cast.today, cast.today))) == 2
    assert brought(cast.mallory.id, year) == []


def test_a_member_sees_all_that_became_of_their_uses(app: Flask, cast: Cast) -> None:
    used(cast)
    states = [it.state for it in redemptions_of(cast.alice.id, cast.today, cast.today)]
    assert sorted(states) == ["cancelled", "confirmed", "confirmed", "confirmed", "reserved"]


def test_what_a_benefit_moves_and_costs_is_summed(app: Flask, cast: Cast) -> None:
    used(cast)
    found = [
        (it.benefit.code, it.uses, it.people, it.value_cents, it.cost_cents) for it in moved(cast.today, cast.today)
    ]
    assert found == [("books", 3, 2, 750, 300), ("courses", 1, 1, 6000, 0)]


def test_a_service_sees_what_it_redeemed_and_what_it_provides_and_nothing_else(app: Flask, cast: Cast) -> None:
    used(cast)
    days = (cast.today, cast.today)
    assert {it.benefit.code for it in uses_of_service(cast.desk.id, *days)[0]} == {"courses"}
    rows, more = uses_of_service(cast.library.id, *days)
    assert (len(rows), more) == (6, False)
