"""A dispute as an object, as it is opened."""

from typing import Any

from demo.simulator.account import DAY, Account, new_id
from demo.simulator.store import Stored
from demo.simulator.ways import CARD

EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
FILES = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)
DAYS_TO_ANSWER = 9
NETWORK_CODES = {
    "fraudulent": "10.4",
    "product_not_received": "13.1",
    "duplicate": "12.6",
    "subscription_canceled": "13.2",
}


def new_dispute(account: Account, charge: Stored, amount: int, reason: str, status: str) -> Stored:
    details = charge["payment_method_details"]
    billing = charge["billing_details"]
    known = {"customer_email_address": billing["email"], "customer_name": billing["name"]}
    return {
        "id": new_id("du_1"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE + FILES) | {"enhanced_evidence": {}} | known,
        "evidence_details": {
            "due_by": None if status == "lost" else account.now() + DAYS_TO_ANSWER * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": True,
        "livemode": False,
        "metadata": {},
        "network_reason_code": NETWORK_CODES.get(reason),
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _card(details["card"], reason, status) if details["type"] == CARD else None,
        "reason": reason,
        "status": status,
    }


def _card(card: Stored, reason: str, status: str) -> dict[str, Any]:
    return {
        "card": {
            "brand": card["brand"],
            "case_type": "inquiry" if status.startswith("warning") else "chargeback",
            "network": card["network"],
            "network_reason_code": NETWORK_CODES.get(reason),
        },
        "type": CARD,
    }
