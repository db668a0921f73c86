"""SetupIntents made and confirmed through the API, without a page."""

from typing import Any

from demo.simulator import setups, ways
from demo.simulator.account import Account, Change
from demo.simulator.customers import customer_of
from demo.simulator.direct import MANDATE_DATA, WAITING
from demo.simulator.errors import ApiError, Declined
from demo.simulator.params import BOOLEAN, METADATA, STRING, Required
from demo.simulator.store import Stored
from demo.simulator.tokens import method_named

CONFIRM = {"payment_method": STRING, "return_url": STRING, "mandate_data": MANDATE_DATA}
CREATE = CONFIRM | {
    "automatic_payment_methods": {"enabled": Required(BOOLEAN), "allow_redirects": ("always", "never")},
    "confirm": BOOLEAN,
    "customer": STRING,
    "description": STRING,
    "metadata": METADATA,
    "usage": ("off_session", "on_session"),
}
CANCEL = {"cancellation_reason": ("abandoned", "duplicate", "requested_by_customer")}


def create(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    if "customer" in params:
        customer_of(account, params["customer"], "customer", 400)
    if "payment_method" in params:
        params = params | {"payment_method": method_named(account, change, params["payment_method"])["id"]}
    setup = setups.create_setup(account, change, params)
    return confirm(account, change, params, setup["id"]) if params.get("confirm") else setup


def confirm(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """Save it now. A refused card is answered with 402 and kept; 3-D Secure leaves it at requires_action."""
    setup = account.get("setup_intent", object_id, "intent")
    name = params.get("payment_method") or setup["payment_method"]
    if setup["status"] not in WAITING or name is None:
        raise ApiError(
            400,
            f"You cannot confirm this SetupIntent because it has a status of {setup['status']}.",
            code="setup_intent_unexpected_state",
        )
    method = method_named(account, change, name)
    if ways.asks(method):
        url = f"{account.public_url}/3d_secure/{object_id}"
        return setups.ask(change, setup, method, url, params.get("return_url", url))
    decline = ways.decline_of(account, method, off_session=False)
    if decline is None:
        return setups.succeed(account, change, setup, method)
    setups.fail(change, setup, method, decline.message)
    about = {"decline_code": decline.reason, "payment_method": method, "setup_intent": setup}
    raise Declined(decline.message, code=decline.code, about=about)


def cancel(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    setup = account.get("setup_intent", object_id, "intent")
    return setups.cancel_setup(account, change, setup, params.get("cancellation_reason"))
