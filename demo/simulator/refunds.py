"""Refunds: whole or part of a charge, never more than was charged; they may wait, fail later, or be canceled."""

from typing import Any

from demo.simulator import disputes
from demo.simulator.account import DAY, Account, Change, new_id
from demo.simulator.balance import record_movement
from demo.simulator.errors import ApiError
from demo.simulator.money import money
from demo.simulator.params import INTEGER, METADATA, METADATA_CHANGE, STRING, Clearable, change_metadata
from demo.simulator.refund_object import new_refund
from demo.simulator.store import Stored
from demo.simulator.ways import CARD

CREATE = {
    "charge": STRING,
    "payment_intent": STRING,
    "amount": INTEGER,
    "reason": ("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": METADATA,
}
UPDATE = {"metadata": Clearable(METADATA_CHANGE)}
DAYS_UNTIL_ANSWER = 5
FAILURES = ("expired_or_canceled_card", "lost_or_stolen_card", "declined", "insufficient_funds", "unknown")
ARRIVES, FAILS = "refund arrives", "refund fails"


def follow(account: Account) -> None:
    account.on_due |= {ARRIVES: arrive, FAILS: fail}


def create_refund(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    """The switch `refunds` says what becomes of it; by default the bank takes it at once."""
    charge = _charge_to_refund(account, params)
    amount = _amount(charge, params)
    fate = account.faults.refunds
    refund = new_refund(account, charge, amount, params)
    if fate == "pending":
        refund.update(status="pending", pending_reason="processing")
    elif fate == "requires_action":
        refund["status"] = "requires_action"
    refund["balance_transaction"] = _move(account, change, refund, -amount)
    change.save(refund)
    before = _give_back(change, charge, amount)
    change.emit("charge.refunded", charge, before)
    change.emit("refund.created", refund)
    if fate in ("pending", "fail"):
        when = account.now() + DAYS_UNTIL_ANSWER * DAY
        account.at(when, ARRIVES if fate == "pending" else FAILS, refund["id"])
    if refund["status"] == "succeeded":
        _trace(change, refund)
    return refund


def update_refund(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    refund = account.get("refund", object_id)
    before = refund["metadata"]
    change_metadata(refund, params.get("metadata"))
    if refund["metadata"] != before:
        change.save(refund)
        _tell(change, refund, {"metadata": before})
    return refund


def arrive(account: Account, change: Change, refund_id: str) -> Stored:
    """The bank has taken a refund that waited. One that is answered already stays as it is."""
    refund = account.get("refund", refund_id)
    if refund["status"] in ("pending", "requires_action"):
        before = {"status": refund["status"], "pending_reason": refund["pending_reason"]}
        refund.update(status="succeeded", pending_reason=None)
        change.save(refund)
        _tell(change, refund, before)
        _trace(change, refund)
    return refund


def fail(account: Account, change: Change, refund_id: str, reason: str = FAILURES[0]) -> Stored:
    """The bank has sent the money back, also after the refund had succeeded. One that failed stays as it is."""
    refund = account.get("refund", refund_id)
    if refund["status"] not in ("failed", "canceled"):
        if reason not in FAILURES:
            raise ApiError(400, f"Invalid reason: must be one of {', '.join(FAILURES)}", param="reason")
        _come_back(account, change, refund, "failed", reason)
        change.emit("refund.failed", refund)
    return refund


def cancel_refund(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """As at Stripe only while the payer has still to say where the money shall go."""
    refund = account.get("refund", object_id)
    if refund["status"] != "requires_action":
        raise ApiError(400, f"Refund {object_id} cannot be canceled: its status is {refund['status']}.")
    _come_back(account, change, refund, "canceled", "merchant_request")
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
    else:
        intent = account.get("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise ApiError(
                400,
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = account.get("charge", intent["latest_charge"])
    if not disputes.is_refundable(account, charge):
        raise ApiError(
            400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    return charge


def _amount(charge: Stored, params: dict[str, Any]) -> int:
    left: int = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise ApiError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount: int = params.get("amount", left)
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
    return amount


def _give_back(change: Change, charge: Stored, amount: int) -> dict[str, Any]:
    """What was refunded of the charge grows by `amount`, which is negative when it comes back."""
    before = {name: charge[name] for name in ("amount_refunded", "refunded")}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    change.save(charge)
    return {name: value for name, value in before.items() if charge[name] != value}


def _come_back(account: Account, change: Change, refund: Stored, status: str, reason: str) -> None:
    before = {name: refund.get(name) for name in ("status", "pending_reason", "failure_reason")}
    before["failure_balance_transaction"] = None
    refund.update(status=status, pending_reason=None, failure_reason=reason)
    refund["failure_balance_transaction"] = _move(account, change, refund, refund["amount"], "refund_failure")
    change.save(refund)
    _give_back(change, account.get("charge", refund["charge"]), -refund["amount"])
    _tell(change, refund, {name: value for name, value in before.items() if refund[name] != value})


def _move(account: Account, change: Change, refund: Stored, amount: int, kind: str | None = None) -> str:
    is_debit = refund["id"].startswith("pyr_")
    movement = record_movement(
        account,
        change,
        refund,
        amount,
        kind=kind or ("payment_refund" if is_debit else "refund"),
        category=kind or "refund",
    )
    movement_id: str = movement["id"]
    return movement_id


def _trace(change: Change, refund: Stored) -> None:
    """The acquirer's reference arrives: a card's refund can be traced at the payer's bank."""
    if refund["destination_details"]["type"] != CARD:
        return
    before = {"destination_details": {"card": {"reference_status": "pending"}}}
    card = refund["destination_details"]["card"]
    refund["destination_details"] = {
        "card": {**card, "reference": new_id("", 23).upper(), "reference_status": "available"},
        "type": CARD,
    }
    change.save(refund)
    _tell(change, refund, before)


def _tell(change: Change, refund: Stored, before: dict[str, Any]) -> None:
    change.emit("refund.updated", refund, before)
    change.emit("charge.refund.updated", refund, before)
