"""flask payments record and sync: money typed in by staff, by its value date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.jobs import Job, work_off
from app.memberships.rules import anniversary
from app.payments import ledger
from app.payments.models import LedgerEntry, Payment
from app.payments.service import list_discrepancies
from tests.cast import Cast
from tests.payments.shop import Shop, story_of

DAY = timedelta(days=1)


def record(app: Flask, *arguments: str, **values: str) -> tuple[int, str, str]:
    """The command with `person=... tier=...`, what is not given being a good one."""
    good = {"person": "mallory@example.org", "tier": "basic", "amount": "30.00", "method": "transfer"}
    options = [part for name, value in {**good, **values}.items() for part in (f"--{name.replace('_', '-')}", value)]
    db.session.commit()
    result = app.test_cli_runner().invoke(args=["payments", "record", *options, *arguments])
    return result.exit_code, result.stdout.strip(), result.stderr.strip()


@pytest.mark.parametrize("method, account", [("transfer", "bank"), ("cash", "cash")])
def test_the_exact_fee_buys_a_year_from_its_value_date(app: Flask, cast: Cast, method: str, account: str) -> None:
    value_on = cast.today - 10 * DAY
    code, said, _ = record(app, method=method, value_date=value_on.isoformat())
    story = story_of(cast.mallory.id)
    assert (code, said) == (0, f"P-{cast.today.year}-000005 recorded.")
    assert story.terms == [f"basic {value_on} – {anniversary(value_on, 12) - DAY}"]
    assert story.ledger == [f"fee_received 3000 {account} < fees"]
    assert (story.payments, story.cards, story.reasons, len(story.receipts)) == (["paid"], 1, [], 1)
    [booked_on] = db.session.execute(select(LedgerEntry.value_on).where(LedgerEntry.payment_id == 5)).scalars()
    assert booked_on == value_on


def test_less_than_the_fee_buys_nothing_and_waits_for_the_treasurer(app: Flask, cast: Cast) -> None:
    code, said, _ = record(app, amount="29.99", value_date=cast.today.isoformat())
    story = story_of(cast.mallory.id)
    assert (code, "29.99 EUR of it is for the treasurer" in said) == (0, True)
    assert (story.terms, story.receipts, story.status) == ([], [], "none")
    assert (story.ledger, story.reasons) == (["excess_received 2999 bank < unallocated"], ["underpaid"])


def test_more_than_the_fee_buys_the_year_and_the_rest_is_unallocated(app: Flask, cast: Cast) -> None:
    code, said, _ = record(app, amount="50", value_date=cast.today.isoformat())
    story = story_of(cast.mallory.id)
    assert (code, "20.00 EUR of it is for the treasurer" in said) == (0, True)
    assert (len(story.terms), len(story.receipts), story.status) == (1, 1, "active")
    assert story.ledger == ["fee_received 3000 bank < fees", "excess_received 2000 bank < unallocated"]
    assert story.reasons == ["overpaid"]


@pytest.mark.parametrize("amount, terms", [("30.00", 1), ("10.00", 0)])
def test_the_same_money_typed_twice_is_refused_unless_it_is_a_second_payment(
    app: Flask, cast: Cast, amount: str, terms: int
) -> None:
    """A second full fee of the same day is for days already paid; two that are too small stay two."""
    day = cast.today.isoformat()
    assert record(app, amount=amount, value_date=day)[0] == 0
    before = story_of(cast.mallory.id)
    code, said, complaint = record(app, amount=amount, value_date=day)
    assert (code, said, "P-" in complaint and "--again" in complaint) == (2, "", True)
    assert story_of(cast.mallory.id) == before
    assert record(app, "--again", amount=amount, value_date=day)[0] == 0
    after = story_of(cast.mallory.id)
    assert (len(after.ledger), len(after.terms)) == (2, terms)
    assert ("days_covered" in after.reasons) == (amount == "30.00")


def test_another_amount_another_method_or_another_day_is_another_payment(app: Flask, cast: Cast) -> None:
    day = cast.today.isoformat()
    assert record(app, amount="30.00", value_date=day)[0] == 0
    assert record(app, amount="30.01", value_date=day)[0] == 0
    assert record(app, amount="30.00", method="cash", value_date=day)[0] == 0
    assert record(app, amount="30.00", value_date=(cast.today - DAY).isoformat())[0] == 0
    assert len(story_of(cast.mallory.id).payments) == 4


def test_several_transfers_settle_one_payment(app: Flask, cast: Cast) -> None:
    """Ten, ten and ten: the third makes a member, and what the first ones left open is nobody's question any more."""
    first = cast.today - 2 * DAY
    for n, status in enumerate(["none", "none", "active"]):
        assert record(app, amount="10.00", value_date=(first + n * DAY).isoformat())[0] == 0
        assert story_of(cast.mallory.id).status == status
    story = story_of(cast.mallory.id)
    assert (story.payments, len(story.terms), story.receipts) == (["paid"], 1, [story.receipts[0].split()[0] + " 3000"])
    assert story.ledger[2:] == ["fee_received 1000 bank < fees", "allocated 2000 unallocated < fees"]
    assert list_discrepancies() == []


