"""Money in messages and on pages."""


def money(amount: int, currency: str) -> str:
    """As Stripe writes it in messages: €30.00, and -€30.00."""
    sign, amount = "-" if amount < 0 else "", abs(amount)
    figure = f"{amount // 100}.{amount % 100:02d}"
    return f"{sign}€{figure}" if currency == "eur" else f"{sign}{figure} {currency}"
