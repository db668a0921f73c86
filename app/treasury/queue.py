"""The treasurer's queue as its page shows it."""

from __future__ import annotations

from types import SimpleNamespace

from sqlalchemy.orm import joinedload

from app.accounts.service import actor_name
from app.extensions import db
from app.payments.models import Discrepancy, Payment
from app.payments.resolving import ways_to_resolve_each
from app.payments.service import open_discrepancies
from app.treasury import listing, words
from app.treasury.filters import Filter
from app.treasury.rules import NEEDS

PAGE_SIZE = 25


def needs() -> list[SimpleNamespace]:
    """How many entries of each group wait, and what money they are about; the most urgent first."""
    found = list(db.session.execute(open_discrepancies()).scalars())
    shown = []
    for code, reasons in NEEDS.items():
        these = [it for it in found if it.reason in reasons]
        if these:
            shown.append(_need(code, len(these), sum(it.amount_cents or 0 for it in these if _is_ours(it))))
    waiting = listing.open_payments(Filter(state="waiting"))
    if waiting:
        shown.append(_need("waiting", len(waiting), sum(it.amount_cents for it in waiting)))
    return shown


def page_of(group: str, number: int) -> tuple[list[SimpleNamespace], bool]:
    """Open entries, the oldest first, of one group or of all; whether there are more."""
    query = open_discrepancies().order_by(None).order_by(Discrepancy.id)
    if group in NEEDS:
        query = query.where(Discrepancy.reason.in_(NEEDS[group]))
    query = query.options(
        joinedload(Discrepancy.payment).joinedload(Payment.person),
        joinedload(Discrepancy.payment).joinedload(Payment.tier),
    )
    query = query.limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)
    found = list(db.session.execute(query).scalars())
    return shown(found[:PAGE_SIZE]), len(found) > PAGE_SIZE


def of_payment(payment_id: int) -> tuple[list[SimpleNamespace], list[SimpleNamespace]]:
    """A payment's entries: those that wait, and those that somebody resolved, oldest first."""
    open_ones = list(
        db.session.execute(open_discrepancies().where(Discrepancy.payment_id == payment_id)).scalars()
    )[::-1]  # fmt: skip
    query = db.select(Discrepancy).where(Discrepancy.payment_id == payment_id, Discrepancy.resolved_at.is_not(None))
    resolved = [
        SimpleNamespace(
            why=words.reasons()[it.reason], decision=words.decided()[it.resolution or "noted"], note=it.note,
            by=actor_name(it.resolved_by), at=it.resolved_at,
        )
        for it in db.session.execute(query.order_by(Discrepancy.resolved_at, Discrepancy.id)).scalars()
    ]  # fmt: skip
    return shown(open_ones), resolved


def shown(entries: list[Discrepancy]) -> list[SimpleNamespace]:
    ways = ways_to_resolve_each(entries)
    return [
        SimpleNamespace(
            id=it.id, reason=it.reason, why=words.reasons()[it.reason], reference=it.reference, found_at=it.found_at,
            amount_cents=it.amount_cents, currency=it.currency, payment=it.payment,
            person=it.payment.person if it.payment else None,
            ways=[(code, words.resolutions()[code]) for code in ways[it.id]],
        )
        for it in entries
    ]  # fmt: skip


def _is_ours(it: Discrepancy) -> bool:
    return it.currency == listing.CURRENCY


def _need(code: str, count: int, cents: int) -> SimpleNamespace:
    return SimpleNamespace(code=code, count=count, amount_cents=cents, currency=listing.CURRENCY)
