"""Which PaymentIntent pays which invoice."""

from demo.simulator.account import Account, Change, new_id
from demo.simulator.store import Stored


def record_payment(account: Account, change: Change, invoice: Stored, intent: Stored) -> Stored:
    return change.save(
        {
            "id": new_id("inpay_1"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": intent["amount"],
            "created": account.now(),
            "currency": intent["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def complete_payment(account: Account, change: Change, payment: Stored) -> None:
    payment.update(status="paid", amount_paid=payment["amount_requested"])
    payment["status_transitions"]["paid_at"] = account.now()
    change.save(payment)
    change.emit("invoice_payment.paid", payment)


def cancel_payment(account: Account, change: Change, payment: Stored) -> None:
    payment["status"] = "canceled"
    payment["status_transitions"]["canceled_at"] = account.now()
    change.save(payment)


def payment_of(account: Account, invoice_id: str) -> Stored | None:
    """The payment of an invoice: one intent, however often it is tried."""
    return _first(
        account,
        "SELECT id FROM object WHERE kind = 'invoice_payment' AND json_extract(body, '$.invoice') = ?",
        invoice_id,
    )


def payment_by(account: Account, intent_id: str) -> Stored | None:
    return _first(
        account,
        "SELECT id FROM object WHERE kind = 'invoice_payment' AND json_extract(body, '$.payment.payment_intent') = ?",
        intent_id,
    )


def _first(account: Account, sql: str, value: str) -> Stored | None:
    rows = account.store.rows(sql, value)
    return account.get("invoice_payment", rows[0]["id"]) if rows else None
