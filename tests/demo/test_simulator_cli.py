"""Stripe's own command line drives the simulator: each of its scripted sequences that concerns us."""

from functools import cache
from typing import Any

import pytest

from tests.demo.stripe_cli import alone

# What is triggered, and the event it is to cause where that has another name.
EVENTS = dict.fromkeys(
    """
    billing_portal.configuration.created billing_portal.configuration.updated billing_portal.session.created
    charge.dispute.closed charge.dispute.created charge.dispute.updated
    charge.failed charge.refund.updated charge.refunded charge.succeeded
    checkout.session.async_payment_failed checkout.session.async_payment_succeeded
    checkout.session.completed checkout.session.expired
    customer.created customer.deleted customer.updated
    customer.subscription.created customer.subscription.deleted
    customer.subscription.trial_will_end customer.subscription.updated
    invoice.created invoice.deleted invoice.finalized invoice.marked_uncollectible invoice.paid
    invoice.payment_action_required invoice.payment_failed invoice.payment_succeeded
    invoice.sent invoice.updated invoice.voided invoiceitem.created invoiceitem.deleted
    payment_intent.canceled payment_intent.created payment_intent.payment_failed
    payment_intent.processing payment_intent.requires_action payment_intent.succeeded
    payment_method.attached payment_method.detached payment_method.updated
    payout.created payout.updated price.created price.updated
    product.created product.deleted product.updated
    setup_intent.canceled setup_intent.created setup_intent.requires_action
    setup_intent.setup_failed setup_intent.succeeded
    """.split()
)
EVENTS = {name: name for name in EVENTS} | {
    "subscription.payment_failed": "invoice.payment_failed",
    "subscription.payment_succeeded": "invoice.payment_succeeded",
}


@cache
def outcomes() -> dict[str, Any]:
    """All triggers at once."""
    found: dict[str, Any] = alone("tests.demo.stripe_cli", *EVENTS)
    return found


@pytest.mark.parametrize("name", EVENTS)
def test_stripes_own_command_line_can_trigger(name: str) -> None:
    outcome = outcomes()[name]
    assert outcome["ok"], outcome["said"]
    assert EVENTS[name] in outcome["types"]
    assert outcome["problems"] == []
