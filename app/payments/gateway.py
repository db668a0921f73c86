"""The only `import stripe`: plain values in, plain values out. Never called inside a transaction.

Written for API version 2026-10-28.endive as pinned by stripe-python (docs.stripe.com/api).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from app.errors import Refusal
from app.payments.facts import (
    CheckoutFacts,
    EventFacts,
    MoneyFacts,
    RefundFacts,
    event_facts,
    id_of,
    instant_of,
    money_facts,
    refund_facts,
)


@dataclass(frozen=True)
class CheckoutOrder:
    """What to ask the provider for. `key` makes a repeated call the same call; `keeps_method` has the way of paying
    kept for charges to come, with `customer_id` or a new customer."""

    number: str
    key: str
    amount_cents: int
    currency: str
    description: str
    email: str | None
    locale: str
    success_url: str
    cancel_url: str
    keeps_method: bool = False
    customer_id: str | None = None


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


def client() -> Any:
    """Stripe's client, version 1 of its API. Raises Refusal when no key is set."""
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


class asking:
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
    if order.keeps_method:
        parameters["payment_intent_data"]["setup_future_usage"] = "off_session"
    if order.keeps_method and order.customer_id:
        parameters["customer"] = order.customer_id
    elif order.keeps_method:
        parameters["customer_creation"] = "always"
    if order.email and "customer" not in parameters:
        parameters["customer_email"] = order.email
    with asking():
        checkout = client().checkout.sessions.create(parameters, {"idempotency_key": order.key})
    return fetch_checkout(checkout.id)


def create_setup(
    person_id: int, email: str | None, customer_id: str | None, currency: str, locale: str, back_url: str
) -> str:
    """The address of a hosted page that keeps a way of paying and takes no money. Raises ProviderTrouble."""
    parameters: dict[str, Any] = {
        "mode": "setup",
        "currency": currency.lower(),
        "metadata": {"carnet_person": str(person_id)},
        "success_url": f"{back_url}?checkout={{CHECKOUT_SESSION_ID}}",
        "cancel_url": back_url,
        "locale": locale,
    }
    if customer_id:
        parameters["customer"] = customer_id
    else:
        parameters["customer_creation"] = "always"
        if email:
            parameters["customer_email"] = email
    with asking():
        return str(client().checkout.sessions.create(parameters).url)


def fetch_checkout(checkout_id: str) -> CheckoutFacts:
    """Everything the provider knows of a checkout now. Raises ProviderTrouble."""
    with asking():
        checkout = client().checkout.sessions.retrieve(checkout_id, {"expand": ["setup_intent"]})
    intent_id = id_of(checkout.payment_intent)
    metadata = checkout.metadata.to_dict() if checkout.metadata else {}
    saves_for = metadata.get("carnet_person", "") if checkout.mode == "setup" else ""
    return CheckoutFacts(
        id=checkout.id,
        number=metadata.get("carnet_payment"),
        status=checkout.status,
        is_paid=checkout.payment_status == "paid",
        amount_cents=checkout.amount_total or 0,
        currency=(checkout.currency or "").upper(),
        is_live=checkout.livemode,
        url=checkout.url,
        money=fetch_money(intent_id) if intent_id else None,
        customer_id=id_of(checkout.customer),
        saves_method_for=int(saves_for) if saves_for.isdecimal() else None,
        saved_method_id=id_of(checkout.setup_intent.payment_method) if checkout.setup_intent else None,
    )


def fetch_money(intent_id: str) -> MoneyFacts:
    """Charge, refunds and disputes of one payment intent as they are now. Raises ProviderTrouble."""
    with asking():
        intent = client().payment_intents.retrieve(intent_id, {"expand": ["latest_charge.balance_transaction"]})
        refunds: list[Any] = []
        disputes: list[Any] = []
        if intent.latest_charge is not None:
            refunds = list(client().refunds.list({"payment_intent": intent.id, "limit": 100}).auto_paging_iter())
        if intent.latest_charge is not None and intent.latest_charge.disputed:
            disputes = list(client().disputes.list({"payment_intent": intent.id, "limit": 100}).auto_paging_iter())
    return money_facts(intent, refunds, disputes)


def fetch_method(intent_id: str) -> tuple[str | None, str | None]:
    """Customer and way of paying that an intent kept. Raises ProviderTrouble."""
    with asking():
        intent = client().payment_intents.retrieve(intent_id)
    return id_of(intent.customer), id_of(intent.payment_method)


def find_instant(event_type: str, object_id: str, since: datetime) -> datetime | None:
    """When something befell an object, of which the object itself keeps no instant. Raises ProviderTrouble."""
    wanted = {"types": [event_type], "created": {"gte": int(since.timestamp())}, "limit": 100}
    with asking():
        for event in client().events.list(wanted).auto_paging_iter():
            if event.data.object.id == object_id:
                return instant_of(event.created)
    return None


def find_checkout_of_intent(payment_intent_id: str) -> str | None:
    """The checkout a payment intent belongs to. Raises ProviderTrouble."""
    with asking():
        page = client().checkout.sessions.list({"payment_intent": payment_intent_id, "limit": 1})
    return page.data[0].id if page.data else None


def find_claim(payment_intent_id: str) -> MoneyFacts | None:
    """Money that names a payment of ours without a checkout; None for anybody else's. Raises ProviderTrouble."""
    with asking():
        metadata = client().payment_intents.retrieve(payment_intent_id).metadata
    return fetch_money(payment_intent_id) if metadata and "carnet_payment" in metadata.to_dict() else None


def expire_checkout(checkout_id: str) -> None:
    """Close an open checkout; one that is no longer open stays as it is. Raises ProviderTrouble."""
    with asking():
        if client().checkout.sessions.retrieve(checkout_id).status == "open":
            client().checkout.sessions.expire(checkout_id)


def create_refund(payment_intent_id: str, amount_cents: int, key: str) -> RefundFacts:
    """Ask for money to go back. Raises ProviderTrouble, or Refusal when the provider will not."""
    try:
        with asking():
            refund = client().refunds.create(
                {"payment_intent": payment_intent_id, "amount": amount_cents}, {"idempotency_key": key}
            )
    except ProviderRefusal as refusal:
        raise Refusal(
            "refund_refused", _("The payment provider will not refund this. Look at it there first."), 409
        ) from refusal
    return refund_facts(refund)


def read_event(body: bytes, signature: str) -> EventFacts:
    """Verify a webhook's raw body with any of our secrets (two while rotating). Raises BadSignature."""
    stripe = _stripe()
    for secret in current_app.config["STRIPE_WEBHOOK_SECRETS"]:
        try:
            return event_facts(stripe.Webhook.construct_event(body, signature, secret))
        except (stripe.SignatureVerificationError, ValueError):
            continue
    raise BadSignature


def list_events(since: datetime | None) -> Iterator[EventFacts]:
    """Events created since an instant (None: all that are kept), oldest first. Raises ProviderTrouble."""
    wanted: dict[str, Any] = {"limit": 100}
    if since is not None:
        wanted["created"] = {"gte": int(since.timestamp())}
    with asking():
        page = client().events.list(wanted)
        found = [event_facts(event) for event in page.auto_paging_iter()]
    yield from reversed(found)
