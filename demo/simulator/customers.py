"""Customers: what Stripe keeps about a payer."""

from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.params import METADATA, STRING, STRINGS
from demo.simulator.store import Stored

CREATE = {
    "email": STRING,
    "name": STRING,
    "phone": STRING,
    "description": STRING,
    "preferred_locales": STRINGS,
    "metadata": METADATA,
}


def create_customer(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    customer = change.save(
        {
            "id": new_id("cus_", 14),
            "object": "customer",
            "address": None,
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
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }
    )
    change.emit("customer.created", customer)
    return customer
