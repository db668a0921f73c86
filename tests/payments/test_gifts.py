"""A year for somebody else: paid by the giver, the recipient's once accepted, gone when its money is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import add_tier, get_tier, standing_of, terms_of
from app.payments import gifts, receipts
from app.payments.models import Payment
from app.payments.service import GiftTo, Wanted, payments_of
from app.people.models import Person
from app.people.service import add_person
from tests.payments.bought import give_back, pay

DAY = timedelta(days=1)


@pytest.fixture
def giver(app: Flask) -> Person:
    add_tier("basic", "Basic", 3000, clock.now())
    return add_person("Gina", "Pla", "gina@example.org", clock.now())


@pytest.fixture
def recipient(app: Flask) -> Person:
    return add_person("Rita", "Mas", "rita@example.org", clock.now())


def given(giver: Person) -> Payment:
    return pay(giver, Wanted(get_tier("basic").id, gift=GiftTo("rita@example.org", "Rita Mas", "Enjoy")))


def accept(payment: Payment, person: Person) -> None:
    gifts.accept(gifts.get_gift(payment.id), person, clock.now(), clock.today())


def status(person: Person) -> str:
    return standing_of(person.id, clock.now(), clock.today()).status


def test_a_paid_gift_is_the_givers_receipt_and_nobodys_days_until_it_is_accepted(
    giver: Person, recipient: Person
) -> None:
    payment = given(giver)
    assert (receipts.find_receipt(payment.id) is not None, terms_of(giver.id), terms_of(recipient.id)) == (True, [], [])
    accept(payment, recipient)
    (term,) = terms_of(recipient.id)
    assert (term.payment_id, term.starts_on, status(recipient)) == (payment.id, clock.today(), "active")
    assert terms_of(giver.id) == [] and payment in payments_of(recipient.id)


def test_accepting_twice_is_accepting_once(giver: Person, recipient: Person) -> None:
    payment = given(giver)
    accept(payment, recipient)
    accept(payment, recipient)
    assert len(terms_of(recipient.id)) == 1


def test_a_gift_somebody_has_accepted_is_nobody_elses(giver: Person, recipient: Person) -> None:
    payment = given(giver)
    accept(payment, recipient)
    with pytest.raises(Refusal) as refusal:
        accept(payment, giver)
    assert refusal.value.code == "gift_taken"


def test_a_gift_stacks_after_all_days_the_recipient_has(giver: Person, recipient: Person) -> None:
    pay(recipient, Wanted(get_tier("basic").id))
    pay(recipient, Wanted(get_tier("basic").id))
    accept(given(giver), recipient)
    terms = terms_of(recipient.id)
    assert [later.starts_on - earlier.ends_on for earlier, later in zip(terms, terms[1:], strict=False)] == [DAY, DAY]


def test_the_givers_refund_empties_that_year_only(giver: Person, recipient: Person) -> None:
    own = pay(recipient, Wanted(get_tier("basic").id))
    payment = given(giver)
    accept(payment, recipient)
    give_back(payment)
    first, second = terms_of(recipient.id)
    assert (first.payment_id, first.ended_because, second.ends_on) == (own.id, None, second.starts_on - DAY)
    assert status(recipient) == "active"


def test_a_gift_whose_money_went_back_can_no_longer_be_accepted(giver: Person, recipient: Person) -> None:
    payment = given(giver)
    give_back(payment)
    with pytest.raises(Refusal) as refusal:
        accept(payment, recipient)
    assert (refusal.value.code, terms_of(recipient.id)) == ("unknown_gift", [])


def test_a_gift_asked_for_beside_ones_own_renewal_is_another_payment(giver: Person) -> None:
    own = pay(giver, Wanted(get_tier("basic").id))
    payment = given(giver)
    assert (own.id != payment.id, status(giver), len(terms_of(giver.id))) == (True, "active", 1)
    db.session.rollback()
