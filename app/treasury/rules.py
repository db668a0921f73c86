"""Cells of an export: numbers stay numbers, text stays text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

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
