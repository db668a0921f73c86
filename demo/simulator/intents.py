"""PaymentIntents: a payment that is tried, with its payer there or not, over one or more attempts."""

from typing import Any

from demo.simulator import bank_accounts, charges, methods, ways
from demo.simulator.account import Account, Change
from demo.simulator.cards import Decline
from demo.simulator.intent_object import new_intent
from demo.simulator.params import METADATA, SHIPPING, STRING
from demo.simulator.store import Stored

OFF_SESSION = "off_session"
FROM_CHECKOUT = {
    "description": STRING,
    "metadata": METADATA,
    "receipt_email": STRING,
    "setup_future_usage": (OFF_SESSION, "on_session"),
    "shipping": SHIPPING,
    "statement_descriptor": STRING,
    "statement_descriptor_suffix": STRING,
}
UNAUTHENTICATED = (
    "The provided payment method has failed authentication. You can provide a new payment method to attempt to fulfill"
    " this PaymentIntent again."
)


def create_intent(
    account: Account,
    change: Change,
    data: dict[str, Any],
    *,
    amount: int,
    currency: str,
    customer: str | None,
    kinds: list[str],
) -> Stored:
    """`data` holds what `FROM_CHECKOUT` names; `kinds` are the kinds of payment method it takes."""
    intent = change.save(new_intent(account, data, amount, currency, customer, kinds))
    change.emit("payment_intent.created", intent)
    return intent


def confirm(
    account: Account,
    change: Change,
    intent: Stored,
    method: Stored,
    *,
    off_session: bool = False,
    authenticated: bool = False,
) -> Stored:
    """Charge the method. The intent is then succeeded, processing (a debit), or waits for another method."""
    decline = ways.decline_of(account, method, off_session=off_session)
    charge = charges.create_charge(account, change, intent, method, decline=decline, authenticated=authenticated)
    intent.update(latest_charge=charge["id"], next_action=None)
    if decline:
        _wait_for_another(change, intent, method, _error(decline, charge, method))
        return intent
    if intent["setup_future_usage"] and intent["customer"]:
        methods.attach(account, change, {"customer": intent["customer"]}, method["id"])
    intent.update(last_payment_error=None, payment_method=method["id"], status="processing")
    if charge["status"] == "succeeded":
        _succeed(change, intent)
    else:
        change.save(intent)
        change.emit("payment_intent.processing", intent)
        fails = ways.debit_fails(account, method, off_session=off_session)
        bank_accounts.expect_answer(account, charge, fails=fails)
    return intent


def ask(change: Change, intent: Stored, method: Stored, url: str, return_url: str) -> None:
    """The bank wants 3-D Secure: the payer is sent to `url`."""
    intent.update(
        last_payment_error=None,
        next_action={"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"},
        payment_method=method["id"],
        status="requires_action",
    )
    change.save(intent)
    change.emit("payment_intent.requires_action", intent)


def fail_authentication(change: Change, intent: Stored, method: Stored) -> None:
    error = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": UNAUTHENTICATED,
        "payment_method": method,
        "type": "card_error",
    }
    _wait_for_another(change, intent, method, error)


def complete(account: Account, change: Change, charge: Stored) -> None:
    """The debit of this charge has arrived."""
    _succeed(change, account.get("payment_intent", charge["payment_intent"]))


def refuse(account: Account, change: Change, charge: Stored, decline: Decline) -> None:
    """The debit of this charge has failed."""
    intent = account.get("payment_intent", charge["payment_intent"])
    method = account.get("payment_method", charge["payment_method"])
    _wait_for_another(change, intent, method, _error(decline, charge, method))


def cancel(account: Account, change: Change, intent: Stored, reason: str | None = "expired") -> None:
    """The session around it has expired, or somebody gave it up for the `reason`."""
    intent.update(status="canceled", canceled_at=account.now(), cancellation_reason=reason, next_action=None)
    change.save(intent)
    change.emit("payment_intent.canceled", intent)


def _succeed(change: Change, intent: Stored) -> None:
    intent.update(amount_received=intent["amount"], status="succeeded")
    change.save(intent)
    change.emit("payment_intent.succeeded", intent)


def _wait_for_another(change: Change, intent: Stored, method: Stored, error: dict[str, Any]) -> None:
    intent.update(last_payment_error=error, next_action=None, payment_method=None, status="requires_payment_method")
    change.save(intent)
    change.emit("payment_intent.payment_failed", intent)


def _error(decline: Decline, charge: Stored, method: Stored) -> dict[str, Any]:
    return {
        "advice_code": decline.advice,
        "charge": charge["id"],
        "code": decline.code,
        "decline_code": decline.reason,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "network_decline_code": decline.network,
        "payment_method": method,
        "type": "card_error",
    }
