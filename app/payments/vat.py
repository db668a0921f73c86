"""What of a price is value added tax. Prices are what people pay: the tax is inside."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vat:
    """Base and tax in cents; `rate` in percent."""

    rate: int
    base_cents: int
    vat_cents: int


def split_vat(cents: int, code: str) -> Vat | None:
    """The parts of a price under a tier's VAT code; None where it is exempt. The parts are the whole.

    The tax is rounded half up to the cent; what goes back splits like what came, so that the two cancel out.
    """
    if code == "exempt":
        return None
    rate = int(code)
    tax = (abs(cents) * rate * 2 + 100 + rate) // (2 * (100 + rate))
    tax = tax if cents >= 0 else -tax
    return Vat(rate, cents - tax, tax)
