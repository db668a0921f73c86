"""Checkout sessions in payment mode: created through the API."""

import re
from typing import Any
from urllib.parse import urlsplit

from demo.simulator import intents
from demo.simulator.account import Account, Change, new_id
from demo.simulator.errors import ApiError
from demo.simulator.lines import LINE_ITEM, new_line_item, save_line_items
from demo.simulator.params import BOOLEAN, INTEGER, METADATA, STRING, Required
from demo.simulator.store import Stored

SHORTEST, LONGEST = 30 * 60, 24 * 3600
LEAST_CENTS = 50
CREATE = {
    "mode": Required(("payment",)),
    "line_items": Required([LINE_ITEM]),
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
    "submit_type": ("auto", "book", "donate", "pay"),
    "ui_mode": ("hosted_page",),
    "adaptive_pricing": {"enabled": BOOLEAN},
}


def create_checkout(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    now = account.now()
    _check(account, params, now)
    items = [new_line_item(account, item, i) for i, item in enumerate(params["line_items"])]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise ApiError(400, "All line items must have the same currency.", param="line_items")
    total = sum(item["amount_total"] for item in items)
    if total < LEAST_CENTS:
        raise ApiError(
            400,
            "The Checkout Session's total amount due must add up to at least €0.50 eur",
            code="amount_too_small",
        )
    session = _new_session(account, params, now, total, currencies.pop())
    change.save(session)
    save_line_items(change, session, items, params.get("payment_intent_data", {}))
    return session


def _check(account: Account, params: dict[str, Any], now: int) -> None:
    if "customer" in params:
        if "customer_email" in params:
            raise ApiError(
                400,
                "You may only specify one of these parameters: customer, customer_email.",
                param="customer",
            )
        account.get("customer", params["customer"], "customer", status=400)
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


def _new_session(account: Account, params: dict[str, Any], now: int, total: int, currency: str) -> Stored:
    session_id = new_id("cs_test_a1", 56)
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", True)},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "consent": None,
        "consent_collection": None,
        "created": now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer": params.get("customer"),
        "customer_account": None,
        "customer_creation": None if "customer" in params else params.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": params.get("expires_at", now + LONGEST),
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": params.get("locale"),
        "managed_payments": None,
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{account.public_url}/pay/{session_id}",
        "wallet_options": None,
    }
