"""The test cards of the hosted page: one that is accepted and one the bank declines."""

from dataclasses import dataclass
from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.store import Stored

Payer = dict[str, str | None]


@dataclass(frozen=True)
class Card:
    last4: str
    fingerprint: str
    exp_month: int = 12
    exp_year: int = 2034
    country: str = "ES"


ACCEPTED = Card(last4="4242", fingerprint="Xt5EWLLDS7FJjR1c")
DECLINED = Card(last4="0002", fingerprint="kc19ssNGsfqaXjAG")


def billing_details(payer: Payer) -> dict[str, Any]:
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "address": address | {"country": "ES"},
        "email": payer.get("email"),
        "name": payer.get("name"),
        "phone": None,
        "tax_id": None,
    }


def create_payment_method(account: Account, change: Change, card: Card, payer: Payer) -> Stored:
    return change.save(
        {
            "id": new_id("pm_1"),
            "object": "payment_method",
            "allow_redisplay": "limited",
            "billing_details": billing_details(payer),
            "card": {
                "brand": "visa",
                "checks": _checks(),
                "country": card.country,
                "display_brand": "visa",
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "fingerprint": card.fingerprint,
                "funding": "credit",
                "generated_from": None,
                "last4": card.last4,
                "networks": {"available": ["visa"], "preferred": None},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "created": account.now(),
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": {},
            "type": "card",
        }
    )


def charge_details(card: Card, amount: int, *, accepted: bool) -> dict[str, Any]:
    """`payment_method_details` of a charge."""
    return {
        "card": {
            "amount_authorized": amount if accepted else None,
            "authorization_code": new_id("", 6).upper() if accepted else None,
            "brand": "visa",
            "checks": _checks(),
            "country": card.country,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "extended_authorization": {"status": "disabled"},
            "fingerprint": card.fingerprint,
            "funding": "credit",
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": card.last4,
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": "visa",
            "network_token": {"used": False},
            "network_transaction_id": new_id("", 15).upper(),
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": None,
            "transaction_link_id": None,
            "wallet": None,
        },
        "type": "card",
    }


def _checks() -> dict[str, str | None]:
    return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