def test_transfers_that_come_to_more_than_the_fee_leave_the_excess_unallocated(app: Flask, cast: Cast) -> None:
    for n, amount in enumerate(["20.00", "15.00"]):
        assert record(app, amount=amount, value_date=(cast.today - n * DAY).isoformat())[0] == 0
    story = story_of(cast.mallory.id)
    assert (story.payments, [d.reason for d in list_discrepancies()]) == (["paid"], ["overpaid"])
    assert ledger.balance_of(list_discrepancies()[0].payment_id).unallocated_cents == 500


def test_money_of_a_day_in_grace_renews_and_keeps_the_anniversary(app: Flask, cast: Cast) -> None:
    """Typed in today, paid by the bank when Bob was in grace: the value date counts."""
    before = story_of(cast.bob.id)
    code, _, _ = record(
        app, person="bob@example.org", tier="plus", amount="50.00", value_date=(cast.today - DAY).isoformat()
    )
    story = story_of(cast.bob.id)
    first_end = date.fromisoformat(before.terms[0].rpartition(" ")[2])
    assert (code, story.terms[1].split()[1]) == (0, (first_end + DAY).isoformat())
    assert story.status == "active"


def test_money_for_covered_days_is_unallocated_and_never_a_silent_extra_year(app: Flask, cast: Cast) -> None:
    for day in (cast.today - DAY, cast.today):
        assert record(app, person="alice@example.org", tier="plus", amount="50.00", value_date=day.isoformat())[0] == 0
    story = story_of(cast.alice.id)
    assert len(story.terms) == 2  # the year that runs and one renewal
    assert story.ledger[2:] == ["excess_received 5000 bank < unallocated"]
    assert story.reasons == ["days_covered"]


WRONG = [
    {"person": "nobody@example.org"},
    {"person": "M-999999"},
    {"person": ""},
    {"tier": "gold"},
    {"tier": ""},
    {"amount": "0"},
    {"amount": "0.00"},
    {"amount": "-30.00"},
    {"amount": "30,00"},
    {"amount": "1e3"},
    {"amount": ""},
    {"amount": "9999999.00"},
    {"method": "card"},
    {"method": "online"},
    {"method": ""},
    {"value_date": "tomorrow"},
    {"value_date": "23/11/2026"},
    {"value_date": "2026-02-30"},
    {"value_date": ""},
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_booked_is_refused_in_one_line_and_changes_nothing(app: Flask, cast: Cast) -> None:
    before = db.session.execute(select(func.count()).select_from(Payment)).scalar_one()
    for wrong in [*WRONG, {"value_date": (cast.today + DAY).isoformat()}]:
        code, said, complaint = record(app, **{"value_date": cast.today.isoformat(), **wrong})
        assert (code, said, len(complaint.splitlines())) == (2, "", 1), (wrong, complaint)
    assert db.session.execute(select(func.count()).select_from(Payment)).scalar_one() == before


def test_paying_in_cash_closes_the_page_that_was_left_open(shop: Shop) -> None:
    checkout = shop.browser().choose("basic")
    with shop.books():
        assert record(shop.app, person="alice@example.org", method="cash", value_date=shop.today.isoformat())[0] == 0
        work_all()
    assert shop.checkouts("expired") == [checkout]
    assert shop.story().payments == ["closed", "paid"]
    assert (len(shop.story().terms), shop.story().reasons) == (1, [])


def work_all() -> None:
    work_off(clock.now)
    assert db.session.execute(select(Job.last_error).where(Job.state != "done")).scalars().all() == []


def sync(app: Flask, *arguments: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=["payments", "sync", *arguments])
    return result.exit_code, result.stdout.strip(), result.stderr.strip()


def test_sync_says_what_it_heard_and_hears_nothing_twice(shop: Shop) -> None:
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    events = len(shop.events())
    assert sync(shop.app) == (0, f"{events} events heard, 0 open payments looked at.", "")
    assert sync(shop.app) == (0, "0 events heard, 0 open payments looked at.", "")
    assert shop.story().status == "active"


def test_sync_since_an_instant_reads_from_there_and_forgets_nothing_before(shop: Shop) -> None:
    shop.control("faults", drop=True)
    shop.pay(shop.browser().choose("basic"))
    code, said, _ = sync(shop.app, "--since", "2090-01-01T00:00:00+00:00")
    assert (code, said) == (0, "0 events heard, 1 open payments looked at.")
    assert sync(shop.app)[1].startswith(f"{len(shop.events())} events heard")
    assert sync(shop.app, "--since", "2020-01-01")[1].startswith("0 events heard")


def test_sync_refuses_what_is_no_instant_and_says_when_the_provider_is_away(shop: Shop) -> None:
    code, _, complaint = sync(shop.app, "--since", "yesterday")
    assert (code, "2026-11-23T10:00:00" in complaint) == (2, True)
    shop.line.fault = lambda method, path: "down"
    code, _, complaint = sync(shop.app)
    assert (code, "does not answer" in complaint) == (2, True)
