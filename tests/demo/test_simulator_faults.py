"""The API when it misbehaves: refused, answered too late, or cut off before or after its work is done."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from demo.simulator.server import Simulator

Control = Callable[..., Any]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("error", stripe.APIError),
        ("too_many", stripe.RateLimitError),
        ("cut_before", stripe.APIConnectionError),
    ],
)
def test_a_call_that_fails_does_nothing_and_the_next_one_works(
    client: stripe.StripeClient, control: Control, fault: str, problem: type[Exception]
) -> None:
    control("call-faults", fault=fault)
    with pytest.raises(problem):
        client.v1.customers.create({}, {"idempotency_key": "k"})
    assert client.v1.customers.list().data == []
    made = client.v1.customers.create({}, {"idempotency_key": "k"})
    assert [customer.id for customer in client.v1.customers.list().data] == [made.id]


def test_a_refund_is_done_but_its_answer_is_lost(client: stripe.StripeClient, paid: Any, control: Control) -> None:
    control("call-faults", fault="cut_after", call="POST /v1/refunds")
    wanted: Any = {"payment_intent": paid.payment_intent.id, "amount": 1000}
    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create(wanted, {"idempotency_key": "payment-7-refund"})
    [refund] = client.v1.refunds.list().data
    assert client.v1.refunds.create(wanted, {"idempotency_key": "payment-7-refund"}).id == refund.id
    assert len(client.v1.refunds.list().data) == 1


def test_the_librarys_own_retry_heals_a_lost_answer(simulator: Simulator, control: Control) -> None:
    client = stripe.StripeClient(simulator.api_key, base_addresses={"api": simulator.url}, max_network_retries=2)
    control("call-faults", fault="cut_after")
    made = client.v1.customers.create({"email": "alice@example.org"})
    assert [customer.id for customer in client.v1.customers.list().data] == [made.id]


def test_only_the_calls_that_were_named_fail(client: stripe.StripeClient, control: Control) -> None:
    control("call-faults", fault="error", call="GET /v1/refunds", times=2)
    client.v1.customers.create()
    client.v1.charges.list()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.refunds.list()
    assert client.v1.refunds.list().data == []


def test_orders_are_used_in_turn_and_can_be_taken_back(
    client: stripe.StripeClient, simulator: Simulator, control: Control
) -> None:
    control("call-faults", fault="error")
    control("call-faults", fault="too_many", times=5)
    with pytest.raises(stripe.APIError) as first:
        client.v1.customers.list()
    assert first.value.http_status == 500
    with pytest.raises(stripe.RateLimitError):
        client.v1.customers.list()
    state = requests.get(f"{simulator.url}/_control/state", timeout=10).json()
    assert [(order["fault"], order["times"]) for order in state["call_faults"]] == [("too_many", 4)]
    assert control("call-faults") == {"call_faults": []}
    client.v1.customers.list()


@pytest.mark.parametrize("order", [{"fault": "mood"}, {"fault": "error", "times": 0}, {"call": "GET"}])
def test_a_wrong_order_is_refused(control: Control, order: dict[str, Any]) -> None:
    assert control("call-faults", **order)["http_status"] == 400


def test_a_wrong_key_uses_up_no_order(simulator: Simulator, client: stripe.StripeClient, control: Control) -> None:
    control("call-faults", fault="error")
    requests.get(f"{simulator.url}/v1/customers", timeout=10)
    with pytest.raises(stripe.APIError):
        client.v1.customers.list()
