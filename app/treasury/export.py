"""Payments as a CSV file (RFC 4180): one row for each movement of money, refunds negative."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from app import clock
from app.money import plain_amount
from app.treasury.listing import Filter, stream
from app.treasury.rules import Line, inert, written

COLUMNS = (
    "receipt_number", "booked_on", "value_date", "payment_number", "member_number", "name", "email", "tier",
    "term_starts_on", "term_ends_on", "concept", "method", "gross", "provider_fee", "net", "currency",
    "provider_id", "checkout_id", "entered_by",
)  # fmt: skip
CONCEPTS = {
    "fee_received": "fee",
    "excess_received": "unallocated",
    "refund_paid": "refund",
    "refund_reversed": "refund failed",
}


def payments_csv(wanted: Filter) -> Iterator[str]:
    """The file in pieces: a header, then a line for each movement of the filter, oldest first."""
    line = Line()
    writer = csv.writer(line)
    yield from written([COLUMNS], writer, line)
    yield from written((_cells(row) for row in stream(wanted)), writer, line)


def _cells(row: Any) -> list[str]:
    net = row.amount_cents - row.fee_cents
    return [
        f"{row.series}{row.year}-{row.n:06d}" if row.n is not None else "",
        clock.day_of(row.at).isoformat(),
        row.value_on.isoformat(),
        f"P-{row.opened_on.year}-{row.payment_id:06d}",
        f"M-{row.person_id:06d}",
        inert(f"{row.given_name} {row.family_name}"),
        inert(row.email),
        row.tier,
        row.starts_on.isoformat() if row.starts_on else "",
        row.ends_on.isoformat() if row.ends_on else "",
        CONCEPTS[row.movement],
        row.method,
        plain_amount(row.amount_cents),
        plain_amount(row.fee_cents),
        plain_amount(net),
        row.currency,
        row.provider_id or "",
        row.stripe_checkout_id or "",
        inert(row.opened_by),
    ]
