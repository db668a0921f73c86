"""Money in messages and on pages."""


def money(amount: int, currency: str) -> str:
    """As Stripe writes it in messages: €30.00."""
    figure = f"{amount // 100}.{amount % 100:02d}"
    return f"€{figure}" if currency == "eur" else f"{figure} {currency}"
