"""The tax inside a price."""

from __future__ import annotations

import pytest

from app.payments.vat import Vat, split_vat


@pytest.mark.parametrize(
    "cents, code, expected",
    [
        (5000, "exempt", None),
        (5000, "0", Vat(0, 5000, 0)),
        (5000, "21", Vat(21, 4132, 868)),
        (-5000, "21", Vat(21, -4132, -868)),
        (110, "10", Vat(10, 100, 10)),
        (1, "21", Vat(21, 1, 0)),
        (3, "21", Vat(21, 2, 1)),  # 0.52 of a cent
        (13, "4", Vat(4, 12, 1)),  # half a cent exactly
        (12, "4", Vat(4, 12, 0)),
        (72, "21", Vat(21, 60, 12)),  # 12.496: as close to half a cent as 21 % comes
        (0, "21", Vat(21, 0, 0)),
    ],
)
def test_tax_is_rounded_half_up_and_the_parts_are_the_whole(cents: int, code: str, expected: Vat | None) -> None:
    vat = split_vat(cents, code)
    assert vat == expected
    assert vat is None or vat.base_cents + vat.vat_cents == cents


def test_what_goes_back_cancels_what_came() -> None:
    for cents in range(1, 400):
        came, went = split_vat(cents, "21"), split_vat(-cents, "21")
        assert came is not None and went is not None and came.vat_cents == -went.vat_cents
