"""Stripe's own command line drives the simulator: each of its scripted sequences that concerns us."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".assets" / "node_modules" / "@stripe"

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
    """All triggers at once, in a network that has only loopback where this machine lets us make one."""
    binaries = [*PACKAGES.glob("cli-*/bin/stripe")]
    assert binaries, "Stripe's command line is not installed: make test does that, or make/assets.py --tests"
    command = [sys.executable, "-m", "tests.demo.stripe_cli", str(binaries[0]), *EVENTS]
    alone = ["unshare", "--map-root-user", "--net"]
    if can(*alone, "true"):
        command = [*alone, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def can(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.xdist_group("stripe_cli")
@pytest.mark.parametrize("name", EVENTS)
def test_stripes_own_command_line_can_trigger(name: str) -> None:
    outcome = outcomes()[name]
    assert outcome["ok"], outcome["said"]
    assert EVENTS[name] in outcome["types"]
    assert outcome["problems"] == []
