"""What must be true once all news is heard and all work done."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, select, true

from app import audit, clock
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import FOR_LIFE, standing_of
from app.payments import ledger
from app.payments.models import (
    AutoRenewal,
    Discrepancy,
    Dispute,
    Gift,
    LedgerEntry,
    Payment,
    Receipt,
    Refund,
)
from tests.payments.histories.house import PEOPLE, PLANS, House
from tests.payments.histories.reference import HORIZON, Member
from tests.payments.test_identity import accounts, assert_sums

if TYPE_CHECKING:
    from tests.payments.histories.happened import Books
    from tests.payments.histories.machine import Histories

PASSING = {"job", "worker_seen", "stripe_event", "payment_sweep", "account_session", "sign_in", "verification"}
PASSING |= {"webhook_standing"}  # what was announced, and when


def all_of_it(history: Histories) -> None:
    house = history.house
    unfinished = house.unfinished()
    assert unfinished == [], unfinished
    books = history.books()
    same_days(house, books)
    money(house, books)
    receipts(house)
    auto_renewals(house)
    readers(house, books, history.today)
    with house.books():
        broken = audit.find_break()
        assert broken is None, broken
    before = contents(house)
    house.sweep()
    house.work()
    after = contents(house)
    news = {name: set(after[name]) ^ set(before[name]) for name in after if after[name] != before[name]}
    assert news == {}, f"a second sweep found something to do: {news}"


def left_of(payment: Payment) -> int:
    return ledger.balance_of(payment.id).refundable_cents


def free_of(payment: Payment) -> int:
    balance = ledger.balance_of(payment.id)
    return max(0, min(balance.unallocated_cents, balance.refundable_cents))


def offers(member: Member, shown: dict[str, str], today: date, fee_on: Callable[[str, date], int]) -> None:
    """A page shows exactly what the second opinion would sell, and nothing to somebody who has renewed."""
    for code, stamp in shown.items():
        offered = member.offer(PLANS[code], today)
        assert offered is not None, f"{stamp} is shown to somebody who has renewed"
        assert stamp == f"{code} {offered.first} {offered.last} {fee_on(code, today)} EUR"


def no_overlap(house: House) -> None:
    with house.books():
        for name in PEOPLE:
            query = select(Term.starts_on, Term.ends_on).where(
                Term.person_id == house.ids[name], Term.ends_on >= Term.starts_on
            )
            held = sorted(tuple(row) for row in db.session.execute(query))
            assert all(first[1] < second[0] for first, second in pairwise(held)), (name, held)


def same_days(house: House, books: Books) -> None:
    """The facts replayed by the second opinion give the days that are written down."""
    for name in PEOPLE:
        with house.books():
            query = select(Term).where(Term.person_id == house.ids[name], Term.ends_on >= Term.starts_on)
            ours = sorted(
                (it.starts_on, min(it.ends_on, HORIZON), it.tier.code) for it in db.session.execute(query).scalars()
            )
        theirs = sorted((first, last, code) for code, first, last in books.members[name].terms())
        assert ours == theirs, f"{name}: ours {_plain(ours)}, theirs {_plain(theirs)}"


def _plain(terms: list[tuple[date, date, str]]) -> list[str]:
    return [f"{code} {first} – {last}" for first, last, code in terms]


def money(house: House, books: Books) -> None:
    """Every account agrees with what the provider says and with what was typed in, to the cent."""
    moves = [it for it in house.objects("balance_transaction") if not it["type"].startswith("payout")]
    with house.books():
        assert_sums()
        on = accounts()
        by_payment: dict[str, ledger.Balance] = {}
        charged: Counter[str] = Counter()
        rows = db.session.execute(select(LedgerEntry).where(LedgerEntry.movement.in_(ledger.RECEIVED))).scalars()
        for row in rows:
            if row.debit == "provider":
                charged[str(row.provider_id)] += row.amount_cents
        for payment in db.session.execute(select(Payment)).scalars():
            by_payment[payment.number] = ledger.balance_of(payment.id)
    theirs, fees = (sum(it[name] for it in moves) for name in ("net", "fee"))
    assert (on["provider"], on["provider_fees"]) == (theirs, fees), f"provider {theirs}, its fees {fees}, ours {on}"
    paid = {it["id"]: it["amount"] for it in house.objects("charge") if it["paid"]}
    assert charged == paid, f"booked {dict(charged)}, charged {paid}"
    assert on["unallocated"] >= 0, on
    for number, balance in by_payment.items():
        purse = books.purses[number]
        assert (balance.received_cents, balance.refunded_cents) == (purse.received, purse.refunded), (balance, purse)
        if not purse.has_bought:
            assert balance.fees_cents == 0, f"{number} is income though it bought nothing"
        free = balance.unallocated_cents
        expected = purse.received - purse.donated - (books.orders[number].cents if purse.has_bought else 0)
        assert free == max(0, expected - purse.refunded), f"{number}: {free} unallocated, not {expected}"


def receipts(house: House) -> None:
    """Without gaps in each series and year; those of a payment are what stands of its fee."""
    with house.books():
        numbers: dict[tuple[str, int], list[int]] = defaultdict(list)
        of_payment: Counter[int] = Counter()
        for it in db.session.execute(select(Receipt).order_by(Receipt.id)).scalars():
            numbers[it.series, it.year].append(it.n)
            of_payment[it.payment_id] += it.amount_cents if it.series == "" else -it.amount_cents
        for series, given in numbers.items():
            assert given == list(range(1, len(given) + 1)), f"{series}: {given}"
        for payment in db.session.execute(select(Payment)).scalars():
            lost = sum(
                it.amount_cents
                for it in db.session.execute(select(Dispute).where(Dispute.payment_id == payment.id)).scalars()
                if it.status == "lost"
            )
            stands = max(0, ledger.balance_of(payment.id).fees_cents - lost)
            assert of_payment[payment.id] == stands, (
                f"{payment.number}: receipts of {of_payment[payment.id]}, not {stands}"
            )


def auto_renewals(house: House) -> None:
    """One that is on has exactly one live subscription at the provider, one that is off has none."""
    live = Counter(
        it["metadata"].get("carnet_renewal")
        for it in house.objects("subscription")
        if it["status"] not in ("canceled", "incomplete_expired", "unpaid") and not it["cancel_at_period_end"]
    )
    with house.books():
        on = db.session.execute(select(AutoRenewal.id).where(AutoRenewal.off_at.is_(None))).scalars()
        wanted = {str(renewal_id): 1 for renewal_id in on}
        assert live == wanted, f"live at the provider {dict(live)}, on here {wanted}"


def readers(house: House, books: Books, today: date) -> None:
    """The card's page, the campus services' answer, `explain` and the standing say what the second opinion says."""
    for name in PEOPLE:
        expected = books.members[name].status(today)
        with house.books():
            clock.forget()
            standing = standing_of(house.ids[name], clock.now(), clock.today())
        assert standing.status == expected, f"{name}: {standing.status}, not {expected}"
        is_valid = expected in ("active", "grace")
        answer = verified(house, name)
        assert (answer["valid"], answer["status"]) == (is_valid, expected), answer
        code, said = house.command("memberships", "explain", house.numbers[name], "--json")
        assert code == 0
        explained = json.loads(said)
        assert explained["status"] == expected, explained
        last = standing.valid_until
        until = last.isoformat() if last is not None and last != FOR_LIFE else None
        assert (explained["valid_until"], answer["valid_until"]) == (until, until), (explained, answer)
        assert has_card(house, name) == is_valid, f"{name} is {expected}"


def has_card(house: House, name: str) -> bool:
    """Whether the card's page would show a code."""
    return house.visitor(name).get("/card.svg").status_code == 200


