"""A higher tier in mid-term: its price, and whose days are whose when money goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask

from app import clock
from app.association import get_association
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import add_tier, get_tier, standing_of, terms_of
from app.payments import settling
from app.payments.discrepancies import list_discrepancies
from app.payments.models import Payment
from app.payments.service import Wanted
from app.people.models import Person
from app.people.service import add_person
from tests.payments.bought import give_back, pay
from tests.payments.telling import checkout, dispute, money

DAY = timedelta(days=1)


@pytest.fixture
def member(app: Flask) -> Person:
    """A Basic member since a hundred days."""
    add_tier("basic", "Basic", 3000, clock.now())
    add_tier("plus", "Plus", 5000, clock.now())
    person = add_person("Una", "Vila", None, clock.now())
    pay(person, Wanted(get_tier("basic").id))
    pass_days(100)
    return person


def pass_days(days: int) -> None:
    get_association(for_update=True).clock_offset_seconds += days * 86_400
    db.session.flush()
    clock.forget()


def upgraded(person: Person) -> Payment:
    return pay(person, Wanted(get_tier("plus").id, is_upgrade=True))


def days(person: Person) -> list[tuple[str, date, date]]:
    held: list[Term] = [term for term in terms_of(person.id) if term.ends_on >= term.starts_on]
    return [(term.tier.code, term.starts_on, term.ends_on) for term in sorted(held, key=lambda t: t.starts_on)]


def test_an_upgrade_costs_the_difference_for_the_days_left_and_ends_with_the_year(member: Person) -> None:
    (_code, began, ends) = days(member)[0]
    payment = upgraded(member)
    assert payment.amount_cents == 2000 * ((ends - clock.today()).days + 1) // ((ends - began).days + 1)
    assert days(member) == [("basic", began, clock.today() - DAY), ("plus", clock.today(), ends)]


def test_refunding_an_upgrade_restores_the_lower_tier(member: Person) -> None:
    (_code, began, ends) = days(member)[0]
    payment = upgraded(member)
    up = clock.today()
    pass_days(10)
    give_back(payment)
    assert days(member) == [
        ("basic", began, up - DAY), ("plus", up, up + 9 * DAY), ("basic", up + 10 * DAY, ends),
    ]  # fmt: skip


def test_an_upgrade_refunded_the_same_day_was_never_there(member: Person) -> None:
    before = days(member)
    give_back(upgraded(member))
    assert days(member) == before


def test_refunding_the_year_leaves_the_upgrades_money_to_the_treasurer(member: Person) -> None:
    fee = terms_of(member.id)[0].payment_id
    payment = upgraded(member)
    pass_days(10)
    give_back(db.session.get_one(Payment, fee))
    assert days(member)[-1][2] == clock.today() - DAY
    assert [(d.reason, d.payment_id) for d in list_discrepancies()] == [("upgrade_without_fee", payment.id)]


def test_a_dispute_of_the_year_holds_the_upgraded_days_too(member: Person) -> None:
    """The upgrade's money paid the difference only."""
    fee = db.session.get_one(Payment, terms_of(member.id)[0].payment_id)
    upgraded(member)
    number = (fee.stripe_checkout_id or "").rpartition("_")[2]
    facts = money(3000, fee.opened_at, intent_id=f"pi_{number}", charge_id=f"ch_{number}")
    for status, standing in (("open", "suspended"), ("won", "active")):
        told = replace(facts, disputes=(dispute(7, 3000, status, clock.now(), clock.now()),))
        settling.settle_checkout(checkout(fee.number, "complete", told, id=fee.stripe_checkout_id), False, clock.now())
        assert standing_of(member.id, clock.now(), clock.today()).status == standing
