"""Payments as the treasurer sees them: one row for each movement of money, what goes back negative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from app.extensions import db
from app.memberships.models import Term, Tier
from app.payments.models import Discrepancy, Dispute, LedgerEntry, Payment, Receipt, Refund
from app.payments.service import open_discrepancies
from app.people.models import Person
from app.treasury.filters import Filter, about
from app.treasury.rules import NEEDS

IN = ("fee_received", "excess_received")
OUT = ("refund_paid", "dispute_withdrawn")
BACK = ("refund_reversed", "dispute_reinstated")
WITHIN = ("allocated", "donated")  # from one account of ours to another: nothing comes or goes
COSTS = ("provider_fee", "provider_fee_returned")
CARRIERS = (*IN, *OUT, *BACK)  # rows that name what the provider took for them
PAGE_SIZE = 25
MOST_OPEN = 100
CURRENCY = "EUR"  # what totals are of; money that came in another is a mismatch and stands in its own row


@dataclass(frozen=True)
class Totals:
    """Of the rows of a filter: how many, and in CURRENCY the gross with refunds and disputes taken off and the
    provider's fees; `waiting_cents` was asked for and is not here yet."""

    count: int
    amount_cents: int
    fee_cents: int
    waiting_cents: int
    currency: str


_cost, _carrier = aliased(LedgerEntry), aliased(LedgerEntry)
_signed = case(
    (LedgerEntry.movement.in_(OUT), -LedgerEntry.amount_cents),
    (LedgerEntry.movement.in_((*IN, *BACK)), LedgerEntry.amount_cents),
    else_=0,
)
_fee = case(
    (LedgerEntry.movement == "provider_fee", LedgerEntry.amount_cents),
    (LedgerEntry.movement == "provider_fee_returned", -LedgerEntry.amount_cents),
    (_cost.movement == "provider_fee", _cost.amount_cents),
    (_cost.movement == "provider_fee_returned", -_cost.amount_cents),
    else_=0,
)
_is_disputed = exists().where(Dispute.payment_id == Payment.id, Dispute.status.in_(("open", "inquiry")))


def _beside(it: Any, other: Any) -> ColumnElement[bool]:
    """Whether two ledger rows tell of the same act of the provider's."""
    # Inside CASE no index on days is of use: rows are looked up by the provider's id, of which there are few.
    same_day = case((and_(it.value_on == other.value_on, it.currency == other.currency), 1), else_=0)
    return and_(it.provider_id == other.provider_id, same_day == 1)


def _rows(wanted: Filter, *columns: Any) -> Select[Any]:
    """The movements of a filter with everything that names them, each once.

    What the provider took stands beside the first movement of its act; a fee of another day is a row of its own.
    """
    carrier = exists().where(_carrier.movement.in_(CARRIERS), _beside(_carrier, LedgerEntry))
    is_first = ~carrier.where(_carrier.id < LedgerEntry.id)
    query = (
        select(*columns)
        .select_from(LedgerEntry)
        .join(Payment, Payment.id == LedgerEntry.payment_id)
        .join(Person, Person.id == Payment.person_id)
        .join(Tier, Tier.id == Payment.tier_id)
        .outerjoin(Term, and_(Term.payment_id == Payment.id, Term.continues_id.is_(None)))
        .outerjoin(
            Refund,
            and_(
                LedgerEntry.movement.in_(("refund_paid", "refund_reversed")),
                Refund.provider_id == LedgerEntry.provider_id,
            ),
        )
        .outerjoin(Receipt, Receipt.id == _receipt_id())
        .outerjoin(
            _cost,
            and_(LedgerEntry.movement.in_(CARRIERS), _cost.movement.in_(COSTS), _beside(_cost, LedgerEntry), is_first),
        )  # fmt: skip
        .where(
            or_(LedgerEntry.movement.in_((*CARRIERS, *WITHIN)), and_(LedgerEntry.movement.in_(COSTS), ~carrier)),
            *about(wanted),
        )
    )
    if wanted.from_on:
        query = query.where(LedgerEntry.value_on >= wanted.from_on)
    if wanted.to_on:
        query = query.where(LedgerEntry.value_on <= wanted.to_on)
    return query.where(_in_state(wanted.state)) if wanted.state else query


