"""The only `import stripe`: plain values in, plain values out. Never called inside a transaction.

Written for API version 2026-10-28.endive as pinned by stripe-python (docs.stripe.com/api).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from app.errors import Refusal


@dataclass(frozen=True)
class CheckoutOrder:
    """What to ask the provider for. `key` makes a repeated call the same call."""

    number: str
    key: str
    amount_cents: int
    currency: str
    description: str
    email: str | None
    locale: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True)
class RefundFacts:
    """One refund as the provider has it now; `status`: pending, succeeded or failed."""

    id: str
    amount_cents: int
    currency: str
    status: str
    created_at: datetime


@dataclass(frozen=True)
class CheckoutFacts:
    """A checkout and all money behind it, as the provider says now."""

    id: str
    number: str | None
    status: str
    is_paid: bool
    amount_cents: int
    currency: str
    is_live: bool
    url: str | None
    payment_intent_id: str | None
    charge_id: str | None
    charge_amount_cents: int
    charged_at: datetime | None
    fee_cents: int
    has_failed: bool
    refunds: tuple[RefundFacts, ...]


@dataclass(frozen=True)
class EventFacts:
    """A doorbell: which object to fetch anew. Exactly one of the two ids is known for what concerns us."""

    id: str
    type: str
    created_at: datetime
    checkout_id: str | None
    payment_intent_id: str | None


class ProviderTrouble(Exception):
    """The provider is slow, down or refuses for now: try again later."""


class ProviderRefusal(ProviderTrouble):
    """The provider is well but refuses this one call; `is_missing` when it does not know the object."""

    def __init__(self, reason: str, is_missing: bool) -> None:
        super().__init__(reason)
        self.is_missing = is_missing


class BadSignature(Exception):
    """A webhook's body is not signed by any of our secrets."""


def is_configured() -> bool:
    return bool(current_app.config["STRIPE_SECRET_KEY"])


def is_live_mode() -> bool:
    return str(current_app.config["STRIPE_SECRET_KEY"]).startswith(("sk_live_", "rk_live_"))


@functools.cache
def _stripe() -> ModuleType:
    import stripe  # heavy: loaded with the first payment, not with the first page

    stripe.enable_telemetry = False
    return stripe


def _client() -> Any:
    if not is_configured():
        raise Refusal("payments_not_configured", _("Paying online is not set up here. Ask the association."), 503)
    stripe = _stripe()
    base = current_app.config["STRIPE_API_BASE"]
    return stripe.StripeClient(
        current_app.config["STRIPE_SECRET_KEY"],
        base_addresses={"api": base} if base else {},
        max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=10),  # twice this is what somebody waits at most
    ).v1


