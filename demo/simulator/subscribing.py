"""What the API does with subscriptions: begin, change, end."""

from typing import Any

from demo.simulator import collection, methods
from demo.simulator.account import DAY, Account, Change
from demo.simulator.customers import customer_of
from demo.simulator.cycles import INCOMPLETE_HOURS, expect
from demo.simulator.errors import ApiError, no_such
from demo.simulator.invoices import subscription_invoice
from demo.simulator.items import CREATE_ITEM, new_item
from demo.simulator.params import (
    BOOLEAN,
    INTEGER,
    METADATA,
    MOMENT,
    STRING,
    Clearable,
    Required,
)
from demo.simulator.periods import boundary_after
from demo.simulator.store import Stored
from demo.simulator.subscriptions import OVER, end, new_subscription, note, with_items

PRORATION = ("always_invoice", "create_prorations", "none")
BEHAVIOUR = ("allow_incomplete", "default_incomplete", "error_if_incomplete")
FEEDBACK = (
    "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex",
    "too_expensive", "unused",
)  # fmt: skip
DETAILS = {"comment": Clearable(STRING), "feedback": Clearable(FEEDBACK)}
COMMON = {
    "collection_method": ("charge_automatically",),
    "default_payment_method": STRING,
    "off_session": BOOLEAN,
    "payment_behavior": BEHAVIOUR,
    "proration_behavior": PRORATION,
    "trial_end": MOMENT,
}
FROM_CHECKOUT = {
    "description": STRING,
    "metadata": METADATA,
    "trial_end": INTEGER,
    "trial_period_days": INTEGER,
}
CREATE = COMMON | {
    "customer": Required(STRING),
    "items": Required([CREATE_ITEM]),
    "description": STRING,
    "metadata": METADATA,
    "trial_period_days": INTEGER,
}
CANCEL = {"cancellation_details": DETAILS}


def create_subscription(
    account: Account, change: Change, params: dict[str, Any], *, off_session: bool = True
) -> Stored:
    """Begin now; with a trial nothing is charged before it ends. The first invoice is paid at once."""
    customer = customer_of(account, params["customer"], "customer", 400)
    if "default_payment_method" in params:
        methods.method_of(account, params["default_payment_method"], customer["id"], "default_payment_method")
    trial_end = trial_end_of(account, params)
    subscription = new_subscription(account, customer["id"], params, trial_end)
    items = [
        new_item(account, change, item, subscription["id"], f"items[{i}]") for i, item in enumerate(params["items"])
    ]
    if len({(item["price"]["currency"], str(item["price"]["recurring"])) for item in items}) != 1:
        raise ApiError(400, "All prices on a subscription must have the same currency and interval.", param="items")
    now = account.now()
    for item in items:
        item["current_period_end"] = trial_end or boundary_after(now, item["price"]["recurring"], now)
    subscription["items"] = with_items(subscription, items)
    subscription["currency"] = items[0]["price"]["currency"]
    behaviour = params.get("payment_behavior", "allow_incomplete")
    can_pay = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    if not can_pay and trial_end is None and behaviour != "default_incomplete":
        raise ApiError(
            400,
            "This customer has no attached payment source or default payment method. Please consider adding a"
            " default payment method.",
            code="resource_missing",
        )
    return _begin(account, change, subscription, behaviour, off_session)


def _begin(account: Account, change: Change, subscription: Stored, behaviour: str, off_session: bool) -> Stored:
    now, subscription_id = account.now(), subscription["id"]
    change.save(subscription)
    trial = subscription["status"] == "trialing"
    invoice = subscription_invoice(account, change, subscription, "subscription_create", (now, now), trial=trial)
    subscription["latest_invoice"] = invoice["id"]
    change.save(subscription)
    change.emit("customer.subscription.created", subscription)
    expect(account, change, subscription)
    invoice = collection.finalize(account, change, {}, invoice["id"])
    if invoice["status"] == "open" and behaviour != "default_incomplete":
        intent = collection.collect(account, change, invoice["id"], off_session=off_session)
        subscription = account.get("subscription", subscription_id)
        if intent and intent["status"] == "processing" and subscription["status"] == "incomplete":
            note(change, subscription, status="active")
        elif subscription["status"] == "incomplete" and behaviour == "error_if_incomplete":
            message = intent["last_payment_error"]["message"] if intent else "There is nothing to charge."
            raise ApiError(402, message, kind="card_error", code="card_declined")
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] == "incomplete":
        account.at(now + INCOMPLETE_HOURS * 3600, "expire_subscription", subscription_id)
    return subscription


def cancel_subscription(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """End it now. Nothing is given back, and nothing open is collected any more."""
    subscription = account.get("subscription", object_id, "id")
    if subscription["status"] in OVER:
        raise no_such("subscription", object_id)
    return end(account, change, subscription, "cancellation_requested", params.get("cancellation_details"))


def trial_end_of(account: Account, params: dict[str, Any]) -> int | None:
    """When the trial that is asked for ends; None where none is."""
    end_of_trial = params.get("trial_end")
    if end_of_trial == "now" or params.get("trial_period_days") == 0:
        return None
    if "trial_period_days" in params:
        end_of_trial = account.now() + params["trial_period_days"] * DAY
    if end_of_trial is not None and end_of_trial <= account.now():
        raise ApiError(400, "The `trial_end` must be a timestamp in the future.", param="trial_end")
    return end_of_trial
