"""Payments as the treasurer sees them: one row for each movement of money, refunds negative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, and_, case, false, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Term, Tier
from app.payments.models import METHODS, Discrepancy, LedgerEntry, Payment, Receipt, Refund
from app.payments.service import open_discrepancies
from app.people.models import Person
from app.people.service import number_in

SHOWN = ("fee_received", "excess_received", "refund_paid", "refund_reversed")
STATES = ("paid", "refunded", "waiting", "mismatch", "unallocated", "refund_failed")
REASONS = {
    "mismatch": ("mismatch", "unknown_payment", "underpaid"),
    "unallocated": ("days_covered", "overpaid", "refunded_in_part"),
    "refund_failed": ("refund_failed",),
}
PAGE_SIZE = 25
CURRENCY = "EUR"  # what totals are of; money that came in another is a mismatch and stands in its own row


@dataclass(frozen=True)
class Filter:
    """What the treasurer looks for; None and "" mean everything. Days are value dates, both included."""

    text: str = ""
    from_on: date | None = None
    to_on: date | None = None
    method: str = ""
    state: str = ""


@dataclass(frozen=True)
class Totals:
    """Of the rows of a filter: how many, and in CURRENCY the gross with refunds taken off and the provider's fees."""

    count: int
    amount_cents: int
    fee_cents: int
    waiting_cents: int
    currency: str


def read_filter(query: dict[str, str]) -> Filter:
    """From a page's query or an export's. Raises Refusal naming what cannot be read."""
    method, state = query.get("method", ""), query.get("state", "")
    if method and method not in METHODS:
        raise Refusal("bad_filter", _("There is no method %(method)s.", method=repr(method)))
    if state and state not in STATES:
        raise Refusal("bad_filter", _("There is no state %(state)s.", state=repr(state)))
    text = query.get("text", "").replace("\0", "").strip()[:100]  # PostgreSQL knows no NUL
    wanted = Filter(text, _day(query, "from"), _day(query, "to"), method, state)
    if wanted.from_on and wanted.to_on and wanted.from_on > wanted.to_on:
        raise Refusal("bad_filter", _("The first day is after the last one."))
    return wanted


def _day(query: dict[str, str], name: str) -> date | None:
    text = query.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refusal("bad_filter", _("%(text)s is not a day such as 2026-11-23.", text=repr(text))) from None


_cost = aliased(LedgerEntry)
_signed = case((LedgerEntry.movement == "refund_paid", -LedgerEntry.amount_cents), else_=LedgerEntry.amount_cents)
_is_back = LedgerEntry.movement.in_(("refund_paid", "refund_reversed"))


def _rows(wanted: Filter, *columns: Any) -> Select[Any]:
    """The movements of a filter with everything that names them."""
    query = (
        select(*columns)
        .select_from(LedgerEntry)
        .join(Payment, Payment.id == LedgerEntry.payment_id)
        .join(Person, Person.id == Payment.person_id)
        .join(Tier, Tier.id == Payment.tier_id)
        .outerjoin(Term, Term.payment_id == Payment.id)
        .outerjoin(Refund, and_(_is_back, Refund.provider_id == LedgerEntry.provider_id))
        .outerjoin(
            Receipt,
            or_(
                and_(LedgerEntry.movement == "fee_received", Receipt.payment_id == Payment.id, Receipt.series == ""),
                and_(
                    LedgerEntry.movement == "refund_paid", LedgerEntry.debit == "fees", Receipt.refund_id == Refund.id
                ),
            ),
        )
        .outerjoin(_cost, and_(_cost.movement == "provider_fee", _cost.provider_id == LedgerEntry.provider_id))
        .where(LedgerEntry.movement.in_(SHOWN), *_people(wanted))
    )
    if wanted.from_on:
        query = query.where(LedgerEntry.value_on >= wanted.from_on)
    if wanted.to_on:
        query = query.where(LedgerEntry.value_on <= wanted.to_on)
    if wanted.state == "paid":
        query = query.where(~_is_back)
    elif wanted.state == "refunded":
        query = query.where(_is_back)
    elif wanted.state == "waiting":
        query = query.where(false())
    elif wanted.state:
        found = open_discrepancies().where(Discrepancy.reason.in_(REASONS[wanted.state]))
        query = query.where(Payment.id.in_(found.with_only_columns(Discrepancy.payment_id).order_by(None)))
    return query


