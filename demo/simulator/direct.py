"""PaymentIntents made and confirmed through the API, without a page."""

from typing import Any

from demo.simulator import charges, disputes, intents, ways
from demo.simulator.account import Account, Change
from demo.simulator.customers import customer_of
from demo.simulator.errors import ApiError, Declined
from demo.simulator.params import BOOLEAN, INTEGER, METADATA_CHANGE, STRING, Clearable, Required, change_metadata
from demo.simulator.products import CURRENCIES
from demo.simulator.store import Stored
from demo.simulator.tokens import method_named

LEAST = 50
MANDATE_DATA = {
    "customer_acceptance": {
        "type": Required(("offline", "online")),
        "accepted_at": INTEGER,
        "online": {"ip_address": STRING, "user_agent": STRING},
    }
}
CONFIRM = {
    "payment_method": STRING,
    "off_session": BOOLEAN,
    "return_url": STRING,
    "mandate_data": MANDATE_DATA,
    "receipt_email": STRING,
}
CREATE = (
    CONFIRM
    | intents.FROM_CHECKOUT
    | {
        "amount": Required(INTEGER),
        "currency": Required(STRING),
        "confirm": BOOLEAN,
        "customer": STRING,
        "automatic_payment_methods": {"enabled": Required(BOOLEAN), "allow_redirects": ("always", "never")},
        "capture_method": ("automatic", "automatic_async"),
        "confirmation_method": ("automatic",),
    }
)
UPDATE = {"description": STRING, "metadata": Clearable(METADATA_CHANGE), "receipt_email": STRING}
CANCEL = {"cancellation_reason": ("abandoned", "duplicate", "fraudulent", "requested_by_customer")}
WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
DISPUTED = {"0259": "needs_response", "1976": "warning_needs_response"}
AVAILABLE_AT_ONCE = "0077"


def create(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    currency = params["currency"].lower()
    if currency not in CURRENCIES:
        raise ApiError(400, f"Invalid currency: {currency}.", param="currency")
    if params["amount"] < LEAST:
        raise ApiError(400, "Amount must be at least €0.50 eur", code="amount_too_small", param="amount")
    if "customer" in params:
        customer_of(account, params["customer"], "customer", 400)
    kinds = params.get("payment_method_types") or ways.offered(account)
    intent = intents.create_intent(
        account,
        change,
        params,
        amount=params["amount"],
        currency=currency,
        customer=params.get("customer"),
        kinds=kinds,
    )
    if params.get("confirm"):
        return confirm(account, change, params, intent["id"])
    if "payment_method" in params:
        method = method_named(account, change, params["payment_method"])
        intent.update(payment_method=method["id"], status="requires_confirmation")
        change.save(intent)
    return intent


def update(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    intent = account.get("payment_intent", object_id, "intent")
    change_metadata(intent, params.get("metadata"))
    for name in ("description", "receipt_email"):
        intent[name] = params.get(name, intent[name])
    return change.save(intent)


def confirm(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """Charge it now. A decline is answered with 402 and kept; 3-D Secure leaves it at requires_action."""
    intent = account.get("payment_intent", object_id, "intent")
    _require_waiting(intent, "confirm")
    name = params.get("payment_method") or intent["payment_method"]
    if name is None:
        raise ApiError(
            400,
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    method = method_named(account, change, name)
    if method["customer"] not in (None, intent["customer"]):
        raise ApiError(400, "The PaymentMethod belongs to another Customer.", param="payment_method")
    if method["type"] not in intent["payment_method_types"]:
        raise ApiError(400, f"This PaymentIntent does not take {method['type']}.", param="payment_method")
    off_session = params.get("off_session", False)
    if ways.asks(method) and not off_session:
        url = f"{account.public_url}/3d_secure/{object_id}"
        intents.ask(change, intent, method, url, params.get("return_url", url))
        return intent
    intents.confirm(account, change, intent, method, off_session=off_session)
    error = intent["last_payment_error"]
    if error:
        about = {name: error[name] for name in ("charge", "decline_code", "payment_method")}
        raise Declined(error["message"], code=error["code"], about=about | {"payment_intent": intent})
    if intent["status"] == "succeeded":
        settle(account, change, account.get("charge", intent["latest_charge"]))
    return intent


def cancel(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    intent = account.get("payment_intent", object_id, "intent")
    _require_waiting(intent, "cancel")
    intents.cancel(account, change, intent, params.get("cancellation_reason"))
    return intent


def settle(account: Account, change: Change, charge: Stored) -> None:
    """The fee, and what the test card of this charge stands for."""
    charges.expect_fee(account, change, charge)
    card = charge["payment_method_details"].get("card", {}).get("last4")
    if card in DISPUTED:
        disputes.open_dispute(account, change, charge["id"], status=DISPUTED[card])
    if card == AVAILABLE_AT_ONCE and charge["balance_transaction"]:
        movement = account.get("balance_transaction", charge["balance_transaction"])
        change.save(movement | {"available_on": account.now(), "status": "available"})


def _require_waiting(intent: Stored, verb: str) -> None:
    if intent["status"] not in WAITING:
        raise ApiError(
            400,
            f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
