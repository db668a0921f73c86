"""What the control page shows: the newest things, and the buttons that each thing can take now."""

from typing import Any
from urllib.parse import urljoin

from demo.simulator import cycles, disputes, payouts, ways
from demo.simulator.account import DAY, Account
from demo.simulator.faults import call_faults
from demo.simulator.hosted import day_and_time, offers_of, short_time
from demo.simulator.money import money
from demo.simulator.paying import is_asked
from demo.simulator.reading import page
from demo.simulator.store import Stored
from demo.simulator.webhooks import Webhooks

SHOWN, EVENTS_SHOWN = 12, 25
STEPS = (("1 hour", 3600), ("1 day", DAY), ("1 week", 7 * DAY), ("1 month", 30 * DAY), ("1 year", 365 * DAY))
NEXT_CHARGES = {
    "as_saved": "as the saved card or account does",
    "succeed": "succeed",
    "decline": "are declined",
    "insufficient_funds": "find no money",
    "authentication_required": "ask for 3-D Secure",
}
CALL_FAULT_WORDS = {
    "cut_after": "is done, but its answer is lost",
    "cut_before": "is lost on the way",
    "error": "is answered 500",
    "too_many": "is answered 429",
}
REFUND_WORDS = {
    "succeed": "succeed at once",
    "pending": "wait some days, then succeed",
    "fail": "succeed, and fail days later",
    "requires_action": "wait for the payer",
}
AFTER_RETRIES_WORDS = {"cancel": "is cancelled", "unpaid": "stays, unpaid", "past_due": "stays, past due"}
_REVIEW, _WON, _LOST = ("review", "Under review"), ("won", "Won"), ("lost", "Lost")
_DISPUTE = {
    "needs_response": [_REVIEW, _WON, _LOST],
    "under_review": [_WON, _LOST],
    "appeal_under_review": [_WON, _LOST],
    "lost": [("appeal", "Appeal")],
    "warning_needs_response": [_REVIEW, ("close", "Close"), ("escalate", "Becomes a dispute")],
    "warning_under_review": [("close", "Close"), ("escalate", "Becomes a dispute")],
}
_REFUND = {
    "pending": [("arrive", "Arrives"), ("fail", "Fails")],
    "requires_action": [("arrive", "Arrives"), ("fail", "Fails"), ("cancel", "Cancel")],
    "succeeded": [("fail", "Fails")],
}
_PAYOUT = {"in_transit": [("arrive", "Arrives"), ("fail", "Fails")], "paid": [("fail", "Fails")]}
Buttons = list[tuple[str, str]]


def contents(account: Account, webhooks: Webhooks) -> dict[str, Any]:
    def newest(kind: str, shown: int = SHOWN) -> list[Stored]:
        things: list[Stored] = page(account, kind, "", {"limit": shown})["data"]
        return things

    events = newest("event", EVENTS_SHOWN)
    available = payouts.available(account)
    return {
        "checkouts": [(session, buttons_of_checkout(account, session)) for session in newest("checkout.session")],
        "charges": [
            (charge, buttons_of_charge(account, charge), is_refundable(account, charge)) for charge in newest("charge")
        ],
        "refunds": [(refund, _REFUND.get(refund["status"], [])) for refund in newest("refund")],
        "disputes": [(dispute, _DISPUTE.get(dispute["status"], [])) for dispute in newest("dispute")],
        "payouts": [(payout, _PAYOUT.get(payout["status"], [])) for payout in newest("payout")],
        "movements_of": lambda payout_id: len(payouts.movements_of(account, payout_id)) - 1,
        "available": sum(movement["net"] for movement in available),
        "available_count": len(available),
        "schedule": payouts.schedule_of(account),
        "schedules": payouts.SCHEDULES,
        "customers": customers_with_methods(account),
        "next_charges": NEXT_CHARGES,
        "after_retries": cycles.after_retries(account),
        "after_retries_words": AFTER_RETRIES_WORDS,
        "events": events,
        "deliveries": _latest_deliveries(account, events),
        "faults": account.faults,
        "call_faults": call_faults(account.store),
        "call_fault_words": CALL_FAULT_WORDS,
        "refund_words": REFUND_WORDS,
        "offered": ways.offered(account),
        "now": day_and_time(account.now()),
        "offset": account.clock_offset,
        "ahead": how_far(account.clock_offset),
        "steps": STEPS,
        "pending": webhooks.pending(),
        "webhook_url": webhooks.url,
        "site": urljoin(webhooks.url, "/").rstrip("/") if webhooks.url else None,
        "money": money,
        "short_time": short_time,
        "shown": (SHOWN, EVENTS_SHOWN),
    }


def how_far(seconds: int) -> str:
    """`3 days and 2 hours ahead of real time`; behind when negative."""
    days, hours = divmod(abs(seconds) // 3600, 24)
    parts = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in ((days, "day"), (hours, "hour")) if count]
    side = "ahead of" if seconds > 0 else "behind"
    return f"{' and '.join(parts) or 'less than an hour'} {side} real time"


def buttons_of_checkout(account: Account, session: Stored) -> Buttons:
    if session["status"] != "open":
        return []
    asked = [("authenticate", "3-D Secure: confirm"), ("fail_authentication", "3-D Secure: fail")]
    offered = [button for _, buttons in offers_of(account, session) for button in buttons]
    return [*(asked if is_asked(account, session) else []), *offered, ("expire", "Let it expire")]


def buttons_of_charge(account: Account, charge: Stored) -> Buttons:
    if charge["status"] == "pending":
        return [("arrive", "Debit arrives"), ("fail", "Debit fails")]
    if not charge["paid"] or charge["disputed"]:
        return []
    if charge["payment_method_details"]["type"] == ways.DEBIT:
        return [("return", "Payer has it returned")]
    return [("dispute", "Payer disputes it"), ("inquire", "Bank inquires")]


def is_refundable(account: Account, charge: Stored) -> bool:
    return charge["paid"] and not charge["refunded"] and disputes.is_refundable(account, charge)


def customers_with_methods(account: Account) -> list[tuple[Stored, list[str], str]]:
    """Customers who can be charged when they are not there: their methods, and what is ordered for them."""
    saved: dict[str, list[str]] = {}
    for method in page(account, "payment_method", "", {"limit": 100}, lambda method: method["customer"])["data"]:
        word = "bank account" if method["type"] == ways.DEBIT else "card"
        saved.setdefault(method["customer"], []).append(f"{word} {method[method['type']]['last4']}")
    return [
        (account.get("customer", customer), methods, ways.next_charges(account, customer))
        for customer, methods in saved.items()
    ]


def _latest_deliveries(account: Account, events: list[Stored]) -> dict[str, list[dict[str, Any]]]:
    """Deliveries of the events shown, by event id."""
    found: dict[str, list[dict[str, Any]]] = {event["id"]: [] for event in events}
    for event_id, rows in found.items():
        rows.extend(map(dict, account.store.rows("SELECT * FROM delivery WHERE event = ? ORDER BY id", event_id)))
    return found
