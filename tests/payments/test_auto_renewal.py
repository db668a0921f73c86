"""Renewing by itself: announced, taken by our rules, retried, stopped, and never of somebody who has paid."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app import clock
from app.association import get_association
from app.extensions import db
from app.jobs import Job, work_off
from app.memberships.service import choose_renewal_tier, get_tier
from app.payments import checkouts, renewing
from app.payments.models import AutoRenewal
from app.payments.service import Wanted, find_auto_renewal
from tests.payments.shop import Shop

DAY = timedelta(days=1)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # years; histories has the other


def joins_for_good(shop: Shop, way: str = "pay") -> None:
    """Alice joins and ticks the box."""
    with shop.books():
        wanted = Wanted(get_tier("basic").id, auto_renewal=True)
        _number, address = checkouts.start(shop.alice, wanted, "test", "en")
    shop.control(f"checkouts/{(address or '').rpartition('/')[2]}/{way}")
    shop.quiet()
    shop.work()


@pytest.fixture
def subscriber(shop: Shop) -> Shop:
    joins_for_good(shop)
    return shop


def renewal(shop: Shop) -> AutoRenewal:
    """The newest wish, read only."""
    with shop.books():
        found = db.session.execute(select(AutoRenewal).order_by(AutoRenewal.id.desc())).scalars().first()
        assert found is not None
        db.session.expunge(found)
        return found


def letters(shop: Shop, name: str) -> list[date]:
    """The days on which letters of this name were ordered."""
    ordered = shop.in_own_words(select(Job.created_at).where(Job.name == name).order_by(Job.id))
    with shop.books():
        return [clock.day_of(at) for at in ordered]


def subscription(shop: Shop) -> dict[str, object]:
    found = shop.simulator.account.store.find("subscription", renewal(shop).stripe_subscription_id or "")
    assert found is not None
    return found


def to_the_eve(shop: Shop) -> date:
    """Until the day before the charge; the day of the charge."""
    charge_on = renewal(shop).charge_on
    shop.leap((charge_on - shop.today).days - 23)
    shop.pass_days(3)
    shop.leap(19)
    return charge_on


def test_the_wish_takes_nothing_now_and_the_fee_of_the_day_after_the_year(subscriber: Shop) -> None:
    story = subscriber.story()
    assert (story.status, len(story.terms), story.payments) == ("active", 1, ["paid"])
    ends_on = date.fromisoformat(story.terms[0].rpartition(" ")[2])
    assert (renewal(subscriber).charge_on, renewal(subscriber).fee_cents) == (ends_on + DAY, 3000)
    assert subscription(subscriber)["status"] == "trialing"


def test_a_year_later_the_charge_renews_by_our_rules_after_a_notice(subscriber: Shop) -> None:
    first = subscriber.story()
    charge_on = to_the_eve(subscriber)
    notices = letters(subscriber, "mail_renewal_notice")
    assert notices == [charge_on - 21 * DAY]
    subscriber.pass_days(2)
    story = subscriber.story()
    assert (story.status, story.payments) == ("active", ["paid", "paid"])
    assert story.terms == [*first.terms, f"basic {charge_on} – {renewal(subscriber).charge_on - DAY}"]
    assert renewal(subscriber).charge_on.year == charge_on.year + 1
    assert len(story.receipts) == 2


def test_a_charge_that_fails_is_tried_again_at_most_four_times_and_then_stops_and_says_so(subscriber: Shop) -> None:
    to_the_eve(subscriber)
    customer = subscriber._ids("customer", "object", None)[-1]
    subscriber.control(f"customers/{customer}/charges", next="decline")
    subscriber.pass_days(40, step=3)
    story = subscriber.story()
    assert (story.status, len(story.terms)) == ("lapsed", 1)
    assert len(letters(subscriber, "mail_renewal_failed")) == 4
    assert len(letters(subscriber, "mail_renewal_stopped")) == 1
    assert (renewal(subscriber).off_because, subscription(subscriber)["status"]) == ("unpaid", "canceled")


def test_somebody_who_paid_otherwise_is_not_charged_by_a_retry(subscriber: Shop) -> None:
    """restrict-content-pro: an automatic renewal failed, its owner renewed by hand, and the retry charged again."""
    to_the_eve(subscriber)
    customer = subscriber._ids("customer", "object", None)[-1]
    subscriber.control(f"customers/{customer}/charges", next="decline")
    subscriber.pass_days(2)
    subscriber.control(f"customers/{customer}/charges", next="succeed")
    subscriber.pay(subscriber.browser().choose("basic", "/renew"))
    subscriber.work()
    subscriber.pass_days(30, step=3)
    story = subscriber.story()
    assert (story.payments, len(story.terms), story.reasons) == (["paid", "paid"], 2, [])
    assert renewal(subscriber).off_at is None and renewal(subscriber).charge_on > subscriber.today + 300 * DAY


def test_somebody_who_renewed_early_by_hand_is_charged_a_year_later(subscriber: Shop) -> None:
    before = renewal(subscriber).charge_on
    subscriber.pay(subscriber.browser().choose("basic", "/renew"))
    subscriber.work()
    assert renewal(subscriber).charge_on.year == before.year + 1
    to_the_eve(subscriber)
    assert subscriber.story().payments == ["paid", "paid"]


def test_switched_off_nothing_is_taken_and_the_paid_days_stay(subscriber: Shop) -> None:
    with subscriber.books():
        found = find_auto_renewal(subscriber.alice)
        assert found is not None
        renewing.switch_off(found, "member", clock.now())
        db.session.commit()
    subscriber.work()
    assert subscription(subscriber)["status"] == "canceled"
    story = subscriber.story()
    subscriber.pass_days(3)
    assert (story.status, subscriber.story()) == ("active", story)
    assert letters(subscriber, "mail_renewal_stopped") == []


def test_a_lower_tier_chosen_for_the_next_renewal_is_what_is_taken(subscriber: Shop) -> None:
    with subscriber.books():
        choose_renewal_tier(subscriber.alice, get_tier("plus"), clock.now(), clock.today())
        db.session.commit()
    subscriber.work()
    assert renewal(subscriber).fee_cents == 5000
    to_the_eve(subscriber)
    subscriber.pass_days(2)
    story = subscriber.story()
    assert (story.terms[1].split()[0], story.ledger[-2].split()[1]) == ("plus", "5000")


def test_a_refund_of_the_running_year_ends_the_wish_too(subscriber: Shop) -> None:
    subscriber.control(f"charges/{subscriber.charge()}/refund")
    subscriber.quiet()
    subscriber.work()
    assert renewal(subscriber).off_because == "nothing_to_renew"
    assert subscription(subscriber)["status"] == "canceled"


def test_a_debit_taken_by_itself_keeps_the_status_and_pays_when_it_arrives(shop: Shop) -> None:
    shop.control("payment-methods", card=True, sepa_debit=True)
    joins_for_good(shop, "debit")
    shop.leap(6)
    charge_on = to_the_eve(shop)
    shop.pass_days(2)
    assert (shop.story().status, shop.story().payments) == ("grace", ["paid", "pending"])
    answer = shop.browser().get("/renew")
    assert (answer.status_code, "/done" in answer.headers["Location"]) == (302, True)
    shop.leap(7)
    story = shop.story()
    assert (story.status, story.payments, story.terms[1].split()[1]) == ("active", ["paid", "paid"], str(charge_on))


@pytest.fixture
def half_told(shop: Shop) -> Shop:
    """The provider made Alice's subscription, and we died before we could write it down."""
    shop.line.fault = lambda method, path: "lost" if (method, path) == ("POST", "/v1/subscriptions") else None
    with shop.books():
        wanted = Wanted(get_tier("basic").id, auto_renewal=True)
        _number, address = checkouts.start(shop.alice, wanted, "test", "en")
    shop.pay((address or "").rpartition("/")[2])
    with shop.books():
        work_off(clock.now)
    assert (renewal(shop).stripe_subscription_id, len(subscriptions(shop))) == (None, 1)
    shop.line.fault = lambda method, path: None
    return shop


