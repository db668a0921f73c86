"""The simulator against Stripe's own type hints; and the check itself, which must be able to fail."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from demo.simulator.account import API_VERSION
from demo.simulator.server import Simulator
from tests.demo.checking import Checker, declared, names_of
from tests.demo.stripe_schema import Schema


def test_the_simulator_speaks_the_pinned_version() -> None:
    assert stripe.api_version == API_VERSION


@pytest.mark.parametrize(("method", "path", "shape"), declared(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_route_and_parameter_exists_at_stripe(checker: Checker, method: str, path: str, shape: Any) -> None:
    operation = checker.operations[method, path]
    known = set()
    if operation.params is not None:
        known = known_parameters(checker.schemas.defs, operation.params)
    assert [name for name in names_of(shape) if name not in known] == []


def known_parameters(defs: dict[str, Schema], schema: Schema, at: str = "", depth: int = 6) -> set[str]:
    """Dotted paths of everything `schema` accepts; metadata counts as one parameter."""
    if depth == 0:
        return set()
    found = {at}
    for choice in schema.get("anyOf", [schema]):
        if "$ref" in choice:
            choice = defs[choice["$ref"].removeprefix("#/$defs/")]
        if choice.get("type") == "array":
            items = known_parameters(defs, choice["items"], f"{at}[]", depth - 1)
            found |= items
        for name, inner in choice.get("properties", {}).items():
            found |= known_parameters(defs, inner, f"{at}.{name}" if at else name, depth - 1)
    return found


def test_a_whole_journey_says_only_what_stripe_says(
    simulator: Simulator,
    client: stripe.StripeClient,
    checker: Checker,
    paid: Any,
    receiver: Any,
    control: Any,
) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid.payment_intent.id, "amount": 1000})
    client.v1.refunds.retrieve(refund.id, {"expand": ["charge.balance_transaction", "balance_transaction"]})
    client.v1.charges.retrieve(paid.payment_intent.latest_charge.id, {"expand": ["refunds", "customer"]})
    client.v1.payment_intents.retrieve(paid.payment_intent.id, {"expand": ["payment_method", "latest_charge"]})
    client.v1.events.list({"limit": 100})
    control("idle")
    assert checker.check(simulator) == []
    kinds = {row["kind"] for row in simulator.account.store.rows("SELECT DISTINCT kind FROM object")}
    assert {"checkout.session", "payment_intent", "charge", "refund", "balance_transaction", "event"} <= kinds
    assert [problem for event in receiver.events for problem in checker.check_object(event)] == []
    assert len(receiver.events) == 9


SPOIL: list[Callable[[Any], Any]] = [
    lambda thing: thing.pop("amount"),
    lambda thing: thing.update(amount="3000"),
    lambda thing: thing.update(status="done"),
    lambda thing: thing.update(colour="red"),
    lambda thing: thing["outcome"].update(mood="good"),
    lambda thing: thing["payment_method_details"]["card"].pop("exp_year"),
    lambda thing: thing.update(customer={"object": "card"}),
]


def test_the_check_finds_a_spoiled_charge(simulator: Simulator, checker: Checker, paid: Any) -> None:
    charge = simulator.account.get("charge", paid.payment_intent.latest_charge.id)
    assert checker.check_object(charge) == []
    for spoil in SPOIL:
        spoiled = copy.deepcopy(charge)
        spoil(spoiled)
        assert checker.check_object(spoiled) != []


def test_the_check_finds_a_request_that_stripe_would_not_take(checker: Checker, fee: dict[str, Any]) -> None:
    operation = checker.operations["POST", "/v1/checkout/sessions"]
    assert operation.params is not None
    assert checker.problems(operation.params, fee) == []
    assert checker.problems(operation.params, fee | {"payment_method_types": ["card"]}) != []
    assert checker.problems(operation.params, fee | {"mode": "gift"}) != []


def test_an_object_has_every_property_stripe_always_sends(
    simulator: Simulator, checker: Checker, paid: Any, client: stripe.StripeClient
) -> None:
    """Reading what an application reads never raises: the library has no `.get()`."""
    session = client.v1.checkout.sessions.retrieve(paid.id)
    assert (session.customer, session.invoice, session.after_expiration, session.currency_conversion) == (None,) * 4
    charge = paid.payment_intent.latest_charge
    assert (charge.failure_code, charge.review, charge.customer, charge.receipt_number) == (None,) * 4
    assert (paid.payment_intent.canceled_at, paid.payment_intent.next_action) == (None, None)
