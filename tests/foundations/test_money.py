"""Money: whole cents in, text only at the edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refusal
from app.money import format_money, format_whole, parse_amount, plain_amount

cents = st.integers(min_value=0, max_value=999_999_999)


@given(cents)
def test_an_amount_written_for_machines_reads_back_as_the_same_cents(amount: int) -> None:
    assert parse_amount(plain_amount(amount)) == amount


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_an_amount_for_machines_is_digits_a_point_and_two_digits(amount: int) -> None:
    sign, whole, part = plain_amount(amount).rpartition(".")[0][:1], *plain_amount(amount).lstrip("-").split(".")
    assert int(whole) * 100 + int(part) == abs(amount) and len(part) == 2
    assert (sign == "-") == (amount < 0)


@given(st.text(max_size=12))
def test_what_is_no_amount_is_refused_and_never_guessed(text: str) -> None:
    try:
        amount = parse_amount(text)
    except Refusal as refusal:
        assert refusal.code == "bad_amount"
    else:
        assert plain_amount(amount) in (
            text.lstrip("0").rjust(4, "0"),
            f"{int(text.split('.')[0])}.00",
            plain_amount(amount),
        )
        assert text.isascii()


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "30,00", "30.0", "30.000", ".50", "30.", "1 000", "1e3", "٣٠", "30.00 EUR", "€30", "30.00\n",
     "12345678", "NaN", "0x10"],
)  # fmt: skip
def test_an_amount_with_a_comma_a_sign_or_a_third_decimal_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_amount(text)
    assert refused.value.code == "bad_amount"


@pytest.mark.parametrize(
    ("text", "amount"), [("0", 0), ("30", 3000), ("30.00", 3000), ("0.05", 5), ("9999999.99", 999999999)]
)
def test_an_amount_is_read_to_the_cent(text: str, amount: int) -> None:
    assert parse_amount(text) == amount


@given(cents, st.sampled_from(["en", "ca", "es", "ru"]))
def test_every_language_shows_the_same_digits(amount: int, locale: str) -> None:
    digits = "".join(c for c in format_money(amount, "EUR", locale) if c.isdecimal())
    assert int(digits) == amount
    assert "€" in format_money(amount, "EUR", locale)


@given(st.integers(min_value=1, max_value=999_999_999), st.sampled_from(["en", "ca", "es", "ru"]))
def test_money_going_back_has_a_real_minus_in_front(amount: int, locale: str) -> None:
    assert format_money(-amount, "EUR", locale) == "\u2212" + format_money(amount, "EUR", locale)


@pytest.mark.parametrize(
    ("amount", "locale", "shown"),
    [
        (5000, "en", "€50.00"),
        (-5000, "en", "\u2212€50.00"),
        (123456, "en", "€1,234.56"),
        (1, "en", "€0.01"),
        (5000, "es", "50,00\u00a0€"),
        (5000, "ca", "50,00\u00a0€"),
        (5000, "ru", "50,00\u00a0€"),
    ],
)
def test_money_reads_as_the_design_says(amount: int, locale: str, shown: str) -> None:
    assert format_money(amount, "EUR", locale) == shown


@pytest.mark.parametrize(
    ("amount", "locale", "shown"),
    [(5000, "en", "€50"), (5050, "en", "€50.50"), (100000, "en", "€1,000"), (5000, "es", "50\u00a0€"),
     (10000000, "es", "100.000\u00a0€"), (0, "en", "€0")],
)  # fmt: skip
def test_headlines_show_whole_euros_where_there_are_no_cents(amount: int, locale: str, shown: str) -> None:
    assert format_whole(amount, "EUR", locale) == shown
