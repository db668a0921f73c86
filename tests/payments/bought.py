"""Fees that were paid, made through the code that takes them, without a provider."""

from __future__ import annotations

import itertools
from datetime import timedelta

from app import clock
from app.extensions import db
from app.payments import service, settling
from app.payments.models import Payment
from app.people.models import Person
from tests.payments.telling import checkout, money, refund

_numbers = itertools.count(1)


def pay(person: Person, wanted: service.Wanted) -> Payment:
    """Asked for online and paid by card at once."""
    now, today = clock.now(), clock.today()
    payment = service.open_payment(person, wanted, "test", "en", now, today)
    n = next(_numbers)
    paid = money(payment.amount_cents, now, intent_id=f"pi_b{n}", charge_id=f"ch_b{n}")
    settling.settle_checkout(checkout(payment.number, "complete", paid, id=f"cs_b{n}"), False, now)
    db.session.flush()
    return payment


def give_back(payment: Payment, cents: int | None = None, days_later: int = 0, status: str = "succeeded") -> None:
    """The provider says that so much (all of it) went back."""
    now = clock.now() + timedelta(days=days_later)
    number = (payment.stripe_checkout_id or "").rpartition("_")[2]
    back = refund(hash(number) % 10**6, cents or payment.amount_cents, status, now)
    paid = money(
        payment.amount_cents, payment.opened_at, intent_id=f"pi_{number}", charge_id=f"ch_{number}", refunds=(back,)
    )
    facts = checkout(payment.number, "complete", paid, id=payment.stripe_checkout_id)
    settling.settle_checkout(facts, False, now)
    db.session.flush()
