"""PaymentIntents: the payment a Checkout session tries to make, over one or more attempts."""

from typing import Any

from demo.simulator import charges
from demo.simulator.account import Account, Change, new_id
from demo.simulator.cards import ACCEPTED, DECLINED, Payer, create_payment_method
from demo.simulator.params import METADATA, STRING
from demo.simulator.store import Stored

FROM_CHECKOUT = {
    "description": STRING,
    "metadata": METADATA,
    "receipt_email": STRING,
    "statement_descriptor": STRING,
    "statement_descriptor_suffix": STRING,
}


def create_intent(account: Account, change: Change, session: Stored, data: dict[str, Any]) -> Stored:
    """`data` is what the session was created with as `payment_intent_data`."""
    intent_id = new_id("pi_3")
    intent = change.save(
        {
            "id": intent_id,
            "object": "payment_intent",
            "amount": session["amount_total"],
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": f"{intent_id}_secret_{new_id('', 25)}",
            "confirmation_method": "automatic",
            "created": account.now(),
            "currency": session["currency"],
            "customer": session["customer"],
            "customer_account": None,
            "description": data.get("description"),
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "managed_payments": None,
            "metadata": data.get("metadata", {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {
                    "installments": None,
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": "automatic",
                }
            },
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": data.get("receipt_email"),
            "review": None,
            "setup_future_usage": None,
            "shipping": None,
            "source": None,
            "statement_descriptor": data.get("statement_descriptor"),
            "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        }
    )
    change.emit("payment_intent.created", intent)
    return intent


def succeed(account: Account, change: Change, intent: Stored, payer: Payer) -> Stored:
    """Charge the accepted card; returns the charge, whose fee is booked by the caller."""
    method = create_payment_method(account, change, ACCEPTED, payer)
    charge = charges.accept(account, change, intent, method, ACCEPTED, payer)
    intent.update(
        amount_received=intent["amount"],
        last_payment_error=None,
        latest_charge=charge["id"],
        payment_method=method["id"],
        status="succeeded",
    )
    change.save(intent)
    change.emit("payment_intent.succeeded", intent)
    return charge


def fail(account: Account, change: Change, intent: Stored, payer: Payer) -> None:
    """Try the card that the bank declines; the intent waits for another one."""
    method = create_payment_method(account, change, DECLINED, payer)
    charge = charges.decline(account, change, intent, method, DECLINED, payer)
    intent.update(
        latest_charge=charge["id"],
        last_payment_error={
            "advice_code": "try_again_later",
            "charge": charge["id"],
            "code": "card_declined",
            "decline_code": "generic_decline",
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
            "message": charges.DECLINE_MESSAGE,
            "network_decline_code": "05",
            "payment_method": method,
            "type": "card_error",
        },
    )
    change.save(intent)
    change.emit("payment_intent.payment_failed", intent)


def cancel(account: Account, change: Change, intent: Stored) -> None:
    """The session around it has expired."""
    intent.update(status="canceled", canceled_at=account.now(), cancellation_reason="expired")
    change.save(intent)
    change.emit("payment_intent.canceled", intent)
