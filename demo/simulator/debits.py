"""SEPA direct debits: the answer of the bank, some days after the payer agreed."""

from demo.simulator import charges, intents
from demo.simulator.account import Account, Change
from demo.simulator.bank_accounts import ARRIVES, FAILS
from demo.simulator.cards import Decline
from demo.simulator.store import Stored

UNPAID = Decline(
    "insufficient_funds",
    "insufficient_funds",
    "The customer's account has insufficient funds to cover this payment.",
    "AM04",
)


def follow(account: Account) -> None:
    account.on_due |= {ARRIVES: arrive, FAILS: fail}


def arrive(account: Account, change: Change, charge_id: str) -> Stored:
    """The money is here. A debit that was answered already stays as it is."""
    charge = account.get("charge", charge_id)
    if charge["status"] != "pending":
        return charge
    charges.complete(account, change, charge)
    intents.complete(account, change, charge)
    _tell_checkout(account, change, charge, "paid", "checkout.session.async_payment_succeeded")
    charges.expect_fee(account, change, charge)
    return charge


def fail(account: Account, change: Change, charge_id: str) -> Stored:
    """The bank did not pay. A debit that was answered already stays as it is."""
    charge = account.get("charge", charge_id)
    if charge["status"] != "pending":
        return charge
    charges.refuse(change, charge, UNPAID)
    intents.refuse(account, change, charge, UNPAID)
    _tell_checkout(account, change, charge, "unpaid", "checkout.session.async_payment_failed")
    return charge


def _tell_checkout(account: Account, change: Change, charge: Stored, payment_status: str, event: str) -> None:
    rows = account.store.rows(
        "SELECT id FROM object WHERE kind = 'checkout.session' AND json_extract(body, '$.payment_intent') = ?",
        charge["payment_intent"],
    )
    for row in rows:
        session = account.get("checkout.session", row["id"])
        session["payment_status"] = payment_status
        change.save(session)
        change.emit(event, session)