def verified(house: House, name: str) -> dict[str, Any]:
    answer = house.api.post(
        f"{house.shop.url}/api/v1/verifications", json={"credential": house.numbers[name]},
        headers={"Authorization": f"Bearer {house.service_key}"}, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def contents(house: House) -> dict[str, list[str]]:
    """Every row that matters, as text."""
    with house.books():
        return {
            table.name: sorted(
                repr([_fixed(value) for value in row]) for row in db.session.execute(select(table))
            )
            for table in db.metadata.sorted_tables
            if table.name not in PASSING
        }  # fmt: skip


def tally(house: House) -> Counter[str]:
    """What there is of each kind, to see how far histories come."""
    is_paid = Payment.paid_at.is_not(None)
    kinds = (
        ("paid", Payment.kind, is_paid), ("paid by", Payment.method, is_paid),
        ("payment closed", Payment.closed_because, Payment.closed_because.is_not(None)),
        ("term ended", Term.ended_because, Term.ended_because.is_not(None)),
        ("term", "granted", Term.granted_by.is_not(None)), ("gift", "accepted", Gift.accepted_at.is_not(None)),
        ("refund", Refund.status, true()), ("refund because", Refund.cause, true()),
        ("dispute", Dispute.status, true()), ("queue", Discrepancy.reason, true()),
        ("queue resolved", Discrepancy.resolution, Discrepancy.resolution.is_not(None)),
        ("auto-renewal off", AutoRenewal.off_because, AutoRenewal.off_at.is_not(None)),
        ("auto-renewal", "charged", Payment.stripe_invoice_id.is_not(None)), ("ledger", LedgerEntry.movement, true()),
    )  # fmt: skip
    found: Counter[str] = Counter()
    with house.books():
        for name, by, where in kinds:
            column = literal(by) if isinstance(by, str) else by
            for value, count in db.session.execute(select(column, func.count()).where(where).group_by(column)):
                found[f"{name}: {value}"] += count
    return found


def _fixed(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
