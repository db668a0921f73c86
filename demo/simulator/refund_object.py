"""A refund as an object, as it leaves."""

from typing import Any

from demo.simulator.account import Account, new_id
from demo.simulator.store import Stored
from demo.simulator.ways import CARD, DEBIT


def new_refund(account: Account, charge: Stored, amount: int, params: dict[str, Any]) -> Stored:
    kind = charge["payment_method_details"]["type"]
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "id": new_id("pyr_1" if kind == DEBIT else "re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": card, "type": CARD} if kind == CARD else {"type": kind},
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": None,
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
