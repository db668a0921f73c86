"""A payout of a chosen amount, ordered through the API; it is no set of balance transactions."""

from typing import Any

from demo.simulator import payouts
from demo.simulator.account import Account, Change
from demo.simulator.balance import record_movement
from demo.simulator.errors import ApiError
from demo.simulator.params import INTEGER, METADATA, METADATA_CHANGE, STRING, Clearable, Required, change_metadata
from demo.simulator.store import Stored

CREATE = {
    "amount": Required(INTEGER),
    "currency": Required(STRING),
    "description": STRING,
    "metadata": METADATA,
}
UPDATE = {"metadata": Clearable(METADATA_CHANGE)}


def create(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    currency, amount = params["currency"].lower(), params["amount"]
    there = sum(movement["net"] for movement in payouts.available(account, currency))
    if not 1 <= amount <= there:
        raise ApiError(
            400,
            f"You have insufficient funds in your Stripe account for this transfer: {there} available.",
            code="balance_insufficient",
        )
    payout = payouts.new_payout(account, amount, currency) | {
        "automatic": False,
        "description": params.get("description"),
        "metadata": params.get("metadata", {}),
        "reconciliation_status": "not_applicable",
    }
    own = record_movement(account, change, payout, -amount, kind="payout", description=payout["description"])
    payout["balance_transaction"] = own["id"]
    change.save(payout)
    change.emit("payout.created", payout)
    account.at(payout["arrival_date"], payouts.ARRIVES, payout["id"])
    return payout


def update(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    payout = account.get("payout", object_id, "payout")
    change_metadata(payout, params.get("metadata"))
    change.save(payout)
    change.emit("payout.updated", payout)
    return payout
