"""Payouts: from the balance to the bank, each exactly a set of balance transactions."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.simulator.account import DAY, Account, Change, new_id
from demo.simulator.balance import record_movement
from demo.simulator.errors import ApiError
from demo.simulator.store import Stored

SCHEDULES = ("manual", "daily", "weekly", "monthly")
CURRENCIES = ("eur", "usd")
DAYS_UNTIL_ARRIVAL = 2
LEAVES, ARRIVES = "payout leaves", "payout arrives"
BANK = "ba_1CarnetSimulatorBankAccnt"


def follow(account: Account) -> None:
    account.on_due |= {LEAVES: pay_out_on_schedule, ARRIVES: arrive}


def schedule_of(account: Account) -> str:
    """`manual` pays out only when told; the others at the beginning of every day, Monday, or month (UTC)."""
    schedule: str = account.store.setting("payout schedule", "manual")
    return schedule


def set_schedule(account: Account, schedule: str) -> None:
    if schedule not in SCHEDULES:
        raise ApiError(400, f"Invalid schedule: must be one of {', '.join(SCHEDULES)}", param="schedule")
    account.store.set_setting("payout schedule", schedule)
    _order_next(account, schedule)


def pay_out_on_schedule(account: Account, change: Change, ordered: str) -> None:
    """What an earlier schedule had ordered is passed over."""
    if ordered == account.store.setting("next payout", None):
        for currency in CURRENCIES:
            pay_out(account, change, currency)
        _order_next(account, schedule_of(account))


def _order_next(account: Account, schedule: str) -> None:
    day = datetime.fromtimestamp(account.now(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = (day + timedelta(days=n) for n in range(1, 32))
    found = next((day for day in days if _is_payday(schedule, day)), None)
    account.store.set_setting("next payout", found and found.isoformat())
    if found:
        account.at(int(found.timestamp()), LEAVES, found.isoformat())


def _is_payday(schedule: str, day: datetime) -> bool:
    return (
        schedule == "daily" or (schedule == "weekly" and day.weekday() == 0) or (schedule == "monthly" and day.day == 1)
    )


def pay_out(account: Account, change: Change, currency: str = "eur") -> Stored | None:
    """Everything available that was not paid out before; a negative sum is taken from the bank.

    None when nothing is available, or it sums to nothing.
    """
    movements = available(account, currency)
    amount = sum(movement["net"] for movement in movements)
    if amount == 0:
        return None
    payout = new_payout(account, amount, currency)
    own = record_movement(account, change, payout, -amount, kind="payout", description=payout["description"])
    payout["balance_transaction"] = own["id"]
    change.save(payout)
    with account.store.transaction() as db:
        db.executemany(
            "INSERT INTO paid_out (movement, payout) VALUES (?, ?)",
            [(movement["id"], payout["id"]) for movement in [*movements, own]],
        )
    change.emit("payout.created", payout)
    payout["reconciliation_status"] = "completed"
    change.save(payout)
    change.emit("payout.reconciliation_completed", payout, {"reconciliation_status": "in_progress"})
    account.at(payout["arrival_date"], ARRIVES, payout["id"])
    return payout


def available(account: Account, currency: str = "eur") -> list[Stored]:
    """The balance transactions the next payout is made of, oldest first."""
    rows = account.store.rows(
        "SELECT body FROM object LEFT JOIN paid_out ON movement = object.id WHERE kind = 'balance_transaction'"
        " AND payout IS NULL AND json_extract(body, '$.available_on') <= ?"
        " AND json_extract(body, '$.currency') = ? ORDER BY seq",
        account.now(),
        currency,
    )
    return [json.loads(row["body"]) for row in rows]


def movements_of(account: Account, payout_id: str) -> set[str]:
    """Ids of the balance transactions of a payout, its own among them, as Stripe lists them."""
    account.get("payout", payout_id, "payout", status=400)
    rows = account.store.rows("SELECT movement FROM paid_out WHERE payout = ?", payout_id)
    return {row["movement"] for row in rows}


def arrive(account: Account, change: Change, payout_id: str) -> Stored:
    """The bank has booked it. One that is answered already stays as it is."""
    payout = account.get("payout", payout_id)
    if payout["status"] == "in_transit":
        payout["status"] = "paid"
        change.save(payout)
        change.emit("payout.paid", payout)
    return payout


def fail(account: Account, change: Change, payout_id: str) -> Stored:
    """The bank has refused it, also after it was paid; the money is on the balance again. Fails only once."""
    payout = account.get("payout", payout_id)
    if payout["status"] != "failed":
        back = record_movement(account, change, payout, payout["amount"], kind="payout_failure")
        payout.update(
            status="failed",
            failure_balance_transaction=back["id"],
            failure_code="account_closed",
            failure_message="The bank account has been closed.",
        )
        change.save(payout)
        change.emit("payout.failed", payout)
    return payout


def new_payout(account: Account, amount: int, currency: str) -> dict[str, Any]:
    return {
        "id": new_id("po_1"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": (account.now() // DAY + DAYS_UNTIL_ARRIVAL) * DAY,
        "automatic": True,
        "balance_transaction": None,
        "created": account.now(),
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": BANK,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
