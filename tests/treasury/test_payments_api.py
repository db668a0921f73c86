"""GET /api/v1/payments: what was asked and what became of it, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.extensions import db
from app.payments.checkouts import send_refund
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from app.services.service import add_service, subject_for
from tests.cast import Cast, pay
from tests.visitor import Visitor


def items(app: Flask, key: str, query: str = "") -> Any:
    return Visitor(app).get(f"/api/v1/payments{query}", headers={"Authorization": f"Bearer {key}"}).json


def test_payments_are_told_with_what_became_of_their_money(app: Flask, cast: Cast) -> None:
    service, key = add_service("Accounting", ["payments"], None, cast.now)
    told = {it["subject"]: it for it in items(app, key)["items"]}
    assert len(told) == 4
    alice, dan = told[subject_for(service.id, cast.alice.id)], told[subject_for(service.id, cast.dan.id)]
    payment = payments_of(cast.alice.id)[0]
    assert alice == {
        "number": payment.number, "subject": subject_for(service.id, cast.alice.id), "kind": "join",
        "method": "transfer", "tier": "plus", "state": "paid", "amount_cents": 5000, "received_cents": 5000,
        "refunded_cents": 0, "disputed_cents": 0, "provider_fee_cents": 0, "currency": "EUR",
        "opened_at": alice["opened_at"], "paid_at": alice["paid_at"], "paid_on": payment.paid_on.isoformat(),
        "closed_at": None, "closed_because": None, "receipts": alice["receipts"],
    }  # fmt: skip
    assert len(alice["receipts"]) == 1 and alice["opened_at"].endswith("Z")
    assert (dan["state"], dan["refunded_cents"], len(dan["receipts"])) == ("refunded", 3000, 2)


def test_a_refund_in_part_is_told_as_one(app: Flask, cast: Cast) -> None:
    refund = request_refund(payments_of(cast.alice.id)[0], 2000, "test", cast.now)
    db.session.flush()
    send_refund(refund.id)
    service, key = add_service("Accounting", ["payments"], None, cast.now)
    alice = next(it for it in items(app, key)["items"] if it["subject"] == subject_for(service.id, cast.alice.id))
    assert (alice["state"], alice["received_cents"], alice["refunded_cents"]) == ("partly_refunded", 5000, 2000)


def test_pages_keep_their_place_while_payments_come_in(app: Flask, cast: Cast) -> None:
    _service, key = add_service("Accounting", ["payments"], None, cast.now)
    first = items(app, key, "?limit=3")
    pay(cast.mallory, cast.basic, cast.today)
    second = items(app, key, f"?limit=3&cursor={first['next']}")
    numbers = [it["number"] for page in (first, second) for it in page["items"]]
    assert numbers == sorted(set(numbers)) and len(numbers) == 5 and second["next"] is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_key_without_the_scope_is_told_nothing(app: Flask, cast: Cast) -> None:
    assert items(app, cast.library_key)["code"] == "missing_scope"
    _service, key = add_service("Reader", ["members"], None, cast.now)
    assert items(app, key)["code"] == "missing_scope"
