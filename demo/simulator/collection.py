"""Collecting invoices: finalised, charged to the saved method without its owner, and tried again."""

from typing import Any

from demo.simulator import charges, intents, methods
from demo.simulator.account import Account, Change
from demo.simulator.closing import close
from demo.simulator.errors import ApiError, Declined
from demo.simulator.invoice_payments import complete_payment, payment_by, payment_of, record_payment
from demo.simulator.invoice_results import failed, paid
from demo.simulator.invoices import DRAFT_SECONDS, subscription_id_of
from demo.simulator.params import BOOLEAN, STRING
from demo.simulator.store import Stored

PAY = {"payment_method": STRING, "off_session": BOOLEAN, "paid_out_of_band": BOOLEAN}
FINALIZE = {"auto_advance": BOOLEAN}
DESCRIPTIONS = {"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update"}


def follow(account: Account) -> None:
    """An invoice moves on by itself as time passes, and when a debit is settled days later."""
    account.on_due["advance_invoice"] = advance
    account.followers.setdefault("payment_intent.succeeded", []).append(_intent_succeeded)
    account.followers.setdefault("payment_intent.payment_failed", []).append(_intent_failed)


def leave_as_draft(account: Account, change: Change, invoice: Stored) -> None:
    """Its owner may still change it; in about an hour it is finalised and paid."""
    at = account.now() + DRAFT_SECONDS
    invoice.update(automatically_finalizes_at=at, next_payment_attempt=at)
    change.save(invoice)
    account.at(at, "advance_invoice", invoice["id"])


def advance(account: Account, change: Change, invoice_id: str) -> None:
    """What is due for an invoice: its draft hour is over, or it is time to try again."""
    invoice = account.get("invoice", invoice_id)
    if not invoice["auto_advance"]:
        return
    if invoice["status"] == "draft":
        finalize(account, change, {}, invoice_id)
        paused = _pause_of(account, invoice)
        if paused is None:
            collect(account, change, invoice_id)
        elif paused != "keep_as_draft":
            close(account, change, invoice_id, paused)
    elif invoice["status"] == "open" and invoice["next_payment_attempt"] == account.now():
        collect(account, change, invoice_id)


def finalize(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    invoice = account.get("invoice", object_id, "invoice")
    invoice["auto_advance"] = params.get("auto_advance", invoice["auto_advance"])
    if invoice["status"] != "draft":
        raise ApiError(400, f"This invoice is already finalized: {object_id}.", code="invoice_not_editable")
    if _pause_of(account, invoice) == "keep_as_draft":
        invoice.update(auto_advance=False, automatically_finalizes_at=None, next_payment_attempt=None)
        return change.save(invoice)
    customer = account.get("customer", invoice["customer"])
    invoice.update(
        status="open",
        number=f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        effective_at=account.now(),
        automatically_finalizes_at=None,
        hosted_invoice_url=f"{account.public_url}/invoices/{object_id}",
        status_transitions=invoice["status_transitions"] | {"finalized_at": account.now()},
    )
    customer["next_invoice_sequence"] += 1
    change.save(customer)
    change.save(invoice)
    change.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        return paid(account, change, invoice)
    return invoice


def pay(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """Through the API: a declined method is answered with 402, and the attempt counts."""
    invoice = account.get("invoice", object_id, "invoice")
    if invoice["status"] == "draft":
        invoice = finalize(account, change, {}, object_id)
    elif invoice["status"] != "open":
        word = {"paid": "already paid", "void": "voided"}.get(invoice["status"], "uncollectible")
        raise ApiError(400, f"Invoice is {word}")
    if params.get("paid_out_of_band"):
        return paid(account, change, invoice)
    if invoice["status"] == "open":
        method = params.get("payment_method")
        if method:
            methods.method_of(account, method, invoice["customer"], "payment_method")
        intent = collect(account, change, object_id, method, off_session=params.get("off_session", True), by_hand=True)
        if intent is None:
            raise ApiError(400, "There is no `default_payment_method` set on this Customer or Invoice.")
        if intent["last_payment_error"] and intent["status"] != "succeeded":
            error = intent["last_payment_error"]
            raise Declined(error["message"], code=error["code"], about={"payment_intent": intent})
    return account.get("invoice", object_id)


def send(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """To be paid by whom it is sent to."""
    invoice = account.get("invoice", object_id, "invoice")
    if invoice["collection_method"] != "send_invoice":
        raise ApiError(400, "You can only send invoices whose collection_method is send_invoice.")
    if invoice["status"] == "draft":
        invoice = finalize(account, change, {}, object_id)
    change.emit("invoice.sent", invoice)
    return invoice


def collect(
    account: Account,
    change: Change,
    invoice_id: str,
    method_id: str | None = None,
    *,
    off_session: bool = True,
    by_hand: bool = False,
) -> Stored | None:
    """One attempt; the PaymentIntent of it, or None where there is nothing to charge.

    As at Stripe, an attempt by hand leaves the plan of further tries as it is, unless it is the first of all.
    """
    invoice = account.get("invoice", invoice_id)
    if invoice["status"] != "open":
        return None
    payment = payment_of(account, invoice_id)
    intent = account.get("payment_intent", payment["payment"]["payment_intent"]) if payment else None
    if intent and intent["status"] == "processing":
        return intent
    if not by_hand or not invoice["attempted"]:
        invoice.update(attempt_count=invoice["attempt_count"] + 1, next_payment_attempt=None)
    invoice["attempted"] = True
    change.save(invoice)
    method_id = method_id or _method_for(account, invoice)
    if method_id is None:
        failed(account, change, invoice)
        return None
    if intent is None:
        intent = _new_intent(account, change, invoice, method_id)
        record_payment(account, change, invoice, intent)
    method = account.get("payment_method", method_id)
    intent["payment_method_types"] = [method["type"]]
    intents.confirm(account, change, intent, method, off_session=off_session)
    if intent["status"] == "succeeded":
        charges.expect_fee(account, change, account.get("charge", intent["latest_charge"]))
    return intent


def _new_intent(account: Account, change: Change, invoice: Stored, method_id: str) -> Stored:
    words = DESCRIPTIONS.get(invoice["billing_reason"], f"Payment for Invoice {invoice['number']}")
    return intents.create_intent(
        account,
        change,
        {"description": words, "setup_future_usage": intents.OFF_SESSION},
        amount=invoice["amount_remaining"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        kinds=[account.get("payment_method", method_id)["type"]],
    )


def _intent_succeeded(account: Account, change: Change, intent: Stored) -> None:
    if payment := payment_by(account, intent["id"]):
        complete_payment(account, change, payment)
        paid(account, change, account.get("invoice", payment["invoice"]))


def _intent_failed(account: Account, change: Change, intent: Stored) -> None:
    if payment := payment_by(account, intent["id"]):
        invoice = account.get("invoice", payment["invoice"])
        failed(account, change, invoice)
        if intent["last_payment_error"]["code"] == "authentication_required":
            change.emit("invoice.payment_action_required", invoice)


def _method_for(account: Account, invoice: Stored) -> str | None:
    subscription_id = subscription_id_of(invoice)
    subscription = account.get("subscription", subscription_id) if subscription_id else {}
    customer = account.get("customer", invoice["customer"])
    found: str | None = (
        subscription.get("default_payment_method")
        or invoice["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )
    return found


def _pause_of(account: Account, invoice: Stored) -> str | None:
    subscription_id = subscription_id_of(invoice)
    pause = account.get("subscription", subscription_id)["pause_collection"] if subscription_id else None
    return pause["behavior"] if pause else None
