"""The treasurer's queue: what no rule decides, in plain words, with the buttons that resolve it."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app import audit, clock
from app.extensions import db
from app.memberships.service import terms_of
from app.payments import checkouts, ledger, service
from app.payments.discrepancies import list_discrepancies, note_discrepancy
from app.payments.models import Discrepancy, Payment, Refund
from app.payments.receipts import receipts_of
from app.treasury import words
from app.treasury.rules import NEEDS
from tests.cast import Cast, pay
from tests.kept import everything_kept
from tests.portal.test_states import read
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def reasons_of_the_database() -> set[str]:
    (check,) = [c for c in Discrepancy.__table__.constraints if str(c.name).endswith("reason_known")]
    return set(re.findall(r"'(\w+)'", str(check.sqltext)))


@pytest.fixture
def treasurer(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "treasurer@example.org")


@pytest.fixture
def twice(app: Flask, cast: Cast) -> Payment:
    """Alice renews, and pays once more for the same days."""
    pay(cast.alice, cast.plus, cast.today)
    second = pay(cast.alice, cast.plus, cast.today, method="cash")
    db.session.commit()
    return second


def entry_of(payment: Payment) -> str:
    (entry,) = list_discrepancies(payment.id)
    return f"/treasury/queue/{entry.id}"


def test_every_reason_has_words_and_stands_in_one_group(app: Flask) -> None:
    grouped = [reason for reasons in NEEDS.values() for reason in reasons]
    assert sorted(grouped) == sorted(reasons_of_the_database()) == sorted(words.reasons())


def test_an_entry_says_who_how_much_when_and_why(treasurer: Visitor, cast: Cast, twice: Payment) -> None:
    for path in ("/treasury", "/treasury?needs=unallocated"):
        text = read(treasurer, path)
        for part in (
            "Alice Soler", twice.number, "€50.00", "These days were paid already. The money belongs to nobody yet.",
            "Found ", "Use it for the next year", "Give it back", "Keep as a donation", "Done, with a note",
        ):  # fmt: skip
            assert part in text, (path, part)
    assert "To decide" not in read(treasurer, "/treasury?needs=disputed")


@pytest.mark.parametrize("reason", sorted(reason for reasons in NEEDS.values() for reason in reasons))
def test_every_reason_can_be_read_and_closed_with_a_note(treasurer: Visitor, cast: Cast, reason: str) -> None:
    payment = None if reason == "unknown_payment" else db.session.get_one(Payment, 1)
    note_discrepancy(reason, "re_1", payment, 3000, "EUR", clock.now())
    entry = db.session.query(Discrepancy).filter_by(reason=reason).one()
    entry_id, is_shown = entry.id, bool(list_discrepancies())
    db.session.commit()
    assert (words.reasons()[reason] in read(treasurer, "/treasury")) == is_shown
    path = f"/treasury/queue/{entry_id}"
    assert treasurer.post(path, {"resolution": "noted", "note": " "}).status_code == 400
    assert treasurer.post(path, {"resolution": "noted", "note": "Looked into it"}).status_code == 303
    assert "To decide" not in read(treasurer, "/treasury")
    assert list_discrepancies() == []


def test_used_for_the_next_year_it_buys_the_days_after_all_others(
    treasurer: Visitor, cast: Cast, twice: Payment
) -> None:
    last = max(term.ends_on for term in terms_of(cast.alice.id))
    assert treasurer.post(entry_of(twice), {"resolution": "allocated"}).status_code == 303
    newest = terms_of(cast.alice.id)[-1]
    assert ((newest.starts_on - last).days, newest.payment_id) == (1, twice.id)
    balance = ledger.balance_of(twice.id)
    assert (balance.unallocated_cents, balance.fees_cents, len(receipts_of(twice.id))) == (0, 5000, 1)
    assert list_discrepancies() == []


def test_given_back_it_is_sent_after_the_decision_is_kept(treasurer: Visitor, cast: Cast, twice: Payment) -> None:
    terms = [(term.starts_on, term.ends_on) for term in terms_of(cast.alice.id)]
    assert treasurer.post(entry_of(twice), {"resolution": "refunded"}).status_code == 303
    assert ledger.balance_of(twice.id).refundable_cents == 0
    assert [(term.starts_on, term.ends_on) for term in terms_of(cast.alice.id)] == terms
    assert list_discrepancies() == []


def test_kept_as_a_donation_it_is_no_fee(treasurer: Visitor, cast: Cast, twice: Payment) -> None:
    assert treasurer.post(entry_of(twice), {"resolution": "donated"}).status_code == 303
    balance = ledger.balance_of(twice.id)
    assert (balance.donated_cents, balance.fees_cents, balance.unallocated_cents) == (5000, 0, 0)
    text = read(treasurer, f"/treasury/payments/{twice.number}")
    assert "€50.00 of it was kept as a donation." in text and "Donations ← Unallocated" not in text
    assert "Unallocated ← Donations" in text


@pytest.mark.parametrize("resolution", ["allocated", "refunded", "donated", "noted"])
def test_what_was_resolved_is_refused_a_second_time(
    treasurer: Visitor, cast: Cast, twice: Payment, resolution: str
) -> None:
    path = entry_of(twice)
    form = {"resolution": resolution, "note": "as agreed"}
    assert treasurer.post(path, form).status_code == 303
    before = everything_kept(but=frozenset({"account_session"}))
    again = treasurer.post(path, form)
    assert (again.status_code, "This was resolved already." in again.get_data(as_text=True)) == (409, True)
    assert everything_kept(but=frozenset({"account_session"})) == before
    assert audit.find_break() is None


@pytest.mark.parametrize("resolution", ["", "sold", "allocated\0", "x" * 5000])
def test_an_unknown_way_to_resolve_changes_nothing(
    treasurer: Visitor, cast: Cast, twice: Payment, resolution: str
) -> None:
    path = entry_of(twice)
    before = everything_kept(but=frozenset({"account_session"}))
    assert treasurer.post(path, {"resolution": resolution}).status_code == 409
    assert everything_kept(but=frozenset({"account_session"})) == before


def test_there_is_no_entry_with_a_number_nobody_gave(treasurer: Visitor, cast: Cast) -> None:
    for number in ("0", "999999", "9" * 30):
        assert treasurer.post(f"/treasury/queue/{number}", {"resolution": "noted"}).status_code == 404


def test_only_the_treasurer_decides(app: Flask, cast: Cast, twice: Payment) -> None:
    path = entry_of(twice)
    for who in ("alice", "scanner", "admin"):
        assert Visitor(app, f"{who}@example.org").post(path, {"resolution": "donated"}).status_code == 403
    assert len(list_discrepancies(twice.id)) == 1


def test_a_payment_keeps_what_was_decided_about_it(treasurer: Visitor, cast: Cast, twice: Payment) -> None:
    page = f"/treasury/payments/{twice.number}"
    assert "To decide" in read(treasurer, page)
    form = {"resolution": "noted", "note": "Alice will say in June", "back": "payment"}
    assert treasurer.post(entry_of(twice), form).headers["Location"] == page
    text = read(treasurer, page)
    assert "Closed with a note Alice will say in June" in text
    assert "treasurer@example.org" in text and "To decide" not in text


def test_when_the_provider_is_silent_the_decision_stands_and_is_sent_later(
    treasurer: Visitor, cast: Cast, twice: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_refund_id: int) -> None:
        raise checkouts.ProviderTrouble("timeout")

    monkeypatch.setattr(checkouts, "send_refund", silent)
    answer = treasurer.post(entry_of(twice), {"resolution": "refunded"})
    assert answer.status_code == 503
    assert "The refund is noted and will be sent within the hour." in answer.get_data(as_text=True)
    assert [refund.status for refund in db.session.query(Refund).filter_by(payment_id=twice.id)] == ["requested"]
    assert "A refund is under way." in read(treasurer, f"/treasury/payments/{twice.number}")


def test_a_long_queue_is_read_in_pages_with_the_oldest_first(treasurer: Visitor, cast: Cast) -> None:
    for n in range(27):
        note_discrepancy("unknown_payment", f"cs_{n:02d}", None, 3000, "EUR", clock.now())
    first, second = read(treasurer, "/treasury"), read(treasurer, "/treasury?page=2")
    assert "cs_00" in first and "cs_24" in first and "cs_25" not in first
    assert "cs_25" in second and "cs_26" in second and "cs_24" not in second


def amounts(payment: Payment) -> tuple[int, int]:
    balance = ledger.balance_of(payment.id)
    return balance.refunded_cents, balance.refundable_cents


def refund(treasurer: Visitor, payment: Payment, amount: str, left: int) -> int:
    path = f"/treasury/payments/{payment.number}/refund"
    return treasurer.post(path, {"amount": amount, "left": str(left)}).status_code


def test_a_part_goes_back_and_the_dates_stay(treasurer: Visitor, cast: Cast) -> None:
    payment = service.get_payment(service.payments_of(cast.alice.id)[0].number)
    days = [(term.starts_on, term.ends_on) for term in terms_of(cast.alice.id)]
    assert refund(treasurer, payment, "12,50", 5000) == 303
    assert refund(treasurer, payment, "12,50", 5000) == 409  # a double click
    assert amounts(payment) == (1250, 3750)
    assert [(term.starts_on, term.ends_on) for term in terms_of(cast.alice.id)] == days
    text = read(treasurer, f"/treasury/payments/{payment.number}")
    assert "A part went back. The dates stay." in text and "Partly refunded" in text
    assert "Leave it empty for all of it: €37.50." in text
    assert refund(treasurer, payment, "37.50", 3750) == 303
    assert amounts(payment) == (5000, 0)
    assert terms_of(cast.alice.id)[0].ended_because == "refunded"


@pytest.mark.parametrize(("amount", "status"), [("50.01", 400), ("0", 409), ("-1", 400), ("1e3", 400), ("a\0", 400)])
def test_an_amount_that_cannot_go_back_is_refused(treasurer: Visitor, cast: Cast, amount: str, status: int) -> None:
    payment = service.payments_of(cast.alice.id)[0]
    assert refund(treasurer, payment, amount, 5000) == status
    assert amounts(payment) == (0, 5000)
