"""Withdrawing from a contract made online: fourteen days, in full, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.association import get_association
from app.errors import Refusal
from app.extensions import db
from app.jobs import Job
from app.memberships.service import add_tier, get_tier
from app.payments import withdrawals
from app.payments.manual import record_payment
from app.payments.models import Payment
from app.payments.service import Wanted
from app.people.models import Person
from app.people.service import add_person
from tests.payments.bought import give_back, pay

DAY = timedelta(days=1)


@pytest.fixture
def buyer(app: Flask) -> Person:
    add_tier("basic", "Basic", 3000, clock.now())
    return add_person("Bea", "Riu", "bea@example.org", clock.now())


def bought(person: Person) -> Payment:
    return pay(person, Wanted(get_tier("basic").id))


@pytest.mark.parametrize("after, may", [(0, True), (13, True), (14, True), (15, False)])
def test_the_last_day_to_withdraw_is_the_fourteenth_after_the_contract(buyer: Person, after: int, may: bool) -> None:
    payment = bought(buyer)
    day = withdrawals.last_day(payment, clock.today() + after * DAY)
    assert day == (clock.today() + 14 * DAY if may else None)


def test_the_association_may_give_more_days(buyer: Person) -> None:
    get_association().withdrawal_days = 30
    payment = bought(buyer)
    assert withdrawals.last_day(payment, clock.today() + 30 * DAY) == clock.today() + 30 * DAY


def test_withdrawing_asks_for_all_of_it_back_and_acknowledges_it_by_mail(buyer: Person) -> None:
    payment = bought(buyer)
    refund = withdrawals.withdraw(payment, "account:1", clock.now(), clock.today())
    assert (refund.amount_cents, refund.cause) == (3000, "withdrawn")
    ordered = db.session.execute(select(Job.name).where(Job.key.contains(str(refund.id)))).scalars()
    assert {"mail_withdrawal", "send_refund"} <= set(ordered)


def test_withdrawing_twice_is_refused_and_nothing_is_asked_for_twice(buyer: Person) -> None:
    payment = bought(buyer)
    withdrawals.withdraw(payment, "account:1", clock.now(), clock.today())
    with pytest.raises(Refusal) as refusal:
        withdrawals.withdraw(payment, "account:1", clock.now(), clock.today())
    assert refusal.value.code == "refund_running"


def test_nothing_is_left_to_withdraw_from_what_was_refunded(buyer: Person) -> None:
    payment = bought(buyer)
    give_back(payment)
    assert withdrawals.last_day(payment, clock.today()) is None


def test_cash_at_a_desk_was_no_contract_made_online(buyer: Person) -> None:
    now, today = clock.now(), clock.today()
    payment = record_payment(buyer, get_tier("basic"), 3000, "cash", today, "test", "en", now, today)
    assert withdrawals.last_day(payment, today) is None
