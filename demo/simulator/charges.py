"""Charges: one attempt on a payment method, accepted, declined, or waiting for a bank."""

from typing import Any

from demo.simulator.account import MERCHANT, Account, Change, new_id
from demo.simulator.balance import fee_cents, record_movement
from demo.simulator.cards import Decline
from demo.simulator.store import Stored
from demo.simulator.ways import DEBIT, details_of_charge

FEE_KNOWN = "fee known"


def follow(account: Account) -> None:
    account.on_due[FEE_KNOWN] = book_late_fee


def create_charge(
    account: Account,
    change: Change,
    intent: Stored,
    method: Stored,
    *,
    decline: Decline | None = None,
    authenticated: bool = False,
) -> Stored:
    """Declined, or succeeded, or pending when it is a debit. Fees are known a moment later: see `book_fee`."""
    charge = _new_charge(account, intent, method, accepted=decline is None, authenticated=authenticated)
    if decline:
        refuse(change, charge, decline)
    elif method["type"] == DEBIT:
        change.save(charge)
        change.emit("charge.pending", charge)
    else:
        complete(account, change, charge)
    return charge


def complete(account: Account, change: Change, charge: Stored) -> None:
    charge.update(
        paid=True,
        receipt_url=f"{account.public_url}/receipts/{charge['id']}",
        status="succeeded",
    )
    change.save(charge)
    change.emit("charge.succeeded", charge)


def refuse(change: Change, charge: Stored, decline: Decline) -> None:
    charge.update(
        amount_captured=0,
        captured=False,
        failure_code=decline.code,
        failure_message=decline.message,
        outcome=_outcome(decline),
        status="failed",
    )
    change.save(charge)
    change.emit("charge.failed", charge)


def expect_fee(account: Account, change: Change, charge: Stored) -> None:
    """Book the fee of a paid charge at once, or when the switch `late_fees` says."""
    if not account.faults.late_fees:
        book_fee(account, change, charge)
    else:
        account.at(account.now() + int(account.faults.late_fees), FEE_KNOWN, charge["id"])


def book_late_fee(account: Account, change: Change, charge_id: str) -> None:
    book_fee(account, change, account.get("charge", charge_id))


def book_fee(account: Account, change: Change, charge: Stored) -> None:
    """Attach the balance transaction with Stripe's fee."""
    is_debit = charge["payment_method_details"]["type"] == DEBIT
    movement = record_movement(
        account,
        change,
        charge,
        charge["amount"],
        kind="payment" if is_debit else "charge",
        category="charge",
        fee=fee_cents(charge["amount"], is_debit=is_debit),
        description=charge["description"],
    )
    charge["balance_transaction"] = movement["id"]
    change.save(charge)
    change.emit("charge.updated", charge, {"balance_transaction": None})


def _new_charge(account: Account, intent: Stored, method: Stored, *, accepted: bool, authenticated: bool) -> Stored:
    amount = intent["amount"]
    return {
        "id": new_id("py_3" if method["type"] == DEBIT else "ch_3"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": MERCHANT.upper()[:22],
        "captured": True,
        "created": account.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(None),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": details_of_charge(
            account, method, amount, accepted=accepted, authenticated=authenticated
        ),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(decline: Decline | None) -> dict[str, Any]:
    return {
        "advice_code": decline and decline.advice,
        "network_advice_code": None,
        "network_decline_code": decline and decline.network,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline and decline.reason,
        "risk_level": "normal",
        "risk_score": 11,
        "seller_message": "The bank did not return any further details." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }
