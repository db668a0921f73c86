"""The ways to pay: what the hosted page offers, the PaymentMethod it makes, and whether that will be taken."""

from dataclasses import dataclass
from typing import Any

from demo.simulator import bank_accounts, cards
from demo.simulator.account import Account, Change, new_id
from demo.simulator.cards import Decline
from demo.simulator.errors import ApiError
from demo.simulator.store import Stored

Payer = dict[str, str | None]
CARD, DEBIT = "card", "sepa_debit"
AS_SAVED, SUCCEED = "as_saved", "succeed"
NEXT_CHARGES: dict[str, Decline | None] = {
    AS_SAVED: None,
    SUCCEED: None,
    "decline": cards.DECLINED,
    "insufficient_funds": cards.NO_FUNDS,
    "authentication_required": cards.NEEDS_AUTHENTICATION,
}


@dataclass(frozen=True)
class Way:
    """A kind of payment method and the test card or account that is used, by its last four digits."""

    kind: str
    last4: str


WAYS = {
    "accepted": Way(CARD, "4242"),
    "three_d_secure": Way(CARD, "3155"),
    "declined_later": Way(CARD, "0341"),
    "authentication_later": Way(CARD, "3184"),
    "declined": Way(CARD, "0002"),
    "insufficient_funds": Way(CARD, "9995"),
    "expired_card": Way(CARD, "0069"),
    "debit": Way(DEBIT, "7890"),
    "debit_fails": Way(DEBIT, "1332"),
}


def offered(account: Account) -> list[str]:
    """The kinds of payment method this account takes: dynamic ones, as in Stripe's dashboard."""
    kinds: list[str] = account.store.setting("payment methods", [CARD, DEBIT])
    return kinds


def offer(account: Account, kinds: list[str]) -> None:
    """Take these from the next Checkout session on."""
    if not kinds or not set(kinds) <= {CARD, DEBIT}:
        raise ApiError(400, f"Choose among {CARD} and {DEBIT}.", param="payment_methods")
    account.store.set_setting("payment methods", kinds)


def way_of(name: str) -> Way:
    if name not in WAYS:
        raise ApiError(404, f"Unknown way to pay: {name}")
    return WAYS[name]


def create_payment_method(account: Account, change: Change, way: Way, payer: Payer) -> Stored:
    """A PaymentMethod that belongs to nobody yet; a debit comes with its mandate."""
    if way.kind == CARD:
        shown = cards.card_of_method(cards.CARDS[way.last4])
    else:
        shown = bank_accounts.debit_of_method(bank_accounts.ACCOUNTS[way.last4])
    method = change.save(
        {
            "id": new_id("pm_1"),
            "object": "payment_method",
            "allow_redisplay": "limited",
            "billing_details": billing_details(payer),
            way.kind: shown,
            "created": account.now(),
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": {},
            "type": way.kind,
        }
    )
    if way.kind == DEBIT:
        bank_accounts.create_mandate(account, change, method)
    return method


def billing_details(payer: Payer) -> dict[str, Any]:
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "address": address | {"country": "ES"},
        "email": payer.get("email"),
        "name": payer.get("name"),
        "phone": None,
        "tax_id": None,
    }


def details_of_charge(
    account: Account, method: Stored, amount: int, *, accepted: bool, authenticated: bool
) -> dict[str, Any]:
    """`payment_method_details` of a charge."""
    if method["type"] == DEBIT:
        shown = bank_accounts.debit_of_charge(account, method)
    else:
        shown = cards.card_of_charge(method, amount, accepted=accepted, authenticated=authenticated)
    return {method["type"]: shown, "type": method["type"]}


def asks(method: Stored) -> bool:
    """The bank wants 3-D Secure of a payer who is there."""
    return method["type"] == CARD and cards.CARDS[method["card"]["last4"]].asks


def decline_of(account: Account, method: Stored, *, off_session: bool) -> Decline | None:
    """Why a card is refused at once; a debit never is."""
    if method["type"] == DEBIT:
        return None
    card, order = cards.CARDS[method["card"]["last4"]], next_charges(account, method["customer"])
    if not off_session or order == AS_SAVED:
        return card.declined or (card.declined_later if off_session else None)
    return NEXT_CHARGES[order]


def debit_fails(account: Account, method: Stored, *, off_session: bool) -> bool:
    """Whether the bank will refuse a debit days later."""
    order = next_charges(account, method["customer"])
    if not off_session or order == AS_SAVED:
        return bank_accounts.ACCOUNTS[method["sepa_debit"]["last4"]].fails
    return order != SUCCEED


def next_charges(account: Account, customer: str | None) -> str:
    """What the control page has ordered for charges of a customer who is not there."""
    order: str = account.store.setting(f"next charges of {customer}", AS_SAVED) if customer else AS_SAVED
    return order


def order_next_charges(account: Account, customer: str, order: str) -> None:
    if order not in NEXT_CHARGES:
        raise ApiError(400, f"Unknown order: {order}", param="next")
    account.get("customer", customer)
    account.store.set_setting(f"next charges of {customer}", order)
