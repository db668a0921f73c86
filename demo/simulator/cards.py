"""Test cards by the last four digits Stripe gives them, what their banks say, and how a card is shown."""

from dataclasses import dataclass
from typing import Any

from demo.simulator.account import new_id
from demo.simulator.store import Stored


@dataclass(frozen=True)
class Decline:
    """A refusal: `code` and `reason` for programs, `message` for the payer, `network` is the bank's own code."""

    code: str
    reason: str
    message: str
    network: str
    advice: str = "try_again_later"


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.", "05")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.", "51")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "54", "confirm_card_data")
NEEDS_AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "65",
)


@dataclass(frozen=True)
class Card:
    """`declined` is said always, `declined_later` when the payer is not there, `asks` for 3-D Secure when they are."""

    last4: str
    fingerprint: str
    declined: Decline | None = None
    declined_later: Decline | None = None
    asks: bool = False
    brand: str = "visa"


CARDS = {
    card.last4: card
    for card in (
        Card("4242", "Xt5EWLLDS7FJjR1c"),
        Card("4444", "gZ0hFpVqKMLhP4dd", brand="mastercard"),
        Card("0002", "kc19ssNGsfqaXjAG", declined=DECLINED),
        Card("9995", "Dk8mTb2sYv0pQx7L", declined=NO_FUNDS),
        Card("0069", "Wm3rJc6eUf9nZa1H", declined=EXPIRED),
        Card("3155", "Pb4vLx8tGi2kNe5R", asks=True),
        Card("3184", "Ro7wQy1uHj5mSf3T", asks=True, declined_later=NEEDS_AUTHENTICATION),
        Card("0341", "Ah9zNd3xKl6oVg8U", declined_later=DECLINED),
        Card("3220", "Ly2sGk9bMw4rQe7Z", asks=True, declined_later=NEEDS_AUTHENTICATION),
        Card("0259", "Tz5hCv1nBj8uXp6D"),
        Card("1976", "Fe3yIo7aKd0wRm4S"),
        Card("0077", "Bx8qUl6gPc2tJh5V"),
    )
}


def card_of_method(card: Card) -> dict[str, Any]:
    """What a PaymentMethod shows."""
    return _known(card) | {
        "display_brand": card.brand,
        "generated_from": None,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def card_of_charge(method: Stored, amount: int, *, accepted: bool, authenticated: bool) -> dict[str, Any]:
    """What a charge shows."""
    card = CARDS[method["card"]["last4"]]
    return _known(card) | {
        "amount_authorized": amount if accepted else None,
        "authorization_code": new_id("", 6).upper() if accepted else None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": new_id("", 15).upper(),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": _authentication() if authenticated else None,
        "transaction_link_id": None,
        "wallet": None,
    }


def _known(card: Card) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "ES",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "last4": card.last4,
        "regulated_status": "unregulated",
    }


def _authentication() -> dict[str, Any]:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "exemption_indicator_applied": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("", 36),
        "version": "2.2.0",
    }
