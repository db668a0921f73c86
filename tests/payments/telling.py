"""What the provider might say, for tests that need no provider: facts as gateway and subscriptions hand them on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.payments.facts import CheckoutFacts, DisputeFacts, DisputeMove, MoneyFacts, RefundFacts

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def checkout(number: str, status: str = "open", money: MoneyFacts | None = None, **more: Any) -> CheckoutFacts:
    """A checkout of 30 EUR in test mode."""
    facts: dict[str, Any] = {
        "id": "cs_1", "number": number, "status": status, "is_paid": money is not None and money.charge_id is not None,
        "amount_cents": money.amount_cents if money else 3000, "currency": money.currency if money else "EUR",
        "is_live": False, "url": None, "money": money, "customer_id": None, "saves_method_for": None,
        "saved_method_id": None,
    }  # fmt: skip
    return CheckoutFacts(**{**facts, **more})


def money(cents: int = 3000, charged_at: datetime = NOW, **more: Any) -> MoneyFacts:
    """A card's charge that was paid."""
    facts: dict[str, Any] = {
        "intent_id": "pi_1", "charge_id": "ch_1", "amount_cents": cents, "currency": "EUR", "charged_at": charged_at,
        "is_delayed": False, "is_processing": False, "has_failed": False, "fee_cents": 0, "refunds": (),
        "disputes": (),
    }  # fmt: skip
    return MoneyFacts(**{**facts, **more})


def refund(n: int, cents: int, status: str = "succeeded", created_at: datetime = NOW) -> RefundFacts:
    return RefundFacts(f"re_{n}", cents, "EUR", status, created_at)


def dispute(
    n: int, cents: int, status: str = "open", created_at: datetime = NOW, closed_at: datetime | None = None
) -> DisputeFacts:
    """The money is taken when it opens, with a fee of 20 EUR, and brought back when it is won."""
    moves = [DisputeMove(f"txn_{n}_out", -cents, 2000, "EUR", created_at)] if status != "inquiry" else []
    if status == "won":
        moves.append(DisputeMove(f"txn_{n}_back", cents, 0, "EUR", closed_at or created_at))
    return DisputeFacts(f"dp_{n}", cents, "EUR", status, "fraudulent", created_at, tuple(moves), closed_at)
