"""Refunds: whole or part of a charge, never more than was charged."""

from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.balance import record_movement
from demo.simulator.errors import ApiError
from demo.simulator.money import money
from demo.simulator.params import INTEGER, METADATA, STRING
from demo.simulator.store import Stored

CREATE = {
    "charge": STRING,
    "payment_intent": STRING,
    "amount": INTEGER,
    "reason": ("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": METADATA,
}


def create_refund(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    charge = _charge_to_refund(account, params)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise ApiError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise ApiError(
            400,
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        currency = charge["currency"]
        raise ApiError(
            400,
            f"Refund amount ({money(amount, currency)}) is greater than unrefunded amount on charge"
            f" ({money(left, currency)})",
            param="amount",
        )
    refund = _new_refund(account, charge, amount, params)
    refund["balance_transaction"] = record_movement(account, change, refund, fee=0)["id"]
    change.save(refund)
    before = {key: charge[key] for key in ("amount_refunded", "refunded", "receipt_url")}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    change.save(charge)
    change.emit("charge.refunded", charge, {k: v for k, v in before.items() if charge[k] != v})
    change.emit("refund.created", refund)
    _reach_the_bank(change, refund)
    return refund


def _charge_to_refund(account: Account, params: dict[str, Any]) -> Stored:
    if ("charge" in params) == ("payment_intent" in params):
        raise ApiError(
            400,
            "One of the following params should be provided for this request: payment_intent or charge."
            if "charge" not in params
            else "You may only specify one of these parameters: charge, payment_intent.",
        )
    if "charge" in params:
        charge = account.get("charge", params["charge"], "charge")
        if not charge["paid"]:
            raise ApiError(400, f"Charge {charge['id']} failed and cannot be refunded.", param="charge")
        return charge
    intent = account.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise ApiError(
            400,
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return account.get("charge", intent["latest_charge"])


def _new_refund(account: Account, charge: Stored, amount: int, params: dict[str, Any]) -> Stored:
    return {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _reach_the_bank(change: Change, refund: Stored) -> None:
    """The acquirer's reference arrives: the refund can be traced at the member's bank."""
    before = {"destination_details": {"card": {"reference_status": "pending"}}}
    card = refund["destination_details"]["card"]
    refund["destination_details"] = {
        "card": {**card, "reference": new_id("", 23).upper(), "reference_status": "available"},
        "type": "card",
    }
    change.save(refund)
    change.emit("refund.updated", refund, before)
    change.emit("charge.refund.updated", refund, before)
