"""RULES of money, sentences without a provider: a row is a transfer, a charge is announced in time, what a desk takes
stops what would be taken by itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app import clock
from app.association import get_association
from app.extensions import db
from app.memberships.rules import anniversary
from app.memberships.service import add_tier, find_term_of_payment, get_tier, set_price, terms_of
from app.payments import renewing
from app.payments.ledger import balance_of, post
from app.payments.manual import record_payment
from app.payments.models import AutoRenewal
from app.payments.receipts import receipts_of
from app.payments.service import Wanted, list_discrepancies
from app.people.models import Person
from app.people.service import add_person
from tests.payments.bought import give_back
from tests.payments.bought import pay as buy

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = timedelta(days=1)


@pytest.fixture
def ona(app: Flask) -> Person:
    add_tier("basic", "Basic", 3000, clock.now())
    return add_person("Ona", "Riu", "ona@example.org", clock.now())


def renewing_by_itself(person: Person, in_days: int) -> AutoRenewal:
    """Somebody whose charge is so many days ahead, known to the provider."""
    now, today = clock.now(), clock.today()
    record_payment(person, get_tier("basic"), 3000, "cash", today, "test", "en", now, today)
    renewal = renewing.switch_on(person.id, "cus_1", "pm_1", "en", None, now)
    assert renewal is not None
    renewal.stripe_subscription_id = "sub_1"
    renewal.charge_on = today + in_days * DAY
    db.session.flush()
    return renewal


@pytest.mark.parametrize(
    ("debit", "credit", "cents"),
    [("provider", "fees", 0), ("provider", "fees", -1), ("fees", "fees", 1), ("x", "fees", 1)],
)
def test_a_row_of_the_ledger_is_an_amount_above_zero_from_one_account_to_another(
    ona: Person, debit: str, credit: str, cents: int
) -> None:
    now, today = clock.now(), clock.today()
    payment = record_payment(ona, get_tier("basic"), 3000, "cash", today, "test", "en", now, today)
    with pytest.raises(IntegrityError):
        post(payment, "fee_received", debit, credit, cents, "EUR", today, None, now)
    db.session.rollback()


@pytest.mark.parametrize(("in_days", "is_announced"), [(22, False), (21, True), (20, True), (15, True)])
def test_a_charge_is_announced_twenty_one_days_before(ona: Person, in_days: int, is_announced: bool) -> None:
    renewal = renewing_by_itself(ona, in_days)
    for _ in range(2):
        renewing.announce_due(clock.now(), clock.today())
    assert (renewal.announced_on, renewal.charge_on) == (
        clock.today() if is_announced else None, clock.today() + in_days * DAY,
    )  # fmt: skip


@pytest.mark.parametrize("in_days", [14, 1])
def test_a_charge_announced_late_is_taken_fifteen_days_after_its_notice(ona: Person, in_days: int) -> None:
    renewal = renewing_by_itself(ona, in_days)
    renewing.announce_due(clock.now(), clock.today())
    assert renewal.charge_on == clock.today() + 15 * DAY


@pytest.mark.parametrize(("notice", "in_days"), [(15, 15), (90, 90)])
def test_the_association_sets_how_long_before_a_charge_is_announced(ona: Person, notice: int, in_days: int) -> None:
    get_association().renewal_notice_days = notice
    early, renewal = clock.today() - DAY, renewing_by_itself(ona, in_days)
    renewing.announce_due(clock.now() - DAY, early)
    assert renewal.announced_on is None
    renewing.announce_due(clock.now(), clock.today())
    assert renewal.announced_on == clock.today()


def test_a_charge_is_announced_at_the_price_of_its_day_and_keeps_it(ona: Person) -> None:
    now, today = clock.now(), clock.today()
    paid_on = anniversary(today + 21 * DAY, -12)
    record_payment(ona, get_tier("basic"), 3000, "cash", paid_on, "test", "en", now, today)
    renewal = renewing.switch_on(ona.id, "cus_1", "pm_1", "en", None, now - 30 * DAY)
    assert renewal is not None
    renewal.stripe_subscription_id = "sub_1"
    renewing.announce_due(now, today)
    set_price(get_tier("basic"), 9900, today + DAY, now, today)
    charges = [renewing.next_charge(ona.id, now, today, announced) for announced in (renewal, None)]
    assert [charge.fee_cents for charge in charges if charge is not None] == [3000, 9900]


def test_money_taken_at_a_desk_moves_the_next_charge_past_the_days_it_bought(ona: Person) -> None:
    renewal = renewing_by_itself(ona, 300)
    before = renewing.next_charge(ona.id, clock.now(), clock.today(), renewal)
    now, today = clock.now(), clock.today()
    record_payment(ona, get_tier("basic"), 3000, "transfer", today, "test", "en", now, today)
    after = renewing.next_charge(ona.id, now, today, renewal)
    assert before is not None and after is not None
    assert after.on == date(before.on.year + 1, before.on.month, before.on.day)


def test_a_fee_and_its_receipt_are_kept_or_lost_together(ona: Person) -> None:
    now, today = clock.now(), clock.today()
    db.session.commit()
    numbers = []
    for is_kept in (False, True):
        payment = record_payment(ona, get_tier("basic"), 3000, "cash", today, "test", "en", now, today)
        payment_id = payment.id
        numbers.append(receipts_of(payment_id)[0].number)
        if is_kept:
            db.session.commit()
        else:
            db.session.rollback()
            assert (receipts_of(payment_id), balance_of(payment_id).received_cents) == ([], 0)
    assert numbers == [f"{today.year}-000001"] * 2


def test_days_bought_again_before_the_refund_failed_are_the_treasurers_to_decide(ona: Person) -> None:
    first = buy(ona, Wanted(get_tier("basic").id))
    give_back(first)
    again = buy(ona, Wanted(get_tier("basic").id))
    give_back(first, status="failed")
    reasons = {it.reason for it in list_discrepancies(first.id)}
    assert reasons == {"refund_failed", "days_taken"}
    term = find_term_of_payment(again.id)
    assert term is not None and (term.starts_on, term.ended_because) == (clock.today(), None)
    assert [it.ends_on >= it.starts_on for it in terms_of(ona.id)].count(True) == 1
