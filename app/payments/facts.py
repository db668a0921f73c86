"""What the provider says, as plain values: read from its objects, nothing of which goes further."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class RefundFacts:
    """One refund as the provider has it now; `status`: pending, succeeded or failed."""

    id: str
    amount_cents: int
    currency: str
    status: str
    created_at: datetime


@dataclass(frozen=True)
class DisputeMove:
    """Money a dispute moved: `amount_cents` is negative when it was taken; `fee_cents` is its cost."""

    id: str
    amount_cents: int
    fee_cents: int
    currency: str
    created_at: datetime


@dataclass(frozen=True)
class DisputeFacts:
    """One dispute as it stands now; `status`: inquiry, open, won or lost. `closed_at` when it was looked up."""

    id: str
    amount_cents: int
    currency: str
    status: str
    reason: str
    created_at: datetime
    moves: tuple[DisputeMove, ...]
    closed_at: datetime | None = None


@dataclass(frozen=True)
class MoneyFacts:
    """All that moved behind one payment intent. `charge_id` is None while nothing was paid.

    `is_delayed` is a debit that takes days: charged on `charged_at`, the money came at `arrived_at` (as far as it
    was looked up).
    """

    intent_id: str
    charge_id: str | None
    amount_cents: int
    currency: str
    charged_at: datetime | None
    is_delayed: bool
    is_processing: bool
    has_failed: bool
    fee_cents: int
    refunds: tuple[RefundFacts, ...]
    disputes: tuple[DisputeFacts, ...]
    arrived_at: datetime | None = None


@dataclass(frozen=True)
class CheckoutFacts:
    """A checkout and all money behind it, as the provider says now. `saves_method_for` names the person whose way
    of paying a checkout without money keeps."""

    id: str
    number: str | None
    status: str
    is_paid: bool
    amount_cents: int
    currency: str
    is_live: bool
    url: str | None
    money: MoneyFacts | None
    customer_id: str | None
    saves_method_for: int | None
    saved_method_id: str | None


@dataclass(frozen=True)
class EventFacts:
    """A doorbell: which object to fetch anew. At most one of the ids is known; none for what does not concern us."""

    id: str
    type: str
    created_at: datetime
    checkout_id: str | None = None
    payment_intent_id: str | None = None
    invoice_id: str | None = None
    subscription_id: str | None = None


# Ways of paying whose money is promised at once and comes days later, or does not.
DELAYED = {
    "acss_debit", "au_becs_debit", "bacs_debit", "bank_transfer", "boleto", "customer_balance", "konbini", "multibanco",
    "oxxo", "sepa_debit", "us_bank_account",
}  # fmt: skip


def money_facts(intent: Any, refunds: list[Any], disputes: list[Any]) -> MoneyFacts:
    charge = intent.latest_charge
    details = charge.payment_method_details if charge is not None else None
    paid = charge if charge is not None and charge.paid and charge.status == "succeeded" else None
    balance = paid.balance_transaction if paid is not None else None
    return MoneyFacts(
        intent_id=intent.id,
        charge_id=paid.id if paid is not None else None,
        amount_cents=paid.amount if paid is not None else 0,
        currency=intent.currency.upper(),
        charged_at=instant_of(charge.created) if charge is not None else None,
        is_delayed=details is not None and details.type in DELAYED,
        is_processing=intent.status == "processing",
        has_failed=intent.status in ("requires_payment_method", "canceled"),
        fee_cents=balance.fee if balance is not None else 0,
        refunds=tuple(sorted((refund_facts(r) for r in refunds), key=lambda r: (r.created_at, r.id))),
        disputes=tuple(sorted((_dispute_facts(d) for d in disputes), key=lambda d: (d.created_at, d.id))),
    )


def _dispute_facts(dispute: Any) -> DisputeFacts:
    known = {"won": "won", "lost": "lost", "warning_closed": "won", "prevented": "won"}
    status = known.get(dispute.status, "inquiry" if dispute.status.startswith("warning_") else "open")
    return DisputeFacts(
        id=dispute.id,
        amount_cents=dispute.amount,
        currency=dispute.currency.upper(),
        status=status,
        reason=dispute.reason,
        created_at=instant_of(dispute.created),
        moves=tuple(
            DisputeMove(move.id, move.amount, move.fee, move.currency.upper(), instant_of(move.created))
            for move in dispute.balance_transactions
        ),
    )


def refund_facts(refund: Any) -> RefundFacts:
    known = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
    return RefundFacts(
        id=refund.id,
        amount_cents=refund.amount,
        currency=refund.currency.upper(),
        status=known.get(refund.status, "pending"),
        created_at=instant_of(refund.created),
    )


def event_facts(event: Any) -> EventFacts:
    obj = event.data.object
    known = {"checkout.session": "checkout_id", "payment_intent": "payment_intent_id", "invoice": "invoice_id",
             "subscription": "subscription_id"}  # fmt: skip
    about = {known[obj.object]: obj.id} if obj.object in known else {}
    if not about and obj.object in ("charge", "refund", "dispute"):
        about = {"payment_intent_id": id_of(obj.payment_intent)}
    return EventFacts(id=event.id, type=event.type, created_at=instant_of(event.created), **about)


def id_of(value: Any) -> str | None:
    """An id, whether or not the object was expanded."""
    return value if isinstance(value, str) or value is None else str(value.id)


def instant_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
