"""An offer fixes its days: what counts is the day the checkout was completed, in the association's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from app import clock
from app.extensions import db
from app.memberships.service import add_tier, get_tier, terms_of
from app.payments import service, settling
from app.payments.models import Payment
from app.people.service import add_person
from tests.payments.telling import checkout, money

OPENED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


@pytest.fixture
def offered(app: Flask) -> Payment:
    """A newcomer who was offered a year from 23 November 2026; it holds until 23 December."""
    add_tier("basic", "Basic", 3000, OPENED)
    person = add_person("Nora", "Pons", None, OPENED)
    return service.open_payment(person, service.Wanted(get_tier("basic").id), "test", "en", OPENED, TODAY)


def paid(payment: Payment, charged_at: datetime, now: datetime | None = None) -> Payment:
    facts = checkout(payment.number, "complete", money(charged_at=charged_at))
    settled = settling.settle_checkout(facts, False, now or charged_at + timedelta(days=3))
    assert settled is not None
    db.session.flush()
    return settled


@pytest.mark.parametrize(
    "paid_on, starts_on",
    [
        (TODAY, TODAY),
        (TODAY + DAY, TODAY),  # exactly those days, even when some have passed
        (TODAY + 30 * DAY, TODAY),  # the last day it holds
        (TODAY + 31 * DAY, TODAY + 31 * DAY),  # later money counts as offered on its value date
    ],
)
def test_money_within_the_days_an_offer_holds_buys_exactly_its_days(
    offered: Payment, paid_on: date, starts_on: date
) -> None:
    payment = paid(offered, datetime.combine(paid_on, OPENED.timetz()))
    [term] = terms_of(payment.person_id)
    assert (payment.paid_on, term.starts_on) == (paid_on, starts_on)


def test_news_heard_late_changes_no_day(offered: Payment) -> None:
    payment = paid(offered, OPENED, now=OPENED + timedelta(days=200))
    [term] = terms_of(payment.person_id)
    assert (payment.paid_on, term.starts_on, term.ends_on) == (TODAY, TODAY, date(2027, 11, 22))


@pytest.mark.parametrize(
    "charged_at, paid_on",
    [
        ("2026-11-23T22:59:59+00:00", "2026-11-23"),  # 23:59:59 in Madrid
        ("2026-11-23T23:00:00+00:00", "2026-11-24"),  # midnight in Madrid
        ("2027-06-30T21:59:59+00:00", "2027-06-30"),  # summer time
        ("2027-06-30T22:00:00+00:00", "2027-07-01"),
        ("2027-03-28T00:59:59+00:00", "2027-03-28"),  # the night the clocks change
        ("2027-03-28T22:00:00+00:00", "2027-03-29"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_value_date_is_the_day_in_the_associations_time_zone(
    offered: Payment, charged_at: str, paid_on: str
) -> None:
    assert paid(offered, datetime.fromisoformat(charged_at)).paid_on == date.fromisoformat(paid_on)


def test_opening_twice_is_the_same_payment(offered: Payment) -> None:
    again = service.open_payment(offered.person, service.Wanted(get_tier("basic").id), "test", "en", OPENED, TODAY)
    assert again.id == offered.id


def test_a_new_day_offers_new_days_to_a_newcomer(offered: Payment) -> None:
    wanted = service.Wanted(get_tier("basic").id)
    offer = service.asks_for(offered, wanted, _offer(offered, TODAY + DAY))
    assert (offer, service.asks_for(offered, service.Wanted(get_tier("basic").id), _offer(offered, TODAY))) == (
        False,
        True,
    )


def _offer(payment: Payment, today: date) -> service.PricedOffer:
    return service.offer_for(payment.person_id, get_tier("basic"), clock.now(), today)
