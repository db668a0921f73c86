"""The provider's subscriptions: what takes a fee again each year without anybody present."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.payments.facts import MoneyFacts, id_of, instant_of
from app.payments.gateway import ProviderRefusal, asking, client, fetch_money

OVER = ("canceled", "unpaid", "incomplete_expired")


@dataclass(frozen=True)
class SubscriptionOrder:
    """What shall be taken, when first and then every `months`."""

    key: str
    renewal_id: int
    customer_id: str
    method_id: str
    tier_code: str
    tier_name: str
    fee_cents: int
    currency: str
    months: int
    charge_at: datetime


@dataclass(frozen=True)
class SubscriptionFacts:
    """A subscription as it is now. `charge_at` is its next charge; `is_over` when there will be none."""

    id: str
    item_id: str
    is_over: bool
    is_ending: bool
    is_unpaid: bool
    ended_by_owner: bool
    tier_code: str | None
    fee_cents: int
    currency: str
    charge_at: datetime


@dataclass(frozen=True)
class InvoiceFacts:
    """One charge of a subscription. `tier_code` and `fee_cents` are what we had asked for when it was made."""

    id: str
    subscription_id: str | None
    renewal_id: int | None
    tier_code: str | None
    fee_cents: int
    currency: str
    is_live: bool
    is_paid: bool
    is_open: bool
    created_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    money: MoneyFacts | None


def create_subscription(order: SubscriptionOrder) -> str:
    """Its id; the same order again answers the same. Nothing is taken before `charge_at`. Raises ProviderTrouble."""
    _keep_product(order)
    parameters = {
        "customer": order.customer_id,
        "items": [{"price_data": _price(order)}],
        "default_payment_method": order.method_id,
        "trial_end": int(order.charge_at.timestamp()),
        "off_session": True,
        "proration_behavior": "none",
        "metadata": _metadata(order),
    }
    with asking():
        return str(client().subscriptions.create(parameters, {"idempotency_key": order.key}).id)


def find_subscription(renewal_id: int, method_id: str, since: datetime) -> str | None:
    """The one made for a wish whose answer we never got; None when there is none to end. Raises ProviderTrouble."""
    wanted = {"created": {"gte": int(since.timestamp())}, "limit": 100}  # what is over is not listed
    with asking():
        for it in client().subscriptions.list(wanted).auto_paging_iter():
            metadata = it.metadata.to_dict() if it.metadata else {}
            if metadata.get("carnet_renewal") == str(renewal_id) and id_of(it.default_payment_method) == method_id:
                return str(it.id)
    return None


def change_subscription(subscription_id: str, item_id: str, order: SubscriptionOrder) -> None:
    """Take this from now on, and first then; what was charged is left alone. Raises ProviderTrouble."""
    _keep_product(order)
    with asking():
        client().subscriptions.update(
            subscription_id,
            {
                "items": [{"id": item_id, "price_data": _price(order)}],
                "trial_end": int(order.charge_at.timestamp()),
                "proration_behavior": "none",
                "metadata": _metadata(order),
            },
        )


def fetch_subscription(subscription_id: str) -> SubscriptionFacts:
    """Raises ProviderTrouble."""
    with asking():
        it = client().subscriptions.retrieve(subscription_id)
    item = it["items"].data[0]
    metadata = it.metadata.to_dict() if it.metadata else {}
    return SubscriptionFacts(
        id=it.id,
        item_id=item.id,
        is_over=it.status in OVER,
        is_ending=bool(it.cancel_at_period_end or it.cancel_at),
        is_unpaid=it.status == "past_due",
        ended_by_owner=it.cancellation_details is not None
        and it.cancellation_details.reason == "cancellation_requested",
        tier_code=metadata.get("carnet_tier"),
        fee_cents=item.price.unit_amount,
        currency=item.price.currency.upper(),
        charge_at=instant_of(item.current_period_end),
    )


def cancel_subscription(subscription_id: str) -> None:
    """End it and void what it has not been paid; one that is over stays over. Raises ProviderTrouble."""
    if not fetch_subscription(subscription_id).is_over:
        with asking():
            client().subscriptions.cancel(subscription_id)
    void_open_invoices(subscription_id)


def void_open_invoices(subscription_id: str) -> None:
    """What is still to be retried must not be taken after the same days were paid otherwise. Raises ProviderTrouble.

    A draft cannot be voided: it is finalised first. One whose debit is on its way cannot be stopped.
    """
    for status in ("draft", "open"):
        with asking():
            found = list(client().invoices.list({"subscription": subscription_id, "status": status}).auto_paging_iter())
        for invoice in found:
            try:
                with asking():
                    if status == "draft":
                        client().invoices.finalize_invoice(invoice.id, {"auto_advance": False})
                    client().invoices.void_invoice(invoice.id)
            except ProviderRefusal:
                continue  # paid or under way by now: what comes of it is settled like any other money


def list_invoices(subscription_id: str) -> list[str]:
    """The ids of all its charges, oldest first. Raises ProviderTrouble."""
    with asking():
        found = [it.id for it in client().invoices.list({"subscription": subscription_id}).auto_paging_iter()]
    return found[::-1]


def fetch_invoice(invoice_id: str) -> InvoiceFacts:
    """An invoice and the money behind it. Raises ProviderTrouble."""
    with asking():
        it = client().invoices.retrieve(invoice_id, {"expand": ["payments"]})
    details = it.parent.subscription_details if it.parent is not None else None
    metadata: dict[str, Any] = details.metadata.to_dict() if details is not None and details.metadata else {}
    intents = [
        id_of(entry.payment.payment_intent)
        for entry in (it.payments.data if it.payments else [])
        if entry.payment.type == "payment_intent"
    ]
    renewal = metadata.get("carnet_renewal", "")
    return InvoiceFacts(
        id=it.id,
        subscription_id=id_of(details.subscription) if details is not None else None,
        renewal_id=int(renewal) if renewal.isdecimal() else None,
        tier_code=metadata.get("carnet_tier"),
        fee_cents=it.amount_due,
        currency=it.currency.upper(),
        is_live=it.livemode,
        is_paid=it.status == "paid",
        is_open=it.status == "open",
        created_at=instant_of(it.created),
        attempts=it.attempt_count,
        next_attempt_at=instant_of(it.next_payment_attempt) if it.next_payment_attempt else None,
        money=fetch_money(intents[-1]) if intents and intents[-1] else None,
    )


def find_invoice_of_intent(intent_id: str) -> str | None:
    """The invoice a payment intent pays. Raises ProviderTrouble."""
    wanted = {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
    with asking():
        page = client().invoice_payments.list(wanted)
    return id_of(page.data[0].invoice) if page.data else None


def open_portal(customer_id: str, back_url: str) -> str:
    """The address of the provider's page where a customer changes the card. Raises ProviderTrouble."""
    with asking():
        page = client().billing_portal.sessions.create({"customer": customer_id, "return_url": back_url})
    return str(page.url)


def _price(order: SubscriptionOrder) -> dict[str, Any]:
    return {
        "currency": order.currency.lower(),
        "unit_amount": order.fee_cents,
        "product": f"carnet-{order.tier_code}",
        "recurring": {"interval": "month", "interval_count": order.months},
    }


def _metadata(order: SubscriptionOrder) -> dict[str, str]:
    return {"carnet_renewal": str(order.renewal_id), "carnet_tier": order.tier_code}


def _keep_product(order: SubscriptionOrder) -> None:
    """A price needs a product there; its id is the tier's code, so that it is made once."""
    product_id = f"carnet-{order.tier_code}"
    try:
        with asking():
            client().products.retrieve(product_id)
    except ProviderRefusal as refusal:
        if not refusal.is_missing:
            raise
        with asking():
            client().products.create(
                {"id": product_id, "name": order.tier_name}, {"idempotency_key": f"{product_id}-{order.tier_name}"}
            )
