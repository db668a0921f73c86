"""Cells of an export and references on a bank statement, text by text. No app."""

from __future__ import annotations

import csv

import pytest

from app.treasury.rules import Line, inert, number_in_reference, plain_reference, written


@pytest.mark.parametrize("text", ["=1+1", "+34600", "-2", "@SUM(A1)", "\tTab", "\rReturn"])
def test_text_that_a_spreadsheet_takes_for_a_formula_is_marked_as_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text, cell", [("Ana", "Ana"), ("1-2", "1-2"), (" =1", " =1"), ("", ""), (None, "")])
def test_other_text_stays_as_it_is_and_none_is_an_empty_cell(text: str | None, cell: str) -> None:
    assert inert(text) == cell


def test_each_row_is_one_line_of_the_file() -> None:
    line = Line()
    rows = [("P-2026-000001", 3000), ('Ana, "Nit"', -1), ()]
    assert line.text == ""
    assert list(written(rows, csv.writer(line), line)) == ["P-2026-000001,3000\r\n", '"Ana, ""Nit""",-1\r\n', "\r\n"]


def test_a_line_says_like_a_file_how_much_was_written() -> None:
    assert Line().write("fee\r\n") == 5


@pytest.mark.parametrize("text", ["RF18P2026000123", "rf18 p202 6000 123", " RF18\tP2026\n000123 ", "RF18 P2026000123"])
def test_a_reference_reads_the_same_however_a_bank_spaces_it(text: str) -> None:
    assert plain_reference(text) == "RF18P2026000123"


@pytest.mark.parametrize(
    "text, number",
    [
        ("RF18P2026000123", "P-2026-000123"),
        ("rf18 p202 6000 123", "P-2026-000123"),
        ("RF00P2031123456789", "P-2031-123456789"),
        ("RF18P20260001234567890", None),  # longer than any number of ours
        ("RF18P202600012", None),
        ("RF1P2026000123", None),
        ("RF18X2026000123", None),
        ("RF18P2026000123, thank you", None),
        ("see RF18P2026000123", None),
        ("RF18P٢٠٢٦000123", None),  # digits that no bank prints
        ("", None),
    ],
)
def test_a_reference_of_ours_carries_the_number_of_its_payment(text: str, number: str | None) -> None:
    assert number_in_reference(text) == number
