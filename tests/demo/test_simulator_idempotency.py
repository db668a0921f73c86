"""Authentication, refusals and idempotency keys as stripe-python sees them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from demo.simulator.server import Simulator

Control = Callable[..., Any]
Fee = dict[str, Any]


def test_the_same_key_and_body_give_the_same_answer(
    client: stripe.StripeClient, fee: Fee, simulator: Simulator
) -> None:
    first = client.v1.checkout.sessions.create(fee, {"idempotency_key": "payment-7-attempt-1-create"})
    second = client.v1.checkout.sessions.create(fee, {"idempotency_key": "payment-7-attempt-1-create"})
    assert second.to_dict() == first.to_dict()
    assert len(client.v1.checkout.sessions.list().data) == 1
    headers = second.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.headers["Request-Id"]


def test_another_body_under_the_same_key_is_refused(client: stripe.StripeClient, fee: Fee) -> None:
    client.v1.checkout.sessions.create(fee, {"idempotency_key": "payment-7-attempt-1-create"})
    with pytest.raises(stripe.IdempotencyError) as refusal:
        client.v1.checkout.sessions.create(
            fee | {"client_reference_id": "payment-8"}, {"idempotency_key": "payment-7-attempt-1-create"}
        )
    assert refusal.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({}, {"idempotency_key": "payment-7-attempt-1-create"})
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_an_error_is_remembered_with_its_key(client: stripe.StripeClient, paid: Any) -> None:
    wanted: Any = {"charge": paid.payment_intent.latest_charge.id, "amount": 5000}
    messages = []
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.refunds.create(wanted, {"idempotency_key": "payment-7-refund"})
        messages.append((str(refusal.value.user_message), refusal.value.headers.get("Idempotent-Replayed")))
    assert [message for message, _ in messages] == [messages[0][0]] * 2
    assert [replayed for _, replayed in messages] == [None, "true"]


def test_a_request_that_was_not_understood_does_not_use_up_its_key(client: stripe.StripeClient, fee: Fee) -> None:
    wrong: Any = fee | {"payment_method_types": ["card"]}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(wrong, {"idempotency_key": "k"})
    assert client.v1.checkout.sessions.create(fee, {"idempotency_key": "k"}).status == "open"


def test_two_requests_at_once_under_one_key_conflict(client: stripe.StripeClient, fee: Fee, control: Control) -> None:
    control("faults", slow=0.5)

    def create(_: int) -> str:
        try:
            return client.v1.checkout.sessions.create(fee, {"idempotency_key": "twice"}).id
        except stripe.StripeError as problem:
            return f"{problem.http_status} {problem.error.code if problem.error else None}"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(create, range(2)))
    assert answers[0] == "409 idempotency_key_in_use"
    assert answers[1].startswith("cs_test_")
    control("faults", slow=0)
    assert create(0) == answers[1]
    assert len(client.v1.checkout.sessions.list().data) == 1


@pytest.mark.parametrize(("hours", "remembered"), [(23, True), (25, False)])
def test_a_key_is_forgotten_after_a_day(
    client: stripe.StripeClient, control: Control, hours: int, remembered: bool
) -> None:
    first = client.v1.customers.create({}, {"idempotency_key": "old"})
    control("clock", offset=hours * 3600)
    again = client.v1.customers.create({}, {"idempotency_key": "old"})
    assert (again.id == first.id) is remembered


@pytest.mark.parametrize("key", ["sk_test_of_somebody_else", "sk_live_carnet_simulator", "x"])
def test_a_wrong_key_is_refused(simulator: Simulator, key: str) -> None:
    client = stripe.StripeClient(key, base_addresses={"api": simulator.url}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError) as refusal:
        client.v1.events.list()
    assert refusal.value.http_status == 401
    assert key not in str(refusal.value) or key == "x"


def test_no_key_at_all_is_refused(simulator: Simulator) -> None:
    for path in ("events", "no/such/path"):
        answer = requests.get(f"{simulator.url}/v1/{path}", timeout=10)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")


def test_another_api_version_is_refused(simulator: Simulator, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        client.v1.events.list(options={"stripe_version": "2020-08-27"})


@pytest.mark.parametrize(("method", "path"), [("GET", "no/such/path"), ("POST", "events"), ("DELETE", "charges/ch_1")])
def test_an_unknown_path_is_answered_in_stripes_shape(simulator: Simulator, method: str, path: str) -> None:
    answer = requests.request(
        method,
        f"{simulator.url}/v1/{path}",
        headers={"Authorization": f"Bearer {simulator.api_key}"},
        timeout=10,
    )
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith(f"Unrecognized request URL ({method}: /v1/{path})")


WRONG: list[tuple[dict[str, Any], str | None, str]] = [
    ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
    ({"colour": "red"}, "parameter_unknown", "colour"),
    ({"payment_intent_data": {"mood": "good"}}, "parameter_unknown", "payment_intent_data[mood]"),
    ({"mode": None}, "parameter_missing", "mode"),
    ({"success_url": None}, "parameter_missing", "success_url"),
    ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
    ({"cancel_url": ""}, "parameter_invalid_empty", "cancel_url"),
    ({"customer_email": "alice"}, "email_invalid", "customer_email"),
    ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
    ({"mode": "gift"}, None, "mode"),
    ({"mode": "subscription"}, None, "line_items"),
    ({"customer": "cus_unknown", "customer_email": None}, "resource_missing", "customer"),
    ({"customer": "cus_unknown"}, None, "customer"),
    ({"line_items": [{"quantity": 1, "price": "price_unknown"}]}, "resource_missing", "line_items[0][price]"),
    ({"line_items": [{"quantity": 1}]}, "parameter_missing", "line_items[0][price_data][currency]"),
    ({"line_items": "basic"}, None, "line_items"),
    ({"metadata": {"k" * 41: "v"}}, None, f"metadata[{'k' * 40}]"),
    ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
    ({"metadata": {f"k{i}": "v" for i in range(51)}}, None, "metadata"),
]


def test_a_wrong_checkout_is_refused_by_name(client: stripe.StripeClient, fee: Fee) -> None:
    for change, code, param in WRONG:
        wrong: Any = fee | change
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.checkout.sessions.create(wrong)
        assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (400, code, param)
    assert client.v1.checkout.sessions.list().data == []


def test_less_than_fifty_cents_is_refused(client: stripe.StripeClient, fee: Fee) -> None:
    fee["line_items"][0]["price_data"]["unit_amount"] = 49
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create(fee)
    assert refusal.value.code == "amount_too_small"


def test_what_does_not_exist_is_named(client: stripe.StripeClient) -> None:
    for retrieve in (
        client.v1.customers.retrieve,
        client.v1.checkout.sessions.retrieve,
        client.v1.payment_intents.retrieve,
        client.v1.charges.retrieve,
        client.v1.refunds.retrieve,
        client.v1.balance_transactions.retrieve,
        client.v1.events.retrieve,
    ):
        with pytest.raises(stripe.InvalidRequestError, match="No such .*: 'nobody_1'") as refusal:
            retrieve("nobody_1")
        assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_what_cannot_be_expanded_is_refused_and_nothing_is_made(client: stripe.StripeClient, fee: Fee) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.checkout.sessions.create(fee | {"expand": ["metadata"]})
    assert client.v1.checkout.sessions.list().data == []


def test_the_librarys_own_retry_after_a_conflict_gets_the_one_checkout(
    simulator: Simulator, fee: Fee, control: Control
) -> None:
    client = stripe.StripeClient(simulator.api_key, base_addresses={"api": simulator.url}, max_network_retries=4)
    control("faults", slow=0.3)
    with ThreadPoolExecutor(2) as pool:
        ids = set(pool.map(lambda _: client.v1.checkout.sessions.create(fee, {"idempotency_key": "k"}).id, range(2)))
    assert len(ids) == 1


def test_created_is_the_providers_time(client: stripe.StripeClient, control: Control) -> None:
    control("clock", offset=30 * 86_400)
    assert abs(client.v1.customers.create().created - time.time() - 30 * 86_400) < 5
