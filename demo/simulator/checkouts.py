"""Checkout sessions created through the API: to pay, to save a payment method, or to subscribe."""

import re
from typing import Any
from urllib.parse import urlsplit

from demo.simulator import intents, setups, subscribing, ways
from demo.simulator.account import Account, Change
from demo.simulator.customers import customer_of
from demo.simulator.errors import ApiError
from demo.simulator.lines import LINE_ITEM, new_line_item, save_order
from demo.simulator.params import BOOLEAN, INTEGER, METADATA, STRING, Required
from demo.simulator.session_object import EXPIRES, LONGEST, new_session
from demo.simulator.store import Stored

SHORTEST = 30 * 60
LEAST_CENTS = 50
CREATE = {
    "mode": Required(("payment", "setup", "subscription")),
    "currency": STRING,
    "line_items": [LINE_ITEM],
    "success_url": Required(STRING),
    "cancel_url": STRING,
    "client_reference_id": STRING,
    "customer": STRING,
    "customer_creation": ("always", "if_required"),
    "customer_email": STRING,
    "expires_at": INTEGER,
    "locale": STRING,
    "metadata": METADATA,
    "payment_intent_data": intents.FROM_CHECKOUT,
    "payment_method_collection": ("always", "if_required"),
    "setup_intent_data": {"description": STRING, "metadata": METADATA},
    "subscription_data": subscribing.FROM_CHECKOUT,
    "submit_type": ("auto", "book", "donate", "pay", "subscribe"),
    "ui_mode": ("hosted_page",),
    "adaptive_pricing": {"enabled": BOOLEAN},
}


def create_checkout(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    _check(account, params, account.now())
    if params["mode"] == "setup":
        return _create_setup_checkout(account, change, params)
    if "line_items" not in params:
        raise ApiError(400, "Missing required param: line_items.", code="parameter_missing", param="line_items")
    items = [new_line_item(account, change, item, i) for i, item in enumerate(params["line_items"])]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise ApiError(400, "All line items must have the same currency.", param="line_items")
    recurring = [item for item in items if item["price"]["recurring"]]
    if bool(recurring) != (params["mode"] == "subscription"):
        raise ApiError(
            400,
            "You specified `payment` mode but passed a recurring price."
            if recurring
            else "You must provide at least one recurring price in `subscription` mode.",
            param="line_items",
        )
    total = sum(item["amount_total"] for item in items)
    trial = {"trial_end", "trial_period_days"} & params.get("subscription_data", {}).keys()
    if trial:
        total -= sum(item["amount_total"] for item in recurring)
    if total < LEAST_CENTS and params["mode"] == "payment":
        raise ApiError(
            400,
            "The Checkout Session's total amount due must add up to at least €0.50 eur",
            code="amount_too_small",
        )
    currency = currencies.pop()
    session = new_session(account, params, total, currency, _kinds_for(account, currency, params))
    change.save(session)
    account.at(session["expires_at"], EXPIRES, session["id"])
    save_order(change, session, items, params)
    return session


def _kinds_for(account: Account, currency: str, params: dict[str, Any]) -> list[str]:
    """The kinds of payment method offered: debits are in euro only. Calls of an older version name them."""
    return params.get("payment_method_types") or [
        kind for kind in ways.offered(account) if kind == ways.CARD or currency == "eur"
    ]


def _create_setup_checkout(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    for name in ("line_items", "payment_intent_data", "subscription_data"):
        if name in params:
            raise ApiError(400, f"You can not pass `{name}` in `setup` mode.", param=name)
    if "currency" not in params:
        raise ApiError(400, "Missing required param: currency.", code="parameter_missing", param="currency")
    currency = params["currency"].lower()
    session = new_session(account, params, None, currency, _kinds_for(account, currency, params))
    data = params.get("setup_intent_data", {}) | {"customer": params.get("customer")}
    session["setup_intent"] = setups.create_setup(account, change, data)["id"]
    change.save(session)
    account.at(session["expires_at"], EXPIRES, session["id"])
    save_order(change, session, [], params)
    return session


def _check(account: Account, params: dict[str, Any], now: int) -> None:
    if "customer" in params:
        if "customer_email" in params:
            raise ApiError(
                400,
                "You may only specify one of these parameters: customer, customer_email.",
                param="customer",
            )
        customer_of(account, params["customer"], "customer", 400)
    email = params.get("customer_email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise ApiError(400, f"Invalid email address: {email}", code="email_invalid", param="customer_email")
    for name in ("success_url", "cancel_url"):
        if name in params and urlsplit(params[name]).scheme not in ("http", "https"):
            raise ApiError(400, "Not a valid URL", code="url_invalid", param=name)
    expires_at = params.get("expires_at", now + LONGEST)
    if expires_at < now + SHORTEST:
        raise ApiError(
            400,
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if expires_at > now + LONGEST:
        raise ApiError(
            400,
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
