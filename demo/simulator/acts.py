"""What the control page can make happen to one thing: its payer, its bank, or time does it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from demo.simulator import debits, disputes, paying, payouts, refunds, ways
from demo.simulator.account import Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.faults import integer
from demo.simulator.store import Stored

Given = dict[str, Any]
Act = Callable[[Account, Change, str, Given], Stored]


def act(account: Account, change: Change, things: str, object_id: str, name: str, given: Given) -> Stored:
    """`things` is the plural that stands in the address, such as charges; answers the object as it is then."""
    known = ACTS.get(things, {})
    if name not in known:
        raise ApiError(404, f"Unknown act: {name}")
    return known[name](account, change, object_id, given)


def _pay(way: str, account: Account, change: Change, session_id: str, given: Given) -> Stored:
    session = account.get("checkout.session", session_id, "session")
    payer = paying.payer_of(account, session, given.get("email"), given.get("name"))
    return paying.pay_checkout(account, change, session_id, payer, way)


def _answer_bank(authenticated: bool, account: Account, change: Change, session_id: str, given: Given) -> Stored:
    return paying.answer_bank(account, change, session_id, authenticated=authenticated)


def _refund(account: Account, change: Change, charge_id: str, given: Given) -> Stored:
    """From the provider's side, as in Stripe's dashboard: `{"amount": cents}`, all of it when absent."""
    return refunds.create_refund(account, change, {"charge": charge_id} | _amount(given))


def _fail_refund(account: Account, change: Change, refund_id: str, given: Given) -> Stored:
    return refunds.fail(account, change, refund_id, given.get("reason", refunds.FAILURES[0]))


def _dispute(status: str, account: Account, change: Change, charge_id: str, given: Given) -> Stored:
    reason = given.get("reason", disputes.REASONS[0])
    return disputes.open_dispute(account, change, charge_id, reason=reason, status=status, **_amount(given))


def _order_charges(account: Account, change: Change, customer_id: str, given: Given) -> Stored:
    """`{"next": "succeed"}`: see `ways.NEXT_CHARGES`."""
    ways.order_next_charges(account, customer_id, str(given.get("next")))
    return account.get("customer", customer_id)


def _amount(given: Given) -> dict[str, int]:
    return {"amount": integer(given, "amount", 0)} if given.get("amount") else {}


def _plain(work: Callable[[Account, Change, str], Stored]) -> Act:
    return lambda account, change, object_id, given: work(account, change, object_id)


ACTS: dict[str, dict[str, Act]] = {
    "checkouts": {way: partial(_pay, way) for way in ways.WAYS}
    | {
        "pay": partial(_pay, "accepted"),
        "decline": partial(_pay, "declined"),
        "authenticate": partial(_answer_bank, True),
        "fail_authentication": partial(_answer_bank, False),
        "expire": _plain(paying.expire_checkout),
    },
    "charges": {
        "refund": _refund,
        "arrive": _plain(debits.arrive),
        "fail": _plain(debits.fail),
        "dispute": partial(_dispute, "needs_response"),
        "inquire": partial(_dispute, "warning_needs_response"),
        "return": _plain(disputes.return_debit),
    },
    "refunds": {
        "arrive": _plain(refunds.arrive),
        "fail": _fail_refund,
        "cancel": lambda account, change, refund_id, given: refunds.cancel_refund(account, change, {}, refund_id),
    },
    "disputes": {
        "review": _plain(disputes.review),
        "won": _plain(disputes.win),
        "lost": _plain(disputes.lose),
        "appeal": _plain(disputes.appeal),
        "escalate": _plain(disputes.escalate),
        "close": _plain(disputes.close_inquiry),
    },
    "payouts": {"arrive": _plain(payouts.arrive), "fail": _plain(payouts.fail)},
    "customers": {"charges": _order_charges},
}
