"""A running subscription is changed through the API: its price, its trial, how and whether it goes on."""

from typing import Any

from demo.simulator import collection, methods
from demo.simulator.account import Account, Change
from demo.simulator.cycles import expect
from demo.simulator.errors import ApiError, no_such
from demo.simulator.invoice_lines import prorate
from demo.simulator.invoices import subscription_invoice
from demo.simulator.items import UPDATE_ITEM, change_price, new_item
from demo.simulator.params import BOOLEAN, INTEGER, METADATA_CHANGE, STRING, Clearable, Required, change_metadata
from demo.simulator.periods import boundary_after
from demo.simulator.store import Stored
from demo.simulator.subscribing import COMMON, DETAILS, trial_end_of
from demo.simulator.subscriptions import OVER, note, with_items

UPDATE = COMMON | {
    "items": [UPDATE_ITEM],
    "cancel_at_period_end": BOOLEAN,
    "cancellation_details": DETAILS,
    "description": Clearable(STRING),
    "metadata": Clearable(METADATA_CHANGE),
    "pause_collection": Clearable(
        {"behavior": Required(("keep_as_draft", "mark_uncollectible", "void")), "resumes_at": INTEGER}
    ),
}


def update_subscription(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    subscription = account.get("subscription", object_id, "id")
    if subscription["status"] in OVER:
        raise ApiError(400, "A canceled subscription can only update its cancellation_details and metadata.")
    new = dict(subscription)
    if "default_payment_method" in params:
        method = params["default_payment_method"]
        new["default_payment_method"] = methods.method_of(account, method, new["customer"], "default_payment_method")
    if "description" in params:
        new["description"] = params["description"] or None
    change_metadata(new, params.get("metadata"))
    new["cancellation_details"] = new["cancellation_details"] | {
        name: value or None for name, value in params.get("cancellation_details", {}).items()
    }
    if "cancel_at_period_end" in params:
        new |= _cancel_later(account, new, params["cancel_at_period_end"])
    if "pause_collection" in params:
        new["pause_collection"] = _pause(account, new, params["pause_collection"])
    proration = params.get("proration_behavior", "create_prorations")
    if "items" in params:
        new["items"] = _change_items(account, change, new, params["items"], proration, "trial_end" in params)
    if "trial_end" in params:
        new |= _move_trial(account, change, new, params, proration)
    note(change, subscription, **new)
    if "trial_end" in params:
        expect(account, change, subscription)
        _invoice_now(account, change, subscription, trial=subscription["status"] == "trialing", items=True)
    elif "items" in params and proration == "always_invoice":
        _invoice_now(account, change, subscription, trial=False, items=False)
    return account.get("subscription", object_id)


def _cancel_later(account: Account, subscription: Stored, wanted: bool) -> dict[str, Any]:
    if wanted == subscription["cancel_at_period_end"]:
        return {}
    reason = {"reason": "cancellation_requested" if wanted else None}
    return {
        "cancel_at_period_end": wanted,
        "cancel_at": subscription["items"]["data"][0]["current_period_end"] if wanted else None,
        "canceled_at": account.now() if wanted else None,
        "cancellation_details": subscription["cancellation_details"] | reason,
    }


def _pause(account: Account, subscription: Stored, wanted: Any) -> dict[str, Any] | None:
    if not wanted:
        return None
    if "resumes_at" in wanted:
        account.at(wanted["resumes_at"], "resume_collection", subscription["id"])
    return {"behavior": wanted["behavior"], "resumes_at": wanted.get("resumes_at")}


def _change_items(
    account: Account,
    change: Change,
    subscription: Stored,
    wanted: list[dict[str, Any]],
    proration: str,
    begins_anew: bool,
) -> dict[str, Any]:
    """The list of items with the changes; a change of price within a period is prorated unless told not to."""
    items = {item["id"]: dict(item) for item in subscription["items"]["data"]}
    first = subscription["items"]["data"][0]
    for i, params in enumerate(wanted):
        at = f"items[{i}]"
        if "id" not in params:
            item = new_item(account, change, params, subscription["id"], at)
            item |= {name: first[name] for name in ("current_period_start", "current_period_end")}
            items[item["id"]] = item
            continue
        if params["id"] not in items:
            raise no_such("subscription_item", params["id"], f"{at}[id]", status=400)
        item = items[params["id"]]
        if params.get("deleted"):
            del items[params["id"]]
            continue
        old = dict(item)
        if "price" in params or "price_data" in params:
            change_price(account, change, item, params, at, begins_anew=begins_anew)
        item["quantity"] = params.get("quantity", item["quantity"])
        change_metadata(item, params.get("metadata"))
        if proration != "none" and subscription["status"] != "trialing" and old != item:
            prorate(account, change, subscription, old, item)
    if not items:
        raise ApiError(400, "A subscription must have at least one active plan.", param="items")
    return with_items(subscription, list(items.values()))


def _move_trial(
    account: Account, change: Change, subscription: Stored, params: dict[str, Any], proration: str
) -> dict[str, Any]:
    """A trial until another instant, or none from now on; periods are counted from where it ends."""
    now = account.now()
    until = trial_end_of(account, params)
    trialing = subscription["status"] == "trialing"
    if until and not trialing and proration != "none":
        raise ApiError(400, "This simulator moves a trial only with proration_behavior=none.", param="trial_end")
    items = [
        item
        | {
            "current_period_start": item["current_period_start"] if until and trialing else now,
            "current_period_end": until or boundary_after(now, item["price"]["recurring"], now),
        }
        for item in subscription["items"]["data"]
    ]
    return {
        "items": with_items(subscription, items),
        "billing_cycle_anchor": until or now,
        "status": "trialing" if until else "active",
        "trial_start": (subscription["trial_start"] or now) if until or trialing else subscription["trial_start"],
        "trial_end": until or (now if trialing else subscription["trial_end"]),
    }


def _invoice_now(account: Account, change: Change, subscription: Stored, *, trial: bool, items: bool) -> None:
    """An invoice for what has just changed, paid at once."""
    now = account.now()
    invoice = subscription_invoice(
        account, change, subscription, "subscription_update", (now, now), trial=trial, items=items
    )
    note(change, subscription, latest_invoice=invoice["id"])
    invoice = collection.finalize(account, change, {}, invoice["id"])
    if invoice["status"] == "open":
        collection.collect(account, change, invoice["id"])
