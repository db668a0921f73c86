"""Cells of an export: numbers stay numbers, text stays text; what the queue's reasons have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

# Every reason of the treasurer's queue in one group, the most urgent first.
NEEDS = {
    "disputed": ("dispute_open", "inquiry"),
    "refund_failed": ("refund_failed",),
    "mismatch": ("mismatch", "unknown_payment", "underpaid"),
    "unallocated": ("days_covered", "overpaid", "late_payment", "nothing_to_upgrade"),
    "days": ("refunded_in_part", "upgrade_without_fee", "days_taken"),
}

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Writer(Protocol):
    def writerow(self, row: Iterable[object], /) -> object: ...


class Line:
    """A file for csv.writer that keeps just the line last written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text = text
        return len(text)


def inert(text: str | None) -> str:
    """Text that no spreadsheet takes for a formula; nothing is lost."""
    if text is None:
        return ""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def written(rows: Iterable[Iterable[object]], writer: Writer, line: Line) -> Iterator[str]:
    """Each row as a line of CSV."""
    for row in rows:
        writer.writerow(row)
        yield line.text


def plain_reference(text: str) -> str:
    """A creditor reference (ISO 11649) as it is written without spaces: "rf 18 P2026..." -> "RF18P2026..."."""
    return re.sub(r"\s", "", text).upper()


def number_in_reference(text: str) -> str | None:
    """The payment number that a reference of ours carries, its check digits aside: RF18P2026000123 -> P-2026-000123."""
    match = re.fullmatch(r"RF\d\dP(\d{4})(\d{6,9})", plain_reference(text), re.ASCII)
    return f"P-{match[1]}-{match[2]}" if match else None
