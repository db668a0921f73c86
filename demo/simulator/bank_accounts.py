"""SEPA bank accounts and mandates: the test accounts, and how they are shown."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from demo.simulator.account import DAY, Account, Change
from demo.simulator.store import Stored

DAYS_UNTIL_ANSWER = 5
ARRIVES, FAILS = "debit arrives", "debit fails"


@dataclass(frozen=True)
class BankAccount:
    """An account in Spain, or one Stripe names for tests; one that `fails` does so days after the debit."""

    iban: str
    fingerprint: str
    fails: bool = False

    @property
    def last4(self) -> str:
        return self.iban[-4:]


ACCOUNTS = {
    account.last4: account
    for account in (
        BankAccount("ES0700120345030000067890", "Vk2bXs7yTm4cQp9E"),
        BankAccount("ES9121000418450200051332", "Ju6dHw1zFn8gRk3C", fails=True),
        BankAccount("AT611904300234573201", "Nq4fTe9jYb7oLi2M"),
        BankAccount("AT321904300235473204", "Gw6pZr3cSx8kVd1A"),
        BankAccount("AT861904300235473202", "Hc0mUy5vEk9aXs7P", fails=True),
        BankAccount("IT60X0542811101000000123456", "Ow1nKb4lDz6hQf3J", fails=True),
    )
}


def debit_of_method(bank_account: BankAccount) -> dict[str, Any]:
    """What a PaymentMethod shows."""
    return _known(bank_account) | {"generated_from": {"charge": None, "setup_attempt": None}}


def debit_of_charge(account: Account, method: Stored) -> dict[str, Any]:
    """What a charge shows."""
    expected = datetime.fromtimestamp(account.now() + DAYS_UNTIL_ANSWER * DAY, UTC).date()
    return _known(ACCOUNTS[method["sepa_debit"]["last4"]]) | {
        "expected_debit_date": expected.isoformat(),
        "mandate": mandate_id(method),
    }


def expect_answer(account: Account, charge: Stored, *, fails: bool) -> None:
    """The bank answers in some days, unless the control page is quicker."""
    account.at(account.now() + DAYS_UNTIL_ANSWER * DAY, FAILS if fails else ARRIVES, charge["id"])


def _known(bank_account: BankAccount) -> dict[str, Any]:
    return {
        "bank_code": bank_account.iban[4:8],
        "branch_code": bank_account.iban[8:12],
        "country": bank_account.iban[:2],
        "fingerprint": bank_account.fingerprint,
        "last4": bank_account.last4,
    }


def mandate_id(method: Stored) -> str:
    """One mandate for each bank account given to us."""
    return method["id"].replace("pm_", "mandate_", 1)


def create_mandate(account: Account, change: Change, method: Stored) -> Stored:
    reference = mandate_id(method)[-16:].upper()
    return change.save(
        {
            "id": mandate_id(method),
            "object": "mandate",
            "customer_acceptance": {
                "accepted_at": account.now(),
                "online": {"ip_address": "127.0.0.1", "user_agent": "payment simulator"},
                "type": "online",
            },
            "livemode": False,
            "multi_use": {},
            "payment_method": method["id"],
            "payment_method_details": {
                "sepa_debit": {"reference": reference, "url": f"{account.public_url}/mandates/{reference}"},
                "type": "sepa_debit",
            },
            "status": "active",
            "type": "multi_use",
        }
    )