def _people(wanted: Filter) -> list[Any]:
    conditions: list[Any] = [Payment.method == wanted.method] if wanted.method else []
    if not wanted.text:
        return conditions
    text = wanted.text.lower()
    either = [
        func.lower(Person.given_name + " " + Person.family_name).contains(text, autoescape=True),
        Person.email == text,
        Payment.stripe_payment_intent_id == wanted.text,
    ]
    number = number_in(wanted.text)
    if number is not None:
        either.append(Person.id == number)
    parts = text.removeprefix("r").removeprefix("p-").split("-")
    if len(parts) == 2 and all(part.isdecimal() and len(part) < 10 for part in parts):
        year, n = int(parts[0]), int(parts[1])
        if text.startswith("p-"):
            either.append(Payment.id == n)
        else:
            series = "R" if text.startswith("r") else ""
            receipts = select(Receipt.payment_id).where(Receipt.series == series, Receipt.year == year, Receipt.n == n)
            either.append(Payment.id.in_(receipts))
    return [*conditions, or_(*either)]


def page_of(wanted: Filter, number: int) -> list[Any]:
    """One page of movements, newest value date first."""
    query = _rows(
        wanted, LedgerEntry.movement, LedgerEntry.value_on, _signed.label("amount_cents"), LedgerEntry.currency,
        Payment, Person, Tier, Receipt, func.coalesce(_cost.amount_cents, 0).label("fee_cents"),
    )  # fmt: skip
    query = query.order_by(LedgerEntry.value_on.desc(), LedgerEntry.id.desc())
    return list(db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)))


def totals_of(wanted: Filter) -> Totals:
    row = db.session.execute(
        _rows(
            wanted,
            func.count(LedgerEntry.id),
            func.coalesce(func.sum(_signed).filter(LedgerEntry.currency == CURRENCY), 0),
            func.coalesce(func.sum(_cost.amount_cents).filter(_cost.currency == CURRENCY), 0),
        )  # fmt: skip
    ).one()
    waiting = sum(payment.amount_cents for payment in waiting_payments(wanted))
    return Totals(int(row[0]), int(row[1]), int(row[2]), waiting, CURRENCY)


def waiting_payments(wanted: Filter) -> list[Payment]:
    """Completed at the provider, the money still on its way; newest first. They have no value date yet."""
    if wanted.state not in ("", "waiting"):
        return []
    query = (
        select(Payment)
        .join(Payment.person)
        .options(contains_eager(Payment.person), joinedload(Payment.tier))
        .where(
            Payment.completed_at.is_not(None), Payment.paid_at.is_(None), Payment.closed_at.is_(None), *_people(wanted)
        )
        .order_by(Payment.id.desc())
    )
    return list(db.session.execute(query).scalars())


def stream(wanted: Filter) -> Iterator[Any]:
    """Every movement of a filter, oldest first, read from the database in pieces and in one snapshot."""
    query = _rows(
        wanted, LedgerEntry.id, LedgerEntry.movement, LedgerEntry.value_on, LedgerEntry.at,
        _signed.label("amount_cents"), LedgerEntry.currency, LedgerEntry.provider_id,
        func.coalesce(_cost.amount_cents, 0).label("fee_cents"), Payment.id.label("payment_id"), Payment.opened_on,
        Payment.method, Payment.kind, Payment.opened_by, Payment.stripe_checkout_id, Person.id.label("person_id"),
        Person.given_name, Person.family_name, Person.email, Tier.code.label("tier"), Term.starts_on, Term.ends_on,
        Receipt.series, Receipt.year, Receipt.n,
    ).order_by(LedgerEntry.value_on, LedgerEntry.id)  # fmt: skip
    yield from db.session.execute(query, execution_options={"stream_results": True, "yield_per": 5000})
