"""Stripe's own command line drives the provider, and the application ends where the table of facts says.

The webhooks of each of its scripted sequences reach the application. What it triggers is somebody else's, as of
another shop on the same account, unless our metadata is written on its objects.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from app.memberships.rules import anniversary
from demo.simulator import bank_accounts
from tests.databases import Databases
from tests.demo.stripe_cli import alone
from tests.demo.test_simulator_cli import EVENTS
from tests.payments.test_settling import a_year

DAY = timedelta(days=1)
DEBIT = bank_accounts.DAYS_UNTIL_ANSWER * DAY
# Without ALL_STEPS=1 (make test-long), those of each kind of object that we look behind.
SOME = """
    charge.dispute.closed charge.refunded checkout.session.completed checkout.session.expired
    customer.subscription.deleted invoice.payment_failed payout.created setup_intent.succeeded
""".split()
OTHERS = list(EVENTS) if os.environ.get("ALL_STEPS") == "1" else SOME


@pytest.fixture(scope="module")
def found(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What came of all of them."""
    folder = tmp_path_factory.mktemp("triggered")
    return alone("tests.payments.triggered", databases.fresh("sqlite", "triggered"), str(folder), *OTHERS)


@pytest.mark.parametrize("event", OTHERS)
def test_what_another_shop_of_the_account_causes_is_answered_well_and_changes_nothing(found: Any, event: str) -> None:
    assert found[event] == {"changed": [], "refusals": []}


def test_a_sweep_after_all_that_finds_nothing_to_do(found: Any) -> None:
    assert found["sweep"] is True


@dataclass(frozen=True)
class End:
    """Where somebody is: `receipts` in cents, rectifying ones marked; `off` says why a wish to renew has ended."""

    terms: Callable[[date], list[str]]
    status: str
    payments: list[str]
    receipts: list[str]
    reasons: tuple[str, ...] = ()
    off: tuple[str | None, ...] = ()


def year(day: date) -> list[str]:
    return [f"basic {a_year(day)}"]


def two_years(day: date) -> list[str]:
    return [f"basic {a_year(day)}", f"basic {a_year(anniversary(day, 12))}"]


def emptied(because: str) -> Callable[[date], list[str]]:
    return lambda day: [f"basic {day} – {day - DAY} {because}"]


def none(day: date) -> list[str]:
    return []


MEMBER = End(year, "active", ["paid"], ["3000"])
RENEWED = End(two_years, "active", ["paid", "paid"], ["3000", "3000"], off=(None,))
ENDS = {
    "a paid checkout": MEMBER,
    "a part of it refunded": End(year, "active", ["paid"], ["3000", "R 1000"], ("refunded_in_part",)),
    "the rest of it refunded": End(
        emptied("refunded"), "none", ["refunded"], ["3000", "R 1000", "R 2000"], ("refunded_in_part",)
    ),
    "a dispute opened": End(year, "suspended", ["paid"], ["3000"], ("dispute_open",)),
    "a dispute that goes on": End(year, "suspended", ["paid"], ["3000"], ("dispute_open",)),
    "a dispute lost": End(emptied("dispute_lost"), "none", ["refunded"], ["3000", "R 3000"], ("dispute_open",)),
    "a bank that only asks": End(year, "active", ["paid"], ["3000"], ("inquiry",)),
    "a checkout that expired": End(none, "none", ["closed"], []),
    "another currency": End(none, "none", ["closed"], [], ("mismatch",)),
    "a second checkout of one payment": End(year, "active", ["paid"], ["3000"], ("mismatch",)),
    "a subscription on trial": End(year, "active", ["paid"], ["3000"], off=(None,)),
    "a charge of a subscription": RENEWED,
    "a charge of a subscription with a card kept before": RENEWED,
    "a charge that failed": End(year, "active", ["paid"], ["3000"], off=("unpaid",)),
    "a subscription charged and ended": End(
        two_years, "active", ["paid", "paid"], ["3000", "3000"], off=("member",)
    ),
    "money that only says it is ours": End(none, "none", ["open"], [], ("unknown_payment",)),
    "a debit that arrives, on its way": End(none, "none", ["pending"], []),
    "a debit that fails, on its way": End(none, "none", ["pending"], []),
    "a debit that arrives": End(lambda day: year(day + DEBIT), "active", ["paid"], ["3000"]),
    "a debit that fails": End(none, "none", ["closed"], []),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS, ids=lambda name: name.replace(" ", "_"))
def test_what_carries_our_metadata_ends_where_the_table_of_facts_says(found: Any, name: str) -> None:
    outcome, expected = found[name], ENDS[name]
    story = outcome["story"]
    receipts = [("R " if it.startswith("R") else "") + it.split()[1] for it in story["receipts"]]
    day = date.fromisoformat(found["today"])
    assert (story["terms"], story["status"], story["payments"], receipts, story["reasons"]) == (
        expected.terms(day), expected.status, expected.payments, expected.receipts, list(expected.reasons),
    )  # fmt: skip
    assert (outcome["refusals"], outcome["sweep"], outcome["off"]) == ([], True, list(expected.off))
