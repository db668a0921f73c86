"""Balance transactions: what a charge or refund moves on the account's balance, and the fee."""

from demo.simulator.account import Account, Change, new_id
from demo.simulator.store import Stored

FEE_PER_MILLE = 15
FEE_FIXED_CENTS = 25
DAYS_UNTIL_AVAILABLE = 3
_DAY = 86_400


def fee_cents(amount: int) -> int:
    """1.5 % rounded half up, plus 25 cents: Stripe's price for a standard European card."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED_CENTS


def record_movement(account: Account, change: Change, source: Stored, *, fee: int) -> Stored:
    """The movement of a charge (in) or refund (out, and the fee is not given back)."""
    now = account.now()
    amount = source["amount"] if source["object"] == "charge" else -source["amount"]
    fee_details = []
    if fee:
        fee_details.append(
            {
                "amount": fee,
                "application": None,
                "currency": source["currency"],
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        )
    return change.save(
        {
            "id": new_id("txn_3"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": (now // _DAY + DAYS_UNTIL_AVAILABLE) * _DAY,
            "balance_type": "payments",
            "created": now,
            "currency": source["currency"],
            "description": source["description"] if source["object"] == "charge" else None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": fee_details,
            "net": amount - fee,
            "reporting_category": source["object"],
            "source": source["id"],
            "status": "pending",
            "type": source["object"],
        }
    )
