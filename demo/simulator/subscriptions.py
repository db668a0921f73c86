"""A subscription as Stripe shows it, how a change of it is told, and its end."""

from typing import Any

from demo.simulator import closing
from demo.simulator.account import Account, Change, new_id
from demo.simulator.store import Stored

OVER = ("canceled", "incomplete_expired")


def note(change: Change, subscription: Stored, **updates: Any) -> Stored:
    """Save the updates and tell what was there before; nothing is told where nothing changed."""
    previous = {name: subscription[name] for name, value in updates.items() if subscription[name] != value}
    if previous:
        subscription.update(updates)
        change.save(subscription)
        change.emit("customer.subscription.updated", subscription, previous)
    return subscription


def with_items(subscription: Stored, items: list[Stored]) -> dict[str, Any]:
    """The list of a subscription's items, holding these."""
    return {
        "object": "list",
        "data": items,
        "has_more": False,
        "url": f"/v1/subscription_items?subscription={subscription['id']}",
    }


def end(
    account: Account, change: Change, subscription: Stored, reason: str, details: dict[str, Any] | None = None
) -> Stored:
    """Over: `reason` is Stripe's word for why. What is open is not collected any more."""
    now = account.now()
    subscription.update(
        status="canceled",
        cancel_at_period_end=False,
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        cancellation_details=subscription["cancellation_details"] | (details or {}) | {"reason": reason},
    )
    change.save(subscription)
    closing.stop_collecting(account, change, subscription["id"])
    change.emit("customer.subscription.deleted", subscription)
    return subscription


def expire(account: Account, change: Change, subscription: Stored) -> Stored:
    """The first payment did not come within a day."""
    previous = {"ended_at": None, "status": subscription["status"]}
    subscription.update(status="incomplete_expired", ended_at=account.now())
    change.save(subscription)
    change.emit("customer.subscription.updated", subscription, previous)
    closing.close(account, change, subscription["latest_invoice"], "void")
    return subscription


def new_subscription(account: Account, customer_id: str, params: dict[str, Any], trial_end: int | None) -> Stored:
    """Without items and not yet saved; `trial_end` is the end of its trial, if it has one."""
    now = account.now()
    subscription = {
        "id": new_id("sub_1"),
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": "eur",
        "customer": customer_id,
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": params.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": [],
        "description": params.get("description"),
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "latest_invoice": None,
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "trialing" if trial_end else "incomplete",
        "test_clock": None,
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": now if trial_end else None,
    }
    return subscription | {"items": with_items(subscription, [])}
