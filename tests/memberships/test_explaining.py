"""Every day of membership explained: by its payment, gift, grant or upgrade; and what was known on the day."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app.extensions import db
from app.memberships import service
from app.memberships.grants import CARRIED_OVER
from app.memberships.models import Tier
from app.payments.models import Payment
from app.people.models import Person
from app.portal.explaining import explain, term_rows
from tests.memberships.booking import DAY, at, buy, come_back, give, somebody, take_back, tier, upgrade

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
JOINED, END = date(2026, 11, 23), date(2027, 11, 22)
CHANGED, REFUNDED = date(2027, 3, 1), date(2027, 6, 1)


@pytest.fixture
def basic(app: Flask) -> Tier:
    return tier("basic", 3000)


@pytest.fixture
def nora(basic: Tier) -> Person:
    return somebody()


def because(person: Person, on: date) -> str:
    text: str = explain(person, at(on), on)["because"]
    return text.replace("\u00a0", " ")


def number(payment_id: int | None) -> str:
    return db.session.get_one(Payment, payment_id).number


def test_a_paid_day_names_its_payment_its_amount_and_the_days_it_bought(nora: Person, basic: Tier) -> None:
    term = buy(nora, basic, JOINED)
    assert because(nora, JOINED + DAY) == (
        f"a member on this day because payment {number(term.payment_id)} of €30.00 on 23 Nov 2026 "
        "bought 23 Nov 2026 – 22 Nov 2027"
    )
    assert because(nora, END + DAY).startswith("in grace on this day because payment ")
    assert because(nora, END + 31 * DAY).startswith("no longer a member on this day because payment ")
    assert because(nora, JOINED - DAY) == "no day of membership so far"


def test_an_upgraded_day_names_both_payments(nora: Person, basic: Tier) -> None:
    lower = buy(nora, basic, JOINED)
    higher = upgrade(nora, tier("plus", 5000), CHANGED)
    assert because(nora, CHANGED) == (
        f"a member on this day because payment {number(higher.payment_id)} of €14.63 on 1 Mar 2027 raised "
        f"1 Mar 2027 – 22 Nov 2027 to Plus, after payment {number(lower.payment_id)} of €30.00 on 23 Nov 2026 "
        "bought 23 Nov 2026 – 22 Nov 2027"
    )
    assert because(nora, CHANGED - DAY).endswith("; ended on 28 Feb 2027: Upgraded")


def test_a_day_after_an_upgrades_refund_names_the_first_payment_again(nora: Person, basic: Tier) -> None:
    lower = buy(nora, basic, JOINED)
    take_back(upgrade(nora, tier("plus", 5000), CHANGED), REFUNDED)
    assert because(nora, REFUNDED) == (
        f"a member on this day because payment {number(lower.payment_id)} of €30.00 on 23 Nov 2026 "
        "bought 23 Nov 2026 – 22 Nov 2027"
    )
    assert because(nora, REFUNDED - DAY).endswith("; ended on 31 May 2027: Refunded")
    rows = term_rows(nora)
    assert [(row["tier"].code, row["is_upgrade"], row["payment"]["number"]) for row in rows] == [
        ("basic", False, number(lower.payment_id)), ("plus", True, rows[1]["payment"]["number"]),
        ("basic", False, number(lower.payment_id)),
    ]  # fmt: skip


def test_a_given_day_names_the_givers_payment_as_a_gift(nora: Person, basic: Tier) -> None:
    gift = give(somebody("Giver"), nora, basic, JOINED)
    assert f"payment {number(gift.payment_id)} of €30.00 on 23 Nov 2026, a gift, bought 23 Nov" in because(nora, JOINED)
    [row] = term_rows(nora)
    assert (row["payment"]["method"], row["payment"]["receipt_number"]) == ("A gift", None)


def test_granted_days_and_life_name_who_granted_them_and_why(nora: Person, basic: Tier) -> None:
    service.grant(nora.id, basic, because="a prize", by="the board", now=at(JOINED), today=JOINED, months=1)
    service.grant(nora.id, basic, because="fifty years", by="the board", now=at(JOINED), today=JOINED, life=True)
    assert because(nora, JOINED).endswith("the board granted 23 Nov 2026 – 22 Dec 2026 (a prize)")
    assert because(nora, date(2050, 1, 1)).endswith("granted 23 Dec 2026 and every day after it (fifty years)")


def test_a_carried_over_day_says_so(nora: Person, basic: Tier) -> None:
    dates = service.TermDates(JOINED, JOINED, END, END)
    service.grant_term(nora.id, basic, dates, "command", CARRIED_OVER, at(JOINED))
    assert because(nora, JOINED).endswith(
        "membership of 23 Nov 2026 – 22 Nov 2027 was carried over from the older system"
    )


@pytest.mark.parametrize(
    "cause, word",
    [("refunded", "Refunded"), ("withdrawn", "Contract withdrawn"), ("dispute_lost", "Taken back by the payer’s bank")],
)
def test_an_early_end_says_why(nora: Person, basic: Tier, cause: str, word: str) -> None:
    term = buy(nora, basic, JOINED)
    take_back(term, REFUNDED, cause)
    assert because(nora, REFUNDED).endswith(f"; ended on 31 May 2027: {word}")
    other = somebody("Other")
    take_back(buy(other, basic, JOINED), JOINED, cause)
    assert because(other, JOINED) == f"no day of membership so far ({word})"


def test_a_hold_is_judged_as_of_the_day_asked(nora: Person, basic: Tier) -> None:
    term = buy(nora, basic, JOINED)
    opened, lifted = date(2027, 5, 1), date(2027, 5, 11)
    service.suspend_days_of_payment(term.payment_id or 0, "dispute", at(opened), at(opened))
    service.lift_suspension_of_payment(term.payment_id or 0, "dispute", at(lifted), at(lifted))
    now = at(REFUNDED)
    asked = (opened - DAY, opened, lifted - DAY, lifted, REFUNDED, END)
    assert [explain(nora, now, day)["status"] for day in asked] == [
        "active", "suspended", "suspended", "active", "active", "active",
    ]  # fmt: skip
    service.hold_person(nora, "a letter came back", "desk", now)
    assert [explain(nora, now, day)["status"] for day in (REFUNDED - DAY, REFUNDED, END)] == [
        "active", "suspended", "suspended",
    ]  # fmt: skip


def test_what_was_known_on_a_day_stays_apart_from_what_is_true_of_it(nora: Person, basic: Tier) -> None:
    """A transfer booked later with an earlier value date, a refund, and one that failed after all."""
    term = buy(nora, basic, JOINED)
    db.session.commit()
    take_back(term, REFUNDED)
    db.session.commit()
    now = at(date(2027, 8, 1))
    assert explain(nora, now, REFUNDED - DAY)["known_then"] == {
        "status": "active", "tier": "basic", "valid_until": "2027-11-22",
    }  # fmt: skip
    on_the_day = explain(nora, now, REFUNDED)
    assert (on_the_day["status"], on_the_day["known_then"]["status"]) == ("lapsed", "lapsed")
    come_back(term, date(2027, 7, 1))
    db.session.commit()
    after = explain(nora, now, REFUNDED)
    assert (after["status"], after["known_then"]) == (
        "active", {"status": "lapsed", "tier": "basic", "valid_until": "2027-05-31"}
    )  # fmt: skip
    assert explain(nora, now, date(2027, 7, 1))["known_then"]["status"] == "active"


def test_days_booked_afterwards_were_not_known_on_them(nora: Person, basic: Tier) -> None:
    dates = service.TermDates(JOINED, JOINED, END, END)
    service.grant_term(nora.id, basic, dates, "command", CARRIED_OVER, at(JOINED + 9 * DAY))
    db.session.commit()
    now = at(JOINED + 20 * DAY)
    told = [explain(nora, now, JOINED + n * DAY) for n in (8, 9)]
    assert [it["status"] for it in told] == ["active", "active"]
    assert [it["known_then"]["status"] for it in told] == ["none", "active"]


def test_a_hold_known_then_is_the_one_that_had_been_told(nora: Person, basic: Tier) -> None:
    """News of a dispute that began earlier."""
    term = buy(nora, basic, JOINED)
    db.session.commit()
    began, heard = date(2027, 5, 1), date(2027, 5, 4)
    service.suspend_days_of_payment(term.payment_id or 0, "dispute", at(began), at(heard))
    db.session.commit()
    service.hold_person(nora, "a letter came back", "desk", at(heard + DAY))
    db.session.commit()
    service.release_person(nora, "desk", at(heard + 2 * DAY))
    service.lift_suspension_of_payment(term.payment_id or 0, "dispute", at(heard + DAY), at(heard + 3 * DAY))
    db.session.commit()
    now = at(REFUNDED)
    told = [explain(nora, now, began + n * DAY) for n in range(8)]
    active, held = "active", "suspended"
    assert [it["status"] for it in told] == [held, held, held, held, held, active, active, active]
    assert [it["known_then"]["status"] for it in told] == [active, active, active, held, held, held, active, active]
