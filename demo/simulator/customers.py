"""Customers: what Stripe keeps about a payer."""

from typing import Any

from demo.simulator import methods, tokens
from demo.simulator.account import Account, Change, new_id
from demo.simulator.errors import no_such
from demo.simulator.params import (
    ADDRESS,
    METADATA,
    METADATA_CHANGE,
    SHIPPING,
    STRING,
    STRINGS,
    Clearable,
    change_metadata,
)
from demo.simulator.store import Stored

CREATE = {
    "email": STRING,
    "name": STRING,
    "phone": STRING,
    "description": STRING,
    "preferred_locales": STRINGS,
    "metadata": METADATA,
    "address": ADDRESS,
    "shipping": SHIPPING,
    "invoice_settings": {"default_payment_method": STRING},
    "payment_method": STRING,
}
UPDATE = {
    "email": STRING,
    "name": STRING,
    "phone": STRING,
    "description": STRING,
    "preferred_locales": STRINGS,
    "metadata": Clearable(METADATA_CHANGE),
    "address": Clearable(ADDRESS),
    "invoice_settings": {"default_payment_method": Clearable(STRING)},
}


def create_customer(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    customer = change.save(
        {
            "id": new_id("cus_", 14),
            "object": "customer",
            "address": _address(params.get("address")),
            "balance": 0,
            "created": account.now(),
            "currency": None,
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": params.get("description"),
            "discount": None,
            "email": params.get("email"),
            "invoice_prefix": new_id("", 8).upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": params.get("metadata", {}),
            "name": params.get("name"),
            "next_invoice_sequence": 1,
            "phone": params.get("phone"),
            "preferred_locales": params.get("preferred_locales", []),
            "shipping": _shipping(params.get("shipping")),
            "tax_exempt": "none",
            "test_clock": None,
        }
    )
    change.emit("customer.created", customer)
    settings = params.get("invoice_settings", {})
    if "payment_method" in params:
        method = tokens.attach_named(account, change, {"customer": customer["id"]}, params["payment_method"])
        if settings.get("default_payment_method") == params["payment_method"]:
            settings = {"default_payment_method": method["id"]}
    if settings:
        return update_customer(account, change, {"invoice_settings": settings}, customer["id"])
    return customer


def customer_of(account: Account, customer_id: str, param: str = "id", status: int = 404) -> Stored:
    """A customer that has not been deleted."""
    customer = account.get("customer", customer_id, param, status)
    if customer.get("deleted"):
        raise no_such("customer", customer_id, param, status)
    return customer


def update_customer(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    customer = customer_of(account, object_id)
    before = dict(customer)
    for name in ("email", "name", "phone", "description", "preferred_locales"):
        customer[name] = params.get(name, customer[name])
    change_metadata(customer, params.get("metadata"))
    if "address" in params:
        customer["address"] = _address(params["address"] or None)
    wanted = params.get("invoice_settings", {}).get("default_payment_method")
    if wanted is not None:
        if wanted:
            methods.method_of(account, wanted, object_id, "invoice_settings[default_payment_method]")
        customer["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": wanted or None}
    previous = {name: value for name, value in before.items() if customer[name] != value}
    if previous:
        change.save(customer)
        change.emit("customer.updated", customer, previous)
    return customer


def delete_customer(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """The customer is gone for every call; `followers` of the event end what hangs on it."""
    customer = customer_of(account, object_id)
    change.save(customer | {"deleted": True})
    change.emit("customer.deleted", customer)
    return {"id": object_id, "object": "customer", "deleted": True}


def _address(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else dict.fromkeys(ADDRESS) | given


def _shipping(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {"address": _address(given.get("address", {})), "name": given.get("name"), "phone": given.get("phone")}