def _receipt_id() -> ColumnElement[Any]:
    """The receipt a movement brought: of a fee, of what went back, of what came back after all."""
    receipt, again = aliased(Receipt), ("refund_reversed", "dispute_reinstated")
    of_dispute = select(Dispute.id).where(
        Dispute.payment_id == Payment.id, Dispute.amount_cents == LedgerEntry.amount_cents
    )
    return (
        select(func.min(receipt.id))
        .where(
            receipt.payment_id == Payment.id,
            or_(
                and_(LedgerEntry.movement.in_(("fee_received", "allocated")), receipt.series == ""),
                and_(
                    LedgerEntry.movement == "refund_paid", LedgerEntry.debit == "fees", receipt.refund_id == Refund.id
                ),
                and_(LedgerEntry.movement == "dispute_withdrawn", receipt.dispute_id.in_(of_dispute)),
                and_(
                    LedgerEntry.movement.in_(again), LedgerEntry.credit != "unallocated", receipt.series == "",
                    receipt.issued_at == LedgerEntry.at,
                ),
            ),
        )
        .correlate(Payment, LedgerEntry, Refund)
        .scalar_subquery()
    )  # fmt: skip


def _in_state(state: str) -> ColumnElement[bool]:
    if state == "paid":
        return LedgerEntry.movement.in_(IN)
    if state == "refunded":
        return LedgerEntry.movement.in_(("refund_paid", "refund_reversed"))
    if state == "donated":
        return LedgerEntry.movement == "donated"
    if state == "disputed":
        return Payment.id.in_(select(Dispute.payment_id).where(Dispute.status != "won"))
    if state in ("waiting", "open"):
        return false()
    found = open_discrepancies().where(Discrepancy.reason.in_(NEEDS[state]))
    return Payment.id.in_(found.with_only_columns(Discrepancy.payment_id).order_by(None))


def page_of(wanted: Filter, number: int) -> list[Any]:
    """One page of movements, newest value date first."""
    query = _rows(
        wanted, LedgerEntry.movement, LedgerEntry.value_on, _signed.label("amount_cents"), LedgerEntry.currency,
        LedgerEntry.amount_cents.label("moved_cents"), Payment, Person, Tier, Receipt, _fee.label("fee_cents"),
        _is_disputed.label("is_disputed"),
    )  # fmt: skip
    query = query.order_by(LedgerEntry.value_on.desc(), LedgerEntry.id.desc())
    return list(db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)))


def totals_of(wanted: Filter) -> Totals:
    counted = [
        func.coalesce(func.sum(column).filter(LedgerEntry.currency == CURRENCY), 0) for column in (_signed, _fee)
    ]
    count, cents, fees = db.session.execute(_rows(wanted, func.count(LedgerEntry.id), *counted)).one()
    waiting = select(func.coalesce(func.sum(Payment.amount_cents), 0)).join(Payment.person).where(*_not_here(wanted))
    return Totals(int(count), int(cents), int(fees), int(db.session.execute(waiting).scalar_one()), CURRENCY)


def open_payments(wanted: Filter) -> list[Payment]:
    """Asked for and not here yet, newest first: on their way from the bank; with the state `open` those that nobody
    has paid so far. They have no value date."""
    query = (
        select(Payment)
        .join(Payment.person)
        .options(contains_eager(Payment.person), joinedload(Payment.tier))
        .where(*_not_here(wanted))
        .order_by(Payment.id.desc())
        .limit(MOST_OPEN)
    )
    return list(db.session.execute(query).scalars())


def _not_here(wanted: Filter) -> list[ColumnElement[bool]]:
    if wanted.state not in ("", "waiting", "open"):
        return [false()]
    is_open = wanted.state == "open"
    completed = Payment.completed_at.is_(None) if is_open else Payment.completed_at.is_not(None)
    return [completed, Payment.paid_at.is_(None), Payment.closed_at.is_(None), *about(wanted)]


def stream(wanted: Filter) -> Iterator[Any]:
    """Every movement of a filter, oldest first, read from the database in pieces and in one snapshot."""
    query = _rows(
        wanted, LedgerEntry.id, LedgerEntry.movement, LedgerEntry.debit, LedgerEntry.credit, LedgerEntry.value_on,
        LedgerEntry.at, _signed.label("amount_cents"), LedgerEntry.amount_cents.label("moved_cents"),
        LedgerEntry.currency, LedgerEntry.provider_id, _fee.label("fee_cents"), Payment.id.label("payment_id"),
        Payment.opened_on, Payment.method, Payment.kind, Payment.opened_by, Payment.stripe_checkout_id,
        Payment.stripe_invoice_id, Person.id.label("person_id"), Person.given_name, Person.family_name, Person.email,
        Tier.code.label("tier"), Term.starts_on, Term.ends_on, Receipt.series, Receipt.year, Receipt.n,
    ).order_by(LedgerEntry.value_on, LedgerEntry.id)  # fmt: skip
    yield from db.session.execute(query, execution_options={"stream_results": True, "yield_per": 5000})