class _asking:
    """Turns the provider's errors into ProviderTrouble."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        stripe = _stripe()
        if isinstance(error, stripe.InvalidRequestError | stripe.IdempotencyError):
            raise ProviderRefusal(type(error).__name__, error.code == "resource_missing") from error
        if isinstance(error, stripe.StripeError):
            raise ProviderTrouble(type(error).__name__) from error


def create_checkout(order: CheckoutOrder) -> CheckoutFacts:
    """Open a hosted checkout; the same order again answers the same checkout. Raises ProviderTrouble."""
    parameters: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": order.number,
        "metadata": {"carnet_payment": order.number},
        "payment_intent_data": {"metadata": {"carnet_payment": order.number}, "description": order.description},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.currency.lower(),
                    "unit_amount": order.amount_cents,
                    "product_data": {"name": order.description},
                },
            }
        ],
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
        "locale": order.locale,
    }
    if order.email:
        parameters["customer_email"] = order.email
    with _asking():
        checkout = _client().checkout.sessions.create(parameters, {"idempotency_key": order.key})
    return fetch_checkout(checkout.id)


def fetch_checkout(checkout_id: str) -> CheckoutFacts:
    """Everything the provider knows of a checkout now. Raises ProviderTrouble."""
    client = _client()
    with _asking():
        checkout = client.checkout.sessions.retrieve(
            checkout_id, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
        )
        intent = checkout.payment_intent
        refunds: list[Any] = []
        if intent is not None and intent.latest_charge is not None:
            page = client.refunds.list({"payment_intent": intent.id, "limit": 100})
            refunds = list(page.auto_paging_iter())
    return _checkout_facts(checkout, intent, refunds)


def find_checkout_of_intent(payment_intent_id: str) -> str | None:
    """The checkout a payment intent belongs to. Raises ProviderTrouble."""
    with _asking():
        page = _client().checkout.sessions.list({"payment_intent": payment_intent_id, "limit": 1})
    return page.data[0].id if page.data else None


def expire_checkout(checkout_id: str) -> None:
    """Close an open checkout; one that is no longer open stays as it is. Raises ProviderTrouble."""
    with _asking():
        if _client().checkout.sessions.retrieve(checkout_id).status == "open":
            _client().checkout.sessions.expire(checkout_id)


def create_refund(payment_intent_id: str, amount_cents: int, key: str) -> RefundFacts:
    """Ask for money to go back. Raises ProviderTrouble, or Refusal when the provider will not."""
    try:
        with _asking():
            refund = _client().refunds.create(
                {"payment_intent": payment_intent_id, "amount": amount_cents}, {"idempotency_key": key}
            )
    except ProviderRefusal as refusal:
        raise Refusal(
            "refund_refused", _("The payment provider will not refund this. Look at it there first."), 409
        ) from refusal
    return _refund_facts(refund)


def read_event(body: bytes, signature: str) -> EventFacts:
    """Verify a webhook's raw body with any of our secrets (two while rotating). Raises BadSignature."""
    stripe = _stripe()
    for secret in current_app.config["STRIPE_WEBHOOK_SECRETS"]:
        try:
            return _event_facts(stripe.Webhook.construct_event(body, signature, secret))
        except (stripe.SignatureVerificationError, ValueError):
            continue
    raise BadSignature


def list_events(since: datetime | None) -> Iterator[EventFacts]:
    """Events created since an instant (None: all that are kept), oldest first. Raises ProviderTrouble."""
    wanted: dict[str, Any] = {"limit": 100}
    if since is not None:
        wanted["created"] = {"gte": int(since.timestamp())}
    with _asking():
        page = _client().events.list(wanted)
        found = [_event_facts(event) for event in page.auto_paging_iter()]
    yield from reversed(found)


def _checkout_facts(checkout: Any, intent: Any, refunds: list[Any]) -> CheckoutFacts:
    charge = intent.latest_charge if intent is not None else None
    if charge is not None and not charge.paid:
        charge = None
    balance = charge.balance_transaction if charge is not None else None
    metadata = checkout.metadata.to_dict() if checkout.metadata else {}
    return CheckoutFacts(
        id=checkout.id,
        number=metadata.get("carnet_payment"),
        status=checkout.status,
        is_paid=checkout.payment_status == "paid",
        amount_cents=checkout.amount_total or 0,
        currency=(checkout.currency or "").upper(),
        is_live=checkout.livemode,
        url=checkout.url,
        payment_intent_id=intent.id if intent is not None else None,
        charge_id=charge.id if charge is not None else None,
        charge_amount_cents=charge.amount if charge is not None else 0,
        charged_at=_instant(charge.created) if charge is not None else None,
        fee_cents=balance.fee if balance is not None else 0,
        has_failed=checkout.status == "complete"
        and checkout.payment_status == "unpaid"
        and intent is not None
        and intent.status in ("requires_payment_method", "canceled"),
        refunds=tuple(sorted((_refund_facts(r) for r in refunds), key=lambda r: (r.created_at, r.id))),
    )


def _refund_facts(refund: Any) -> RefundFacts:
    known = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
    return RefundFacts(
        id=refund.id,
        amount_cents=refund.amount,
        currency=refund.currency.upper(),
        status=known.get(refund.status, "pending"),
        created_at=_instant(refund.created),
    )


def _event_facts(event: Any) -> EventFacts:
    obj = event.data.object
    kind = obj.object
    return EventFacts(
        id=event.id,
        type=event.type,
        created_at=_instant(event.created),
        checkout_id=obj.id if kind == "checkout.session" else None,
        payment_intent_id=obj.id if kind == "payment_intent" else _id(getattr(obj, "payment_intent", None)),
    )


def _id(value: Any) -> str | None:
    """An id, whether or not the object was expanded."""
    return value if isinstance(value, str) or value is None else str(value.id)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
