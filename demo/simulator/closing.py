"""Invoices that will not be collected: voided, given up, or left when their subscription ended."""

from typing import Any

from demo.simulator import intents
from demo.simulator.account import Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.invoice_payments import cancel_payment, payment_of
from demo.simulator.store import Stored


def void(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    return close(account, change, object_id, "void")


def mark_uncollectible(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    return close(account, change, object_id, "mark_uncollectible")


def close(account: Account, change: Change, invoice_id: str, how: str) -> Stored:
    """`how` is void or mark_uncollectible: nothing more is collected."""
    invoice = account.get("invoice", invoice_id, "invoice")
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError(400, f"You can only pass in open invoices. This invoice has a status of {invoice['status']}.")
    status, instant = ("void", "voided_at") if how == "void" else ("uncollectible", "marked_uncollectible_at")
    invoice.update(status=status, next_payment_attempt=None, auto_advance=False)
    invoice["status_transitions"][instant] = account.now()
    change.save(invoice)
    payment = payment_of(account, invoice_id)
    if how == "void" and payment and payment["status"] == "open":
        cancel_payment(account, change, payment)
        intent = account.get("payment_intent", payment["payment"]["payment_intent"])
        if intent["status"] == "requires_payment_method":
            intents.cancel(account, change, intent, "void_invoice")
    change.emit("invoice.voided" if how == "void" else "invoice.marked_uncollectible", invoice)
    return invoice


def stop_collecting(account: Account, change: Change, subscription_id: str) -> None:
    """The subscription has ended: what is open stays open and is not tried again."""
    for row in account.store.rows(
        "SELECT id FROM object WHERE kind = 'invoice' AND json_extract(body, '$.status') IN ('draft', 'open')"
        " AND json_extract(body, '$.parent.subscription_details.subscription') = ?",
        subscription_id,
    ):
        invoice = account.get("invoice", row["id"])
        invoice.update(auto_advance=False, next_payment_attempt=None, automatically_finalizes_at=None)
        change.save(invoice)
