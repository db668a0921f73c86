"""A bank debit takes days: what it is until then, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.payments.shop import Shop
from tests.payments.test_settling import a_year

DAY = timedelta(days=1)


@pytest.fixture
def debit(shop: Shop) -> Shop:
    """Alice, new, has joined by SEPA debit today; the money is on its way."""
    shop.control("payment-methods", card=True, sepa_debit=True)
    shop.control(f"checkouts/{shop.browser().choose('basic')}/debit")
    shop.quiet()
    return shop


def last_charge(shop: Shop) -> str:
    return shop._ids("charge", "status", None)[-1]


def test_a_newcomer_whose_debit_is_on_its_way_is_no_member_and_is_offered_no_second_checkout(debit: Shop) -> None:
    story = debit.story()
    assert (story.status, story.terms, story.cards, story.payments) == ("none", [], 0, ["pending"])
    answer = debit.browser().post("/join", {"tier": "basic"}, page="/account")
    assert (answer.status_code, "/pay/" in answer.headers["Location"]) == (302, False)


def test_a_newcomers_year_starts_on_the_day_the_money_arrives_with_full_length(debit: Shop) -> None:
    joined = debit.today
    debit.leap(4)
    debit.control(f"charges/{last_charge(debit)}/arrive")
    debit.quiet()
    story = debit.story()
    assert debit.today == joined + 4 * DAY
    assert (story.status, story.terms, story.payments) == ("active", [f"basic {a_year(debit.today)}"], ["paid"])


def test_news_of_the_arrival_heard_days_later_starts_the_year_on_the_day_of_the_arrival(debit: Shop) -> None:
    debit.leap(4)
    arrived = debit.today
    debit.control("faults", drop=True)
    debit.control(f"charges/{last_charge(debit)}/arrive")
    with debit.books():
        from app.association import get_association
        from app.extensions import db

        get_association(for_update=True).clock_offset_seconds += 3 * 86_400
        db.session.commit()
    debit.sweep()
    assert debit.story().terms == [f"basic {a_year(arrived)}"]


def test_a_debit_that_fails_leaves_nothing_and_the_offer_can_be_taken_up_again(debit: Shop) -> None:
    debit.leap(3)
    debit.control(f"charges/{last_charge(debit)}/fail")
    debit.quiet()
    story = debit.story()
    assert (story.status, story.terms, story.ledger, story.payments) == ("none", [], [], ["closed"])
    debit.pay(debit.browser().choose("basic"))
    assert debit.story().status == "active"


def test_a_renewers_debit_buys_the_offered_days_and_changes_nothing_until_then(shop: Shop) -> None:
    shop.pay(shop.browser().choose("basic"))
    before = shop.story()
    shop.leap(2)
    shop.control("payment-methods", card=True, sepa_debit=True)
    shop.control(f"checkouts/{shop.browser().choose('basic', '/renew')}/debit")
    shop.quiet()
    assert (shop.story().status, shop.story().terms) == ("active", before.terms)
    shop.leap(5)
    shop.control(f"charges/{last_charge(shop)}/arrive")
    shop.quiet()
    first_end = before.terms[0].rpartition(" ")[2]
    assert shop.story().terms[1].split()[1] == (shop.today.fromisoformat(first_end) + DAY).isoformat()


def test_a_debit_returned_weeks_later_is_lost_at_once(debit: Shop) -> None:
    debit.control(f"charges/{last_charge(debit)}/arrive")
    debit.quiet()
    began = debit.today
    debit.leap(20)
    debit.control(f"charges/{last_charge(debit)}/return")
    debit.quiet()
    story = debit.story()
    assert (story.status, story.terms) == (
        "lapsed", [f"basic {began} – {began + 19 * DAY} dispute_lost"]
    )  # fmt: skip
    assert story.receipts == [f"{began.year}-000001 3000", f"R{began.year}-000001 3000"]
    assert "dispute_withdrawn 3000 disputes < provider" in story.ledger
