"""Payment methods kept for later: with the customer who saved them."""

from typing import Any

from demo.simulator.account import Account, Change
from demo.simulator.errors import ApiError, no_such
from demo.simulator.params import STRING, Required
from demo.simulator.store import Stored

ATTACH = {"customer": Required(STRING)}


def attach(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """Keep it with the customer. Attaching again changes nothing; another customer's is refused."""
    method = account.get("payment_method", object_id, "payment_method")
    customer = account.get("customer", params["customer"], "customer", status=400)
    if method["customer"] == customer["id"]:
        return method
    if method["customer"]:
        raise ApiError(
            400,
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    method.update(customer=customer["id"])
    change.save(method)
    change.emit("payment_method.attached", method)
    return method


def detach(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    """Take it from its customer for good: nothing can be charged to it any more."""
    method = account.get("payment_method", object_id, "payment_method")
    customer_id = method["customer"]
    if not customer_id:
        raise ApiError(
            400,
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            code="payment_method_unexpected_state",
        )
    method["customer"] = None
    change.save(method)
    change.emit("payment_method.detached", method, {"customer": customer_id})
    customer = account.get("customer", customer_id)
    settings = customer["invoice_settings"]
    if settings["default_payment_method"] == object_id:
        customer["invoice_settings"] = settings | {"default_payment_method": None}
        change.save(customer)
        change.emit("customer.updated", customer, {"invoice_settings": settings})
    return method


def method_of(account: Account, method_id: str, customer_id: str, param: str) -> str:
    """The id of a method that this customer has; raises ApiError as Stripe words it."""
    method = account.store.find("payment_method", method_id)
    if method is None:
        raise no_such("PaymentMethod", method_id, param, status=400)
    if method["customer"] != customer_id:
        raise ApiError(
            400,
            f"The customer does not have a payment method with the ID {method_id}. The payment method must be"
            " attached to the customer.",
            code="resource_missing",
            param=param,
        )
    return method_id
