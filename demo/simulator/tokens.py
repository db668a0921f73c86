"""Payment methods given by name or in full through the API, as tests do: `pm_card_visa`, `tok_visa`, an IBAN."""

from typing import Any

from demo.simulator import bank_accounts, methods
from demo.simulator.account import Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.params import ADDRESS, METADATA, METADATA_CHANGE, STRING, Clearable, Required, change_metadata
from demo.simulator.store import Stored
from demo.simulator.ways import CARD, DEBIT, Way, create_payment_method

_CARDS = {
    "visa": "4242",
    "mastercard": "4444",
    "authenticationRequired": "3184",
    "authenticationRequiredOnSetup": "3155",
    "threeDSecure2Required": "3220",
    "bypassPending": "0077",
    "chargeCustomerFail": "0341",
    "chargeDeclined": "0002",
    "visa_chargeDeclined": "0002",
    "chargeDeclinedInsufficientFunds": "9995",
    "chargeDeclinedExpiredCard": "0069",
    "createDispute": "0259",
    "createDisputeInquiry": "1976",
}
_BILLING = {"address": ADDRESS, "email": STRING, "name": STRING, "phone": STRING}
CREATE = {
    "type": Required((CARD, DEBIT)),
    "card": {"token": STRING},
    "sepa_debit": {"iban": STRING},
    "billing_details": _BILLING,
    "metadata": METADATA,
}
ATTACH = methods.ATTACH
UPDATE = {"metadata": Clearable(METADATA_CHANGE)}


def method_named(account: Account, change: Change, name: str, param: str = "payment_method") -> Stored:
    """The PaymentMethod of this id, or a new one where a test card is named."""
    if name.startswith("pm_card_"):
        return _of_card(account, change, name.removeprefix("pm_card_"), param, {})
    return account.get("payment_method", name, param, 400)


def create_method(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    billing = params.get("billing_details", {})
    if params["type"] == CARD:
        token = params.get("card", {}).get("token", "")
        method = _of_card(account, change, token.removeprefix("tok_"), "card[token]", billing)
    else:
        iban = params.get("sepa_debit", {}).get("iban", "").replace(" ", "")
        if iban not in {known.iban for known in bank_accounts.ACCOUNTS.values()}:
            raise ApiError(
                400, "The IBAN you provided is invalid.", code="invalid_bank_account_iban", param="sepa_debit[iban]"
            )
        method = create_payment_method(account, change, Way(DEBIT, iban[-4:]), billing)
    address = method["billing_details"]["address"] | billing.get("address", {})
    method["billing_details"] = method["billing_details"] | billing | {"address": address}
    method["metadata"] = params.get("metadata", {})
    return change.save(method)


def update_method(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    method = account.get("payment_method", object_id, "payment_method")
    change_metadata(method, params.get("metadata"))
    change.save(method)
    change.emit("payment_method.updated", method)
    return method


def attach_named(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    return methods.attach(account, change, params, method_named(account, change, object_id)["id"])


def _of_card(account: Account, change: Change, name: str, param: str, payer: dict[str, Any]) -> Stored:
    if name not in _CARDS:
        raise ApiError(400, f"No such test card here: {name}", code="resource_missing", param=param)
    return create_payment_method(account, change, Way(CARD, _CARDS[name]), payer)
