"""Paying by bank transfer: an order, its reference, and the code a banking app reads."""

from __future__ import annotations

import pytest
from flask import Flask
from stdnum import iso11649

from app import clock
from app.association import get_association
from app.errors import Refusal
from app.memberships.service import add_tier, get_tier, standing_of
from app.payments import transfers
from app.payments.manual import record_payment
from app.payments.models import Payment
from app.payments.service import Wanted
from app.people.models import Person
from app.people.service import add_person


@pytest.fixture
def person(app: Flask) -> Person:
    add_tier("basic", "Basic", 3000, clock.now())
    add_tier("plus", "Plus", 5000, clock.now())
    association = get_association()
    association.iban, association.bic, association.legal_name = "ES9121000418450200051332", None, "Alumni de Montjuïc"
    return add_person("Toni", "Bosch", "toni@example.org", clock.now())


def order(person: Person, tier: str = "basic") -> Payment:
    return transfers.order_transfer(person, Wanted(get_tier(tier).id), "test", "en", clock.now(), clock.today())


def test_the_reference_is_a_creditor_reference_that_banks_check(person: Person) -> None:
    assert iso11649.is_valid(transfers.reference_of(order(person)))


def test_the_code_says_what_the_european_payments_council_asks(person: Person) -> None:
    payment = order(person)
    assert transfers.epc_text(payment, get_association(), 3000).split("\n") == [
        "BCD", "002", "1", "SCT", "", "Alumni de Montjuïc", "ES9121000418450200051332", "EUR30.00", "",
        transfers.reference_of(payment),
    ]  # fmt: skip


def test_ordering_the_same_twice_is_one_order_and_another_tier_takes_its_place(person: Person) -> None:
    first = order(person)
    assert order(person).id == first.id
    second = order(person, "plus")
    assert (first.closed_because, transfers.open_orders(person.id)) == ("replaced", [second])


def test_money_for_an_order_pays_it_and_what_is_missing_is_asked_for(person: Person) -> None:
    payment = order(person)
    now, today = clock.now(), clock.today()
    booked = record_payment(person, get_tier("basic"), 1000, "transfer", today, "test", "en", now, today)
    assert (booked.id, transfers.missing_cents(payment)) == (payment.id, 2000)
    record_payment(person, get_tier("basic"), 2000, "transfer", today, "test", "en", now, today)
    assert (payment.paid_on, standing_of(person.id, now, today).status) == (today, "active")


def test_an_order_nobody_has_paid_may_be_paid_in_cash(person: Person) -> None:
    payment = order(person)
    now, today = clock.now(), clock.today()
    booked = record_payment(person, get_tier("basic"), 3000, "cash", today, "test", "en", now, today)
    assert (booked.id, booked.method) == (payment.id, "cash")


def test_without_an_account_of_the_association_nobody_is_asked_to_transfer(person: Person) -> None:
    get_association().iban = None
    with pytest.raises(Refusal) as refusal:
        order(person)
    assert refusal.value.code == "transfers_not_set_up"
