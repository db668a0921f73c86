"""What Stripe's own hosted page asks for: a tool that plays the payer pays a Checkout session by it."""

from typing import Any

from demo.simulator import paying
from demo.simulator.account import Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.params import INTEGER, STRING, Required
from demo.simulator.reading import present
from demo.simulator.store import Stored

CONFIRM = {"payment_method": Required(STRING), "expected_amount": INTEGER}


def show(account: Account, params: dict[str, Any], object_id: str) -> Stored:
    return present(account, account.get("checkout.session", object_id, "session"))


def confirm(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    session = account.get("checkout.session", object_id, "session")
    method = account.get("payment_method", params["payment_method"], "payment_method", 400)
    if session["status"] != "open":
        raise ApiError(400, f"This Checkout Session has a status of `{session['status']}`.")
    if params.get("expected_amount", session["amount_total"]) != session["amount_total"]:
        raise ApiError(400, "The amount has changed.", code="checkout_amount_mismatch", param="expected_amount")
    if method["type"] not in session["payment_method_types"]:
        raise ApiError(400, f"This Checkout Session does not take {method['type']}.", param="payment_method")
    return paying.try_method(account, change, session, method, authenticated=False)
