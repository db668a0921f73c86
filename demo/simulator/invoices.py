"""Invoices: what is owed for a period of a subscription or for single items, and how it was paid."""

from typing import Any

from demo.simulator.account import DAY, Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.invoice_lines import invoice_line, subscription_line
from demo.simulator.invoice_object import new_invoice, set_lines
from demo.simulator.params import (
    BOOLEAN,
    INTEGER,
    METADATA,
    METADATA_CHANGE,
    STRING,
    Clearable,
    Required,
    change_metadata,
)
from demo.simulator.store import Stored

CREATE = {
    "customer": Required(STRING),
    "collection_method": ("charge_automatically", "send_invoice"),
    "days_until_due": INTEGER,
    "currency": STRING,
    "default_payment_method": STRING,
    "description": STRING,
    "metadata": METADATA,
    "pending_invoice_items_behavior": ("exclude", "include"),
}
UPDATE = {
    "auto_advance": BOOLEAN,
    "default_payment_method": Clearable(STRING),
    "description": Clearable(STRING),
    "metadata": Clearable(METADATA_CHANGE),
}
DRAFT_SECONDS = 3600


def pending_items(account: Account, customer_id: str, subscription_id: str | None = None) -> list[Stored]:
    """Invoice items that wait for the next invoice, oldest first."""
    rows = account.store.rows(
        "SELECT id FROM object WHERE kind = 'invoiceitem' AND json_extract(body, '$.customer') = ?"
        " AND json_extract(body, '$.invoice') IS NULL ORDER BY seq",
        customer_id,
    )
    items = [account.get("invoiceitem", row["id"]) for row in rows]
    return [item for item in items if _subscription_of_item(item) in (None, subscription_id)]


def subscription_invoice(
    account: Account,
    change: Change,
    subscription: Stored,
    reason: str,
    period: tuple[int, int],
    *,
    trial: bool = False,
    items: bool = True,
) -> Stored:
    """A draft of what is pending and, with `items`, of the running period. `period` is what lies behind."""
    customer = account.get("customer", subscription["customer"])
    invoice = new_invoice(account, customer, reason, subscription["currency"], period)
    invoice["parent"] = _parent(subscription)
    invoice["default_payment_method"] = subscription["default_payment_method"]
    invoice["description"] = subscription["description"]
    pending = pending_items(account, customer["id"], subscription["id"])
    lines = [invoice_line(invoice["id"], item) for item in pending]
    if items:
        lines += _lines_of(account, invoice, subscription, trial=trial)
    return _save_draft(account, change, customer, invoice, lines, pending)


def create_invoice(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    """A draft of the customer's pending items, through the API."""
    customer = account.get("customer", params["customer"], "customer", status=400)
    excluded = params.get("pending_invoice_items_behavior") == "exclude"
    pending = [] if excluded else pending_items(account, customer["id"])
    currency = params.get("currency") or (pending[0]["currency"] if pending else customer["currency"] or "eur")
    now = account.now()
    invoice = new_invoice(account, customer, "manual", currency, (now, now))
    invoice["auto_advance"] = False
    for name in ("collection_method", "default_payment_method", "description", "metadata"):
        invoice[name] = params.get(name, invoice[name])
    if "days_until_due" in params:
        invoice["due_date"] = now + params["days_until_due"] * DAY
    lines = [invoice_line(invoice["id"], item) for item in pending]
    return _save_draft(account, change, customer, invoice, lines, pending)


def update_invoice(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    invoice = account.get("invoice", object_id, "invoice")
    change_metadata(invoice, params.get("metadata"))
    invoice["auto_advance"] = params.get("auto_advance", invoice["auto_advance"])
    for name in ("default_payment_method", "description"):
        invoice[name] = params.get(name, invoice[name]) or None
    change.save(invoice)
    change.emit("invoice.updated", invoice)
    return invoice


def delete_invoice(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """Only a draft that no subscription made; its items are gone with it."""
    invoice = account.get("invoice", object_id, "invoice")
    if invoice["status"] != "draft" or subscription_id_of(invoice):
        raise ApiError(400, "You can only delete draft invoices that no subscription has made.")
    change.emit("invoice.deleted", invoice)
    return change.delete(invoice)


def announce(account: Account, change: Change, subscription: Stored) -> None:
    """`invoice.upcoming`: what the next period will cost, some days before it begins; nothing is kept."""
    customer = account.get("customer", subscription["customer"])
    end = subscription["items"]["data"][0]["current_period_end"]
    invoice = new_invoice(account, customer, "upcoming", subscription["currency"], (account.now(), end))
    invoice["id"] = f"upcoming_{invoice['id']}"
    invoice["next_payment_attempt"] = end + DRAFT_SECONDS
    invoice["parent"] = _parent(subscription)
    set_lines(invoice, _lines_of(account, invoice, subscription, trial=False))
    change.emit("invoice.upcoming", invoice)


def subscription_id_of(invoice: Stored) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found


def _parent(subscription: Stored) -> dict[str, Any]:
    """Where an invoice comes from, with the subscription's metadata as it is now."""
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {
        "quote_details": None,
        "subscription_details": details | {"subscription_proration_date": None},
        "type": "subscription_details",
    }


def _lines_of(account: Account, invoice: Stored, subscription: Stored, *, trial: bool) -> list[Stored]:
    items = subscription["items"]["data"]
    return [subscription_line(account, invoice["id"], subscription, item, trial=trial) for item in items]


def _subscription_of_item(item: Stored) -> str | None:
    found: str | None = ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")
    return found


def _save_draft(
    account: Account, change: Change, customer: Stored, invoice: Stored, lines: list[Stored], pending: list[Stored]
) -> Stored:
    set_lines(invoice, lines)
    for item in pending:
        change.save(item | {"invoice": invoice["id"]})
    if customer["currency"] is None:
        customer["currency"] = invoice["currency"]
        change.save(customer)
        change.emit("customer.updated", customer, {"currency": None})
    change.save(invoice)
    change.emit("invoice.created", invoice)
    return invoice
