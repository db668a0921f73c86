"""Charges: one attempt on a card, accepted or declined."""

from typing import Any

from demo.simulator.account import MERCHANT, Account, Change, new_id
from demo.simulator.balance import fee_cents, record_movement
from demo.simulator.cards import Card, Payer, billing_details, charge_details
from demo.simulator.store import Stored

DECLINE_MESSAGE = "Your card was declined."


def accept(account: Account, change: Change, intent: Stored, method: Stored, card: Card, payer: Payer) -> Stored:
    """A paid charge. As at Stripe its fee is known a moment later: see `book_fee`."""
    charge = _new_charge(account, intent, method, card, payer, accepted=True)
    change.save(charge)
    change.emit("charge.succeeded", charge)
    return charge


def book_fee(account: Account, change: Change, charge: Stored) -> None:
    """Attach the balance transaction with Stripe's fee."""
    movement = record_movement(account, change, charge, fee=fee_cents(charge["amount"]))
    charge["balance_transaction"] = movement["id"]
    change.save(charge)
    change.emit("charge.updated", charge, {"balance_transaction": None})


def book_late_fees(account: Account) -> None:
    """Book what has waited long enough; see `Faults.late_fees`."""
    waiting = account.store.rows(
        "SELECT id FROM object WHERE kind = 'charge' AND json_extract(body, '$.paid')"
        " AND json_extract(body, '$.balance_transaction') IS NULL AND created <= ? ORDER BY seq",
        account.now() - account.faults.late_fees,
    )
    for row in waiting:
        with account.change() as change:
            charge = account.get("charge", row["id"])
            if charge["balance_transaction"] is None:
                book_fee(account, change, charge)


def decline(account: Account, change: Change, intent: Stored, method: Stored, card: Card, payer: Payer) -> Stored:
    charge = _new_charge(account, intent, method, card, payer, accepted=False)
    change.save(charge)
    change.emit("charge.failed", charge)
    return charge


def _new_charge(
    account: Account, intent: Stored, method: Stored, card: Card, payer: Payer, *, accepted: bool
) -> Stored:
    charge_id = new_id("ch_3")
    amount = intent["amount"]
    return {
        "id": charge_id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if accepted else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": billing_details(payer),
        "calculated_statement_descriptor": MERCHANT.upper()[:22],
        "captured": accepted,
        "created": account.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if accepted else "card_declined",
        "failure_message": None if accepted else DECLINE_MESSAGE,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(accepted),
        "paid": accepted,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": charge_details(card, amount, accepted=accepted),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{account.public_url}/receipts/{charge_id}" if accepted else None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if accepted else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(accepted: bool) -> dict[str, Any]:
    return {
        "advice_code": None if accepted else "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None if accepted else "05",
        "network_status": "approved_by_network" if accepted else "declined_by_network",
        "reason": None if accepted else "generic_decline",
        "risk_level": "normal",
        "risk_score": 11,
        "seller_message": "Payment complete." if accepted else "The bank did not return any further details.",
        "type": "authorized" if accepted else "issuer_declined",
    }
