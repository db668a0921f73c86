"""How an attempt on an invoice ends: it is paid, or will be tried again some days later."""

from demo.simulator.account import DAY, Account, Change
from demo.simulator.invoices import subscription_id_of
from demo.simulator.store import Stored

RETRY_DAYS = (3, 5, 7, 7)


def paid(account: Account, change: Change, invoice: Stored) -> Stored:
    invoice.update(
        status="paid",
        attempted=True,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        auto_advance=False,
        next_payment_attempt=None,
        status_transitions=invoice["status_transitions"] | {"paid_at": account.now()},
    )
    change.save(invoice)
    change.emit("invoice.paid", invoice)
    change.emit("invoice.payment_succeeded", invoice)
    return invoice


def failed(account: Account, change: Change, invoice: Stored) -> None:
    """Tried again in some days, as long as there are tries left and a subscription wants it."""
    tries = invoice["attempt_count"]
    retried = subscription_id_of(invoice) and invoice["billing_reason"] != "subscription_create"
    if retried and tries <= len(RETRY_DAYS) and invoice["next_payment_attempt"] is None:
        again = account.now() + RETRY_DAYS[tries - 1] * DAY
        account.at(again, "advance_invoice", invoice["id"])
        invoice["next_payment_attempt"] = again
    change.save(invoice)
    change.emit("invoice.payment_failed", invoice)