def subscriptions(shop: Shop) -> list[str]:
    rows = shop.simulator.account.store.rows("SELECT body FROM object WHERE kind = 'subscription' ORDER BY seq")
    return [json.loads(row["body"])["status"] for row in rows]


def test_a_subscription_made_by_a_worker_that_died_is_found_days_later_and_not_made_twice(half_told: Shop) -> None:
    """The provider forgets the key of a call after a day; a second subscription would take a second fee."""
    half_told.leap(3)
    assert subscriptions(half_told) == ["trialing"]
    assert subscription(half_told)["status"] == "trialing"
    to_the_eve(half_told)
    half_told.pass_days(2)
    assert half_told.story().payments == ["paid", "paid"]


def test_a_wish_that_ends_before_its_subscription_is_known_ends_that_too(half_told: Shop) -> None:
    with half_told.books():
        found = find_auto_renewal(half_told.alice)
        assert found is not None
        renewing.switch_off(found, "member", clock.now())
        db.session.commit()
    half_told.leap(1)
    assert subscriptions(half_told) == ["canceled"]


def test_a_charge_taken_while_nobody_listened_for_months_is_found_by_the_next_sweep(subscriber: Shop) -> None:
    charge_on = to_the_eve(subscriber)
    subscriber.control("faults", drop=True)
    with subscriber.books():
        get_association(for_update=True).clock_offset_seconds += 300 * 86_400
        db.session.commit()
    subscriber.control("clock", add=300 * 86_400)
    subscriber.work()
    story = subscriber.story()
    assert story.payments == ["paid", "paid"]
    assert story.terms[1].split()[1] == str(charge_on)
