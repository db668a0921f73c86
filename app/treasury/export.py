"""Files of money (CSV, RFC 4180): payments, one row for each movement, and the ledger as it stands."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from typing import Any

from app import clock
from app.extensions import db
from app.money import plain_amount
from app.payments.models import LedgerEntry, Payment
from app.treasury.filters import Filter
from app.treasury.listing import stream
from app.treasury.rules import Line, inert, written

COLUMNS = (
    "receipt_number", "booked_on", "value_date", "payment_number", "member_number", "name", "email", "tier",
    "term_starts_on", "term_ends_on", "kind", "concept", "method", "gross", "provider_fee", "net", "fees",
    "unallocated", "donated", "refunded", "disputed", "currency", "provider_id", "checkout_id", "invoice_id",
    "entered_by",
)  # fmt: skip
LEDGER_COLUMNS = (
    "entry", "booked_on", "value_date", "payment_number", "movement", "debit", "credit", "amount", "currency",
    "provider_id",
)  # fmt: skip
CONCEPTS = {
    "fee_received": "fee",
    "excess_received": "unallocated",
    "allocated": "used for a fee",
    "donated": "donation",
    "refund_paid": "refund",
    "refund_reversed": "refund failed",
    "dispute_withdrawn": "dispute",
    "dispute_reinstated": "dispute won",
    "provider_fee": "provider fee",
    "provider_fee_returned": "provider fee returned",
}


def payments_csv(wanted: Filter) -> Iterator[str]:
    """The file in pieces: a header, then a line for each movement of the filter, oldest first.

    `net` is what the movement changed at the bank, in cash and with the provider; `fees`, `unallocated` and `donated`
    what it changed of what that money is; `refunded` and `disputed` what of it went away. Every column adds up to the
    ledger's.
    """
    line = Line()
    writer = csv.writer(line)
    yield from written([COLUMNS], writer, line)
    yield from written((_cells(row) for row in stream(wanted)), writer, line)


def ledger_csv(from_on: date, to_on: date) -> Iterator[str]:
    """Every transfer between two accounts with a value date in these days, both included, as it was booked."""
    line = Line()
    writer = csv.writer(line)
    query = (
        db.select(
            LedgerEntry.id, LedgerEntry.at, LedgerEntry.value_on, LedgerEntry.payment_id, Payment.opened_on,
            LedgerEntry.movement, LedgerEntry.debit, LedgerEntry.credit, LedgerEntry.amount_cents,
            LedgerEntry.currency, LedgerEntry.provider_id,
        )
        .join(Payment, Payment.id == LedgerEntry.payment_id)
        .where(LedgerEntry.value_on.between(from_on, to_on))
        .order_by(LedgerEntry.value_on, LedgerEntry.id)
    )  # fmt: skip
    rows = db.session.execute(query, execution_options={"stream_results": True, "yield_per": 5000})
    yield from written([LEDGER_COLUMNS], writer, line)
    yield from written((_ledger_cells(row) for row in rows), writer, line)


def _cells(row: Any) -> list[str]:
    taken = row.moved_cents if row.movement in ("dispute_withdrawn", "refund_paid") else -row.moved_cents
    return [
        f"{row.series}{row.year}-{row.n:06d}" if row.n is not None else "",
        clock.day_of(row.at).isoformat(),
        row.value_on.isoformat(),
        _number(row),
        f"M-{row.person_id:06d}",
        inert(f"{row.given_name} {row.family_name}"),
        inert(row.email),
        row.tier,
        row.starts_on.isoformat() if row.starts_on else "",
        row.ends_on.isoformat() if row.ends_on else "",
        row.kind,
        CONCEPTS[row.movement],
        row.method,
        plain_amount(row.amount_cents),
        plain_amount(row.fee_cents),
        plain_amount(row.amount_cents - row.fee_cents),
        plain_amount(_change_of("fees", row)),
        plain_amount(_change_of("unallocated", row)),
        plain_amount(_change_of("donations", row)),
        plain_amount(taken if row.movement.startswith("refund_") else 0),
        plain_amount(taken if row.movement.startswith("dispute_") else 0),
        row.currency,
        row.provider_id or "",
        row.stripe_checkout_id or "",
        row.stripe_invoice_id or "",
        inert(row.opened_by),
    ]


def _change_of(account: str, row: Any) -> int:
    """What a movement adds to what we owe or have earned."""
    cents: int = row.moved_cents
    return cents if row.credit == account else -cents if row.debit == account else 0


def _ledger_cells(row: Any) -> list[str]:
    return [
        str(row.id),
        clock.day_of(row.at).isoformat(),
        row.value_on.isoformat(),
        _number(row),
        row.movement,
        row.debit,
        row.credit,
        plain_amount(row.amount_cents),
        row.currency,
        row.provider_id or "",
    ]


def _number(row: Any) -> str:
    return f"P-{row.opened_on.year}-{row.payment_id:06d}"
