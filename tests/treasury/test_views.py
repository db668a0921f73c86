"""The treasurer's pages: for the treasurer only, filters that find, totals that are the rows'."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from app import clock
from app.extensions import db
from app.payments import ledger, service
from app.payments.models import Payment
from app.people.models import Person
from app.people.service import add_person
from app.treasury import listing
from app.treasury.filters import Filter
from tests.cast import Cast, pay
from tests.visitor import Visitor

PAGES = ("/treasury", "/treasury/payments", "/treasury/payments.csv", "/treasury/payments/{number}")


def number(cast: Cast, n: int = 1) -> str:
    return f"P-{cast.today.year}-{n:06d}"


@pytest.fixture
def treasurer(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "treasurer@example.org")


def test_the_treasurers_pages_are_for_the_treasurer_only(app: Flask, cast: Cast) -> None:
    visitors = {who: Visitor(app, f"{who}@example.org") for who in ("alice", "scanner", "admin", "treasurer")}
    for page in PAGES:
        path = page.format(number=number(cast))
        for who, visitor in visitors.items():
            assert visitor.get(path).status_code == (200 if who == "treasurer" else 403), (who, path)
        stranger = Visitor(app).get(path)
        assert (stranger.status_code, "/sign-in" in stranger.headers["Location"]) == (302, True)


def test_every_page_of_the_treasury_is_never_kept_by_a_browser(treasurer: Visitor, cast: Cast) -> None:
    for page in PAGES:
        assert "no-store" in treasurer.get(page.format(number=number(cast))).headers["Cache-Control"]


def test_a_payment_that_does_not_exist_is_not_found(treasurer: Visitor, cast: Cast) -> None:
    for wrong in ("P-1999-000001", number(cast, 99), "1", "P-2026-" + "9" * 30, "%00", number(cast).lower()):
        assert treasurer.get(f"/treasury/payments/{wrong}").status_code == 404, wrong


def test_the_totals_row_is_the_sum_of_all_rows_of_the_filter(app: Flask, cast: Cast) -> None:
    pay(cast.mallory, cast.basic, cast.today, cents=4999)
    for wanted in (
        Filter(),
        Filter(from_on=cast.today),
        Filter(method="cash"),
        Filter(state="refunded"),
        Filter("dan"),
    ):
        rows = listing.page_of(wanted, 1)
        totals = listing.totals_of(wanted)
        assert len(rows) < listing.PAGE_SIZE
        assert (totals.count, totals.amount_cents, totals.fee_cents) == (
            len(rows), sum(row.amount_cents for row in rows), sum(row.fee_cents for row in rows)
        )  # fmt: skip


def test_money_of_another_currency_stands_in_its_own_row_and_in_no_total(app: Flask, cast: Cast) -> None:
    before = listing.totals_of(Filter())
    strange = db.session.get_one(Payment, 1)
    ledger.post(strange, "excess_received", "provider", "unallocated", 999, "USD", cast.today, "ch_usd", cast.now)
    after = listing.totals_of(Filter())
    assert (after.count, after.amount_cents, after.currency) == (before.count + 1, before.amount_cents, "EUR")
    assert [row.amount_cents for row in listing.page_of(Filter(), 1) if row.currency == "USD"] == [999]


def test_filters_find_by_name_number_receipt_address_method_state_and_day(treasurer: Visitor, cast: Cast) -> None:
    year = cast.today.year
    cash = pay(cast.mallory, cast.basic, cast.today, method="cash").number
    db.session.commit()
    alice, dan = number(cast), number(cast, 4)
    day = (cast.today - timedelta(days=100)).isoformat()
    for query, expected in [
        ("text=alice", {alice}),
        ("text=ALICE+sol", {alice}),
        ("text=alice@example.org", {alice}),
        (f"text={cast.alice.member_number}", {alice}),
        (f"text={year}-000001", {alice}),
        (f"text=R{year}-000001", {dan}),
        (f"text={alice}", {alice}),
        (f"text={alice.lower()}", {alice}),
        ("method=cash", {cash}),
        ("state=refunded", {dan}),
        (f"from={day}&to={day}", {alice}),
        ("text=%25", set()),
        ("text=_", set()),
        ("text=%00", {alice, number(cast, 2), number(cast, 3), dan, cash}),
        ("text=999999999999-999999999999", set()),
        ("state=mismatch", set()),
        ("state=waiting", set()),
    ]:
        page = treasurer.get(f"/treasury/payments?{query}")
        found = set(re.findall(r"/treasury/payments/(P-\d+-\d+)", page.get_data(as_text=True)))
        assert (page.status_code, found) == (200, expected), query


def test_a_filter_that_cannot_be_read_is_said_on_the_page(treasurer: Visitor, cast: Cast) -> None:
    for query in ("from=yesterday", "to=2026-02-30", "method=card", "state=lost", "from=2026-02-01&to=2026-01-01"):
        assert treasurer.get(f"/treasury/payments?{query}").status_code == 400, query
        assert treasurer.get(f"/treasury/payments.csv?{query}").status_code == 400, query


def test_pages_beyond_the_last_are_empty_and_odd_numbers_are_the_first(treasurer: Visitor, cast: Cast) -> None:
    for page in ("2", "99999999999999999999", "0", "-1", "x"):
        assert treasurer.get(f"/treasury/payments?page={page}").status_code == 200, page


def test_the_refund_button_works_once_and_needs_its_token(treasurer: Visitor, cast: Cast) -> None:
    path = f"/treasury/payments/{number(cast)}/refund"
    assert treasurer.post_without_token(path).status_code == 400
    assert treasurer.get(path).status_code == 405
    assert service.view(service.get_payment(number(cast))).state == "paid"
    assert [treasurer.post(path).status_code for _ in range(2)] == [303, 409]
    assert service.view(service.get_payment(number(cast))).state == "refunded"


def test_nobody_else_refunds(app: Flask, cast: Cast) -> None:
    path = f"/treasury/payments/{number(cast)}/refund"
    for who in ("alice", "scanner", "admin"):
        assert Visitor(app, f"{who}@example.org").post(path).status_code == 403
    assert Visitor(app).post(path).status_code == 401
    assert service.view(service.get_payment(number(cast))).state == "paid"


def queries_of(visitor: Visitor, path: str) -> int:
    visitor.get(path)
    queries: list[str] = []
    note = lambda *a: queries.append(a[2])  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert visitor.get(path).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(queries)


def waiting_payment(person: Person, cast: Cast) -> None:
    """A bank debit on its way."""
    payment = service.open_payment(person, service.Wanted(cast.basic.id), "test", "en", clock.now(), cast.today)
    payment.completed_at = clock.now()


@pytest.mark.parametrize("path", ["/treasury", "/treasury/payments", "/treasury/payments/{number}"])
def test_more_rows_need_no_more_queries(treasurer: Visitor, cast: Cast, path: str) -> None:
    path = path.format(number=number(cast))
    waiting_payment(cast.mallory, cast)
    before = queries_of(treasurer, path)
    for n in range(8):
        pay(add_person(f"N{n}", "Soler", None, clock.now()), cast.plus, cast.today, cents=6000)
        waiting_payment(add_person(f"W{n}", "Soler", None, clock.now()), cast)
    assert queries_of(treasurer, path) == before


def test_what_needs_the_treasurer_is_gone_when_its_money_is(treasurer: Visitor, cast: Cast) -> None:
    pay(cast.alice, cast.plus, cast.today)  # a renewal
    twice = pay(cast.alice, cast.plus, cast.today, method="cash")
    db.session.commit()
    page = f"/treasury/payments/{twice.number}"
    assert twice.number in treasurer.get("/treasury/payments?state=unallocated").get_data(as_text=True)
    assert "These days were paid already" in treasurer.get(page).get_data(as_text=True)
    assert treasurer.post(f"{page}/refund").status_code == 303
    assert twice.number not in treasurer.get("/treasury/payments?state=unallocated").get_data(as_text=True)
    assert "These days were paid already" not in treasurer.get(page).get_data(as_text=True)
    assert "needs=unallocated" not in treasurer.get("/treasury").get_data(as_text=True)
