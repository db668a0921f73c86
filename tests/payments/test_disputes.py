"""A bank takes a charge back: held while it is open, ended when lost, given back when won."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.payments.shop import Shop
from tests.payments.test_settling import a_year

DAY = timedelta(days=1)


@pytest.fixture
def disputed(shop: Shop) -> Shop:
    """Alice paid ten days ago; her bank disputes the charge today."""
    shop.pay(shop.browser().choose("basic"))
    shop.leap(10)
    shop.control(f"charges/{shop.charge()}/dispute")
    shop.quiet()
    return shop


def act(shop: Shop, name: str) -> None:
    shop.control(f"disputes/{shop._ids('dispute', 'object', None)[-1]}/{name}")
    shop.quiet()


def test_an_open_dispute_holds_the_days_and_takes_the_money_and_its_fee_for_now(disputed: Shop) -> None:
    story = disputed.story()
    assert (story.status, story.terms) == ("suspended", [f"basic {a_year(disputed.today - 10 * DAY)}"])
    assert story.ledger[-2:] == [
        "dispute_withdrawn 3000 disputes < provider",
        "provider_fee 2000 provider_fees < provider",
    ]
    assert story.reasons == ["dispute_open"]


def test_a_dispute_that_is_won_gives_the_days_and_the_money_back(disputed: Shop) -> None:
    disputed.leap(5)
    act(disputed, "won")
    story = disputed.story()
    assert (story.status, story.terms) == ("active", [f"basic {a_year(disputed.today - 15 * DAY)}"])
    assert "dispute_reinstated 3000 provider < disputes" in story.ledger
    assert story.receipts == [f"{disputed.today.year}-000001 3000"]


@pytest.mark.parametrize("heard", ["at once", "by the sweep, days later"])
def test_a_dispute_that_is_lost_ends_the_days_on_its_day_without_grace(disputed: Shop, heard: str) -> None:
    disputed.leap(5)
    lost_on = disputed.today
    if heard != "at once":
        disputed.control("faults", drop=True)
    act(disputed, "lost")
    if heard != "at once":
        assert disputed.story().status == "suspended"
        disputed.control("faults", drop=False)
        disputed.leap(3)
        disputed.sweep()
    story = disputed.story()
    assert story.terms == [f"basic {lost_on - 15 * DAY} – {lost_on - DAY} dispute_lost"]
    assert (story.status, story.payments) == ("lapsed", ["refunded"])
    assert story.receipts[1].startswith("R")
    disputed.sweep()
    assert disputed.story() == story


def test_a_word_of_the_bank_we_do_not_know_leaves_the_dispute_open(disputed: Shop) -> None:
    act(disputed, "lost")
    assert disputed.story().status == "lapsed"
    act(disputed, "appeal")
    assert disputed.story().status == "lapsed"  # what is lost comes back when it is won, not before
    act(disputed, "won")
    story = disputed.story()
    assert (story.status, story.terms) == ("active", [f"basic {a_year(disputed.today - 10 * DAY)}"])
    assert [line.split()[1] for line in story.receipts] == ["3000", "3000", "3000"]


def test_an_inquiry_moves_nothing_and_is_shown_to_the_treasurer(shop: Shop) -> None:
    shop.pay(shop.browser().choose("basic"))
    before = shop.story()
    shop.control(f"charges/{shop.charge()}/inquire")
    shop.quiet()
    story = shop.story()
    assert (story.status, story.ledger, story.reasons) == ("active", before.ledger, ["inquiry"])
    act(shop, "close")
    assert shop.story().status == "active"


def test_a_dispute_of_this_year_leaves_next_years_renewal_standing(shop: Shop) -> None:
    shop.pay(shop.browser().choose("basic"))
    this_year = shop.charge()
    shop.pay(shop.browser().choose("basic", "/renew"))
    shop.control(f"charges/{this_year}/dispute")
    shop.quiet()
    assert shop.story().status == "suspended"
    act(shop, "lost")
    story = shop.story()
    assert story.terms[0] == f"basic {shop.today} – {shop.today - DAY} dispute_lost"
    assert (story.status, len(story.terms), story.payments) == ("none", 2, ["refunded", "paid"])
