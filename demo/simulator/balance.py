"""Balance transactions: what each thing moves on the account's balance, and the fee."""

from demo.simulator.account import DAY, Account, Change, new_id
from demo.simulator.store import Stored

FEE_PER_MILLE = 15
FEE_FIXED_CENTS = 25
DEBIT_FEE_CENTS = 35
DAYS_UNTIL_AVAILABLE = 3


def fee_cents(amount: int, *, is_debit: bool = False) -> int:
    """1.5 % rounded half up, plus 25 cents: Stripe's price for a standard European card. 35 cents for a debit."""
    return DEBIT_FEE_CENTS if is_debit else (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED_CENTS


def record_movement(
    account: Account,
    change: Change,
    source: Stored,
    amount: int,
    *,
    kind: str,
    category: str | None = None,
    fee: int = 0,
    description: str | None = None,
) -> Stored:
    """`amount` comes in, or goes out when negative. What a payer paid is available days later, the rest at once."""
    now = account.now()
    is_income = kind in ("charge", "payment")
    details = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Stripe processing fees" if is_income else "Dispute fee",
        "type": "stripe_fee",
    }
    return change.save(
        {
            "id": new_id("txn_3"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": (now // DAY + DAYS_UNTIL_AVAILABLE) * DAY if is_income else now,
            "balance_type": "payments",
            "created": now,
            "currency": source["currency"],
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [details] if fee else [],
            "net": amount - fee,
            "reporting_category": category or kind,
            "source": source["id"],
            "status": "pending" if is_income else "available",
            "type": kind,
        }
    )
