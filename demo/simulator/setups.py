"""SetupIntents: saving a payment method to charge it later without its owner, and the SEPA mandate for it."""

from typing import Any

from demo.simulator import methods, ways
from demo.simulator.account import Account, Change, new_id
from demo.simulator.bank_accounts import mandate_id
from demo.simulator.errors import ApiError
from demo.simulator.store import Stored


def create_setup(account: Account, change: Change, data: dict[str, Any]) -> Stored:
    """`data` may name `customer`, `payment_method`, `description`, `metadata` and `usage`."""
    setup_id = new_id("seti_1")
    setup = change.save(
        {
            "id": setup_id,
            "object": "setup_intent",
            "application": None,
            "automatic_payment_methods": None,
            "cancellation_reason": None,
            "client_secret": f"{setup_id}_secret_{new_id('', 25)}",
            "created": account.now(),
            "customer": data.get("customer"),
            "customer_account": None,
            "description": data.get("description"),
            "excluded_payment_method_types": None,
            "flow_directions": None,
            "last_setup_error": None,
            "latest_attempt": None,
            "livemode": False,
            "mandate": None,
            "metadata": data.get("metadata", {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": data.get("payment_method"),
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
            },
            "payment_method_types": data.get("payment_method_types") or ways.offered(account),
            "single_use_mandate": None,
            "status": "requires_confirmation" if "payment_method" in data else "requires_payment_method",
            "usage": data.get("usage", "off_session"),
        }
    )
    change.emit("setup_intent.created", setup)
    return setup


def succeed(account: Account, change: Change, setup: Stored, method: Stored) -> Stored:
    """The method is kept with the customer, when there is one, and may be charged from now on."""
    if setup["customer"]:
        methods.attach(account, change, {"customer": setup["customer"]}, method["id"])
    if method["type"] == "sepa_debit":
        setup["mandate"] = mandate_id(method)
    setup.update(status="succeeded", payment_method=method["id"], last_setup_error=None, next_action=None)
    change.save(setup)
    change.emit("setup_intent.succeeded", setup)
    return setup


def ask(change: Change, setup: Stored, method: Stored, url: str, return_url: str) -> Stored:
    """The bank wants 3-D Secure: the payer is sent to `url`."""
    setup.update(
        status="requires_action",
        payment_method=method["id"],
        next_action={"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"},
    )
    change.save(setup)
    change.emit("setup_intent.requires_action", setup)
    return setup


def fail(change: Change, setup: Stored, method: Stored, message: str) -> Stored:
    """The bank refuses to have the card saved; another may be tried."""
    setup.update(
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_setup_error={
            "code": "card_declined",
            "decline_code": "generic_decline",
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
            "message": message,
            "payment_method": method,
            "type": "card_error",
        },
    )
    change.save(setup)
    change.emit("setup_intent.setup_failed", setup)
    return setup


def cancel_setup(account: Account, change: Change, setup: Stored, reason: str | None) -> Stored:
    if setup["status"] in ("succeeded", "canceled"):
        raise ApiError(
            400,
            f"You cannot cancel this SetupIntent because it has a status of {setup['status']}.",
            code="setup_intent_unexpected_state",
        )
    setup.update(status="canceled", cancellation_reason=reason)
    change.save(setup)
    change.emit("setup_intent.canceled", setup)
    return setup
