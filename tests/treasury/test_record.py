"""Booking by hand: found by reference, booked onto what was asked, never twice by accident."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from app import clock
from app.association import get_association
from app.extensions import db
from app.memberships.service import add_tier, terms_of
from app.payments import ledger, service, transfers
from app.payments.models import Payment
from app.people.models import Person
from tests.cast import Cast
from tests.portal.test_states import read
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def treasurer(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "treasurer@example.org")


def order(person: Person, cast: Cast, gift: bool = False) -> Payment:
    """Somebody asks to pay by transfer."""
    get_association().iban = "ES9121000418450200051332"
    wanted = service.Wanted(
        cast.basic.id, gift=service.GiftTo("nora@example.org", "Nora", "Enjoy") if gift else None
    )  # fmt: skip
    payment = transfers.order_transfer(person, wanted, "test", "en", clock.now(), cast.today)
    db.session.commit()
    return payment


def page(person: Person) -> str:
    return f"/treasury/record?person={person.member_number}"


def form(cast: Cast, meant: str, **more: str) -> dict[str, str]:
    filled = {"what": meant, "amount": "30.00", "method": "transfer", "value_on": cast.today.isoformat()}
    return {**filled, **more}


def payments_of(person: Person) -> list[Payment]:
    return service.payments_of(person.id)


def test_a_payer_is_found_by_reference_number_name_and_member_number(treasurer: Visitor, cast: Cast) -> None:
    asked = order(cast.mallory, cast)
    reference = transfers.reference_of(asked)
    spaced = " ".join(re.findall(".{1,4}", reference)).lower()
    for text in (reference, spaced, asked.number, asked.number.lower()):
        answer = treasurer.get("/treasury/record", query_string={"text": text})
        assert answer.status_code == 302, text
        assert answer.headers["Location"].endswith(f"person={cast.mallory.member_number}&order={asked.number}")
    for text in ("mallory", "Mallory Camps", cast.mallory.member_number, "mallory@example.org"):
        assert "Mallory Camps" in read(treasurer, f"/treasury/record?text={text}"), text
    assert "Nobody found" in read(treasurer, "/treasury/record?text=nobody")


def test_a_reference_with_a_wrong_digit_is_said(treasurer: Visitor, cast: Cast) -> None:
    reference = transfers.reference_of(order(cast.mallory, cast))
    for wrong in (reference[:-1] + str((int(reference[-1]) + 1) % 10), "RF00" + reference[4:]):
        answer = treasurer.get("/treasury/record", query_string={"text": wrong})
        assert answer.status_code == 400, wrong
        assert "No payment has this reference. Check its digits." in answer.get_data(as_text=True)


def test_money_is_booked_onto_the_order_that_it_names(treasurer: Visitor, cast: Cast) -> None:
    gift = order(cast.mallory, cast, gift=True)
    assert treasurer.post(page(cast.mallory), form(cast, f"order:{gift.number}", amount="1.00")).status_code == 303
    mine = order(cast.mallory, cast)
    text = read(treasurer, page(cast.mallory))
    assert transfers.reference_of(gift) in text and transfers.reference_of(mine) in text
    answer = treasurer.post(page(cast.mallory), form(cast, f"order:{mine.number}", amount=""))
    assert answer.headers["Location"] == f"/treasury/payments/{mine.number}"
    assert (mine.paid_on, gift.paid_on) == (cast.today, None)
    assert [term.payment_id for term in terms_of(cast.mallory.id)] == [mine.id]


def test_several_transfers_settle_one_order(treasurer: Visitor, cast: Cast) -> None:
    asked = order(cast.mallory, cast)
    assert treasurer.post(page(cast.mallory), form(cast, f"order:{asked.number}", amount="12,50")).status_code == 303
    text = read(treasurer, page(cast.mallory))
    assert "€17.50 asked by transfer" in text and "€12.50 came already" in text
    assert treasurer.post(page(cast.mallory), form(cast, f"order:{asked.number}", amount="")).status_code == 303
    assert (asked.paid_on, ledger.balance_of(asked.id).fees_cents) == (cast.today, 3000)


def test_an_order_that_is_not_open_any_more_takes_no_money(treasurer: Visitor, cast: Cast) -> None:
    asked = order(cast.mallory, cast)
    filled = form(cast, f"order:{asked.number}")
    assert [treasurer.post(page(cast.mallory), filled).status_code for _ in range(2)] == [303, 400]
    assert ledger.balance_of(asked.id).received_cents == 3000


def test_the_same_money_is_booked_twice_only_when_somebody_says_so_once(treasurer: Visitor, cast: Cast) -> None:
    filled = form(cast, "tier:basic")
    assert treasurer.post(page(cast.mallory), filled).status_code == 303
    refused = treasurer.post(page(cast.mallory), filled)
    text = refused.get_data(as_text=True)
    assert refused.status_code == 409
    assert f"This was recorded already, as {payments_of(cast.mallory)[0].number}." in text
    assert "It really came twice." in text
    box = re.search(r'name="again" value="(\d+)"', text)
    assert box is not None and len(payments_of(cast.mallory)) == 1
    again = {**filled, "again": box[1]}
    assert [treasurer.post(page(cast.mallory), again).status_code for _ in range(2)] == [303, 409]
    assert len(payments_of(cast.mallory)) == 2
    assert [ledger.balance_of(it.id).unallocated_cents for it in payments_of(cast.mallory)] == [3000, 0]
    assert len(terms_of(cast.mallory.id)) == 1


def test_the_value_date_decides_the_days(treasurer: Visitor, cast: Cast) -> None:
    value_on = cast.today - timedelta(days=9)
    filled = form(cast, "tier:basic", value_on=value_on.isoformat())
    assert treasurer.post(page(cast.mallory), filled).status_code == 303
    assert terms_of(cast.mallory.id)[0].starts_on == value_on
    assert payments_of(cast.mallory)[0].opened_by == f"account:{cast.account('treasurer').id}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": ""}, {"what": "tier:gold"}, {"what": "order:P-2026-000001"}, {"amount": "30,000.00"},
        {"amount": "-30"}, {"amount": "0"}, {"method": "online"}, {"method": ""}, {"value_on": "yesterday"},
        {"value_on": "2999-01-01"}, {"value_on": ""},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_booked_is_said_on_the_form(treasurer: Visitor, cast: Cast, wrong: dict[str, str]) -> None:
    answer = treasurer.post(page(cast.mallory), form(cast, "tier:basic", **wrong))
    assert answer.status_code == 400
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert payments_of(cast.mallory) == []


def test_a_reduced_fee_is_not_booked_for_somebody_whose_condition_is_not_met(app: Flask, cast: Cast) -> None:
    young = add_tier("young", "Young", 1000, clock.now(), graduated_within=2)
    db.session.commit()
    arguments = [
        "payments",
        "record",
        "--person",
        cast.mallory.member_number,
        "--tier",
        young.code,
        "--amount",
        "10.00",
    ]
    arguments += ["--method", "cash", "--value-date", cast.today.isoformat()]
    result = app.test_cli_runner().invoke(args=arguments)
    assert (result.exit_code, "condition that is not met" in result.stderr) == (2, True)


def test_the_administrator_takes_cash_and_no_transfers(app: Flask, cast: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    assert "Take cash" in read(admin, f"/admin/people/{cast.mallory.member_number}")
    assert 'value="transfer"' not in admin.get(page(cast.mallory)).get_data(as_text=True)
    assert admin.post(page(cast.mallory), form(cast, "tier:basic")).status_code == 400
    answer = admin.post(page(cast.mallory), form(cast, "tier:basic", method="cash"))
    assert answer.headers["Location"] == f"/admin/people/{cast.mallory.member_number}"
    assert [payment.method for payment in payments_of(cast.mallory)] == ["cash"]


def test_nobody_else_books_money(app: Flask, cast: Cast) -> None:
    for who in ("mallory", "scanner"):
        visitor = Visitor(app, f"{who}@example.org")
        assert visitor.get(page(cast.mallory)).status_code == 403
        assert visitor.post(page(cast.mallory), form(cast, "tier:basic")).status_code == 403
    assert payments_of(cast.mallory) == []
