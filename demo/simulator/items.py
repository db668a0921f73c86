"""The items of a subscription: which price, how often, and the period that is running."""

from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.errors import ApiError
from demo.simulator.money import money
from demo.simulator.params import BOOLEAN, INTEGER, METADATA, METADATA_CHANGE, STRING, Clearable
from demo.simulator.products import SUBSCRIPTION_PRICE_DATA, price_of
from demo.simulator.store import Stored

_ITEM = {"price": STRING, "price_data": SUBSCRIPTION_PRICE_DATA, "quantity": INTEGER}
CREATE_ITEM = _ITEM | {"metadata": METADATA}
UPDATE_ITEM = _ITEM | {"id": STRING, "deleted": BOOLEAN, "metadata": Clearable(METADATA_CHANGE)}


def new_item(account: Account, change: Change, params: dict[str, Any], subscription: str, at: str) -> Stored:
    """An item that begins now; where its period ends is the caller's to say."""
    price = price_of(account, change, params, at)
    if price["recurring"] is None:
        raise ApiError(
            400,
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=at,
        )
    now = account.now()
    return {
        "id": new_id("si_", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": now,
        "current_period_start": now,
        "discounts": [],
        "metadata": params.get("metadata") or {},
        "plan": plan_of(price),
        "price": price,
        "quantity": params.get("quantity", 1),
        "subscription": subscription,
        "tax_rates": [],
    }


def change_price(
    account: Account, change: Change, item: Stored, params: dict[str, Any], at: str, *, begins_anew: bool
) -> None:
    """How often it is paid changes only where its periods begin anew, at the end of a trial."""
    price = price_of(account, change, params, at)
    if price["recurring"] != item["price"]["recurring"] and not begins_anew:
        raise ApiError(400, "This simulator changes how often a subscription is paid only with trial_end.", param=at)
    item.update(price=price, plan=plan_of(price))


def amount_of(item: Stored) -> int:
    amount: int = item["price"]["unit_amount"] * item["quantity"]
    return amount


def described(account: Account, item: Stored) -> str:
    """`1 × Basic membership (at €30.00 / year)`, as Stripe words an invoice line."""
    price = item["price"]
    name = account.get("product", price["product"])["name"]
    count, interval = price["recurring"]["interval_count"], price["recurring"]["interval"]
    often = interval if count == 1 else f"every {count} {interval}s"
    return f"{item['quantity']} × {name} (at {money(price['unit_amount'], price['currency'])} / {often})"


def plan_of(price: Stored) -> Stored:
    """The older name of a recurring price, which Stripe still sends beside it."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
