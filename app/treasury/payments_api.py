"""GET /api/v1/payments: what was asked and what became of it, for a service with scope `payments`."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import Schema, fields, validate
from sqlalchemy import and_, func, select
from sqlalchemy.orm import joinedload

from app.accounts import access
from app.api import UtcInstant, also, bp, documented, limited
from app.extensions import db
from app.payments.models import METHODS, LedgerEntry, Payment, Receipt
from app.services.cursors import PageQuery, cursor_after, read_cursor
from app.services.service import subject_for

# A sum of the ledger -> what adds to it, what takes from it.
SUMS = {
    "received_cents": (("fee_received", "excess_received"), ()),
    "refunded_cents": (("refund_paid",), ("refund_reversed",)),
    "disputed_cents": (("dispute_withdrawn",), ("dispute_reinstated",)),
    "provider_fee_cents": (("provider_fee",), ("provider_fee_returned",)),
}
NOTHING = dict.fromkeys(SUMS, 0)


class PaymentShown(Schema):
    number = fields.String(required=True, metadata={"description": "What people call it: P-2026-000123."})
    subject = fields.String(required=True, metadata={"description": "Who was asked: stable, for you alone."})
    kind = fields.String(required=True, validate=validate.OneOf(["join", "renew", "rejoin", "upgrade", "gift"]))
    method = fields.String(required=True, validate=validate.OneOf(METHODS))
    tier = fields.String(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(["open", "waiting", "paid", "partly_refunded", "refunded", "disputed", "closed"]),
        metadata={
            "description": "waiting: ordered and not here yet, as a debit; closed: it can no longer be paid, or its "
            "money was not what was asked."
        },
    )
    amount_cents = fields.Integer(required=True, metadata={"description": "What was asked, in minor units."})
    received_cents = fields.Integer(required=True)
    refunded_cents = fields.Integer(required=True)
    disputed_cents = fields.Integer(required=True, metadata={"description": "Withdrawn by a bank, and not back."})
    provider_fee_cents = fields.Integer(required=True)
    currency = fields.String(required=True, metadata={"description": "Of all amounts, such as EUR."})
    opened_at = UtcInstant(required=True)
    paid_at = UtcInstant(required=True, allow_none=True)
    paid_on = fields.Date(required=True, allow_none=True, metadata={"description": "The value date."})
    closed_at = UtcInstant(required=True, allow_none=True)
    closed_because = fields.String(required=True, allow_none=True)
    receipts = fields.List(fields.String(), required=True, metadata={"description": "Numbers, in order of issue."})


class PaymentPage(Schema):
    items = fields.List(fields.Nested(PaymentShown), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "The cursor of the next page; null on the last."}
    )


@bp.route("/payments", methods=["GET"])
@access.service("payments")
@limited
@also(400, "Not a cursor of ours")
@documented
@bp.response(200, PaymentPage)
@bp.arguments(PageQuery, location="query")
def list_payments(query: dict[str, Any]) -> dict[str, Any]:
    """Every payment asked of somebody, the oldest first, with what the ledger says of its money.

    Pages keep their place while payments come in: none that was there at the first page is left out or shown twice.
    """
    after, limit = read_cursor(query.get("cursor"), "payments", g.service.id), query["limit"]
    found = select(Payment).where(Payment.id > after).options(joinedload(Payment.tier)).order_by(Payment.id)
    payments = list(db.session.execute(found.limit(limit + 1)).scalars())
    shown = payments[:limit]
    ids = [payment.id for payment in shown]
    sums, receipts = _sums(ids), _receipts(ids)
    return {
        "items": [_shown(it, {**NOTHING, **sums.get(it.id, {})}, receipts.get(it.id, [])) for it in shown],
        "next": cursor_after("payments", g.service.id, shown[-1].id) if len(payments) > limit else None,
    }


def _sums(payment_ids: list[int]) -> dict[int, dict[str, int]]:
    """By payment; of money in another currency than was asked nothing is counted."""
    columns = [
        (
            func.coalesce(func.sum(LedgerEntry.amount_cents).filter(LedgerEntry.movement.in_(adds)), 0)
            - func.coalesce(func.sum(LedgerEntry.amount_cents).filter(LedgerEntry.movement.in_(takes)), 0)
        ).label(name)
        for name, (adds, takes) in SUMS.items()
    ]
    query = (
        select(LedgerEntry.payment_id, *columns)
        .join(Payment, and_(Payment.id == LedgerEntry.payment_id, Payment.currency == LedgerEntry.currency))
        .where(LedgerEntry.payment_id.in_(payment_ids))
        .group_by(LedgerEntry.payment_id)
    )
    return {row.payment_id: {name: int(getattr(row, name)) for name in SUMS} for row in db.session.execute(query)}


def _receipts(payment_ids: list[int]) -> dict[int, list[str]]:
    numbers: dict[int, list[str]] = {}
    query = select(Receipt).where(Receipt.payment_id.in_(payment_ids)).order_by(Receipt.id)
    for receipt in db.session.execute(query).scalars():
        numbers.setdefault(receipt.payment_id, []).append(receipt.number)
    return numbers


def _shown(it: Payment, sums: dict[str, int], receipts: list[str]) -> dict[str, Any]:
    return {
        "number": it.number, "subject": subject_for(g.service.id, it.person_id), "kind": it.kind,
        "method": it.method, "tier": it.tier.code, "state": _state(it, sums), "amount_cents": it.amount_cents,
        **sums, "currency": it.currency, "opened_at": it.opened_at, "paid_at": it.paid_at, "paid_on": it.paid_on,
        "closed_at": it.closed_at, "closed_because": it.closed_because, "receipts": receipts,
    }  # fmt: skip


def _state(it: Payment, sums: dict[str, int]) -> str:
    if it.paid_at is not None:
        if sums["disputed_cents"] > 0:
            return "disputed"
        if sums["refunded_cents"] > 0:
            return "refunded" if sums["refunded_cents"] >= it.amount_cents else "partly_refunded"
        return "paid"
    if it.closed_at is not None:
        return "closed"
    return "waiting" if it.completed_at is not None else "open"
