"""A simulator per test, a receiver for its webhooks, and Stripe's own library as its client.

When a test ends, everything the simulator took and said in it is checked against Stripe's types.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from demo.simulator import server
from demo.simulator.server import Simulator
from tests.demo.billing import Billing
from tests.demo.checking import Checker

stripe.enable_telemetry = False


class Receiver:
    """What an application's webhook address receives; `answers` are its next statuses, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        self.at_once = self.most_at_once = 0
        self.seconds = 0.0
        receiver = self
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    receiver.got.append((body, self.headers["Stripe-Signature"]))
                    receiver.at_once += 1
                    receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
                    status = receiver.answers.pop(0) if receiver.answers else 200
                time.sleep(receiver.seconds)
                with lock:
                    receiver.at_once -= 1
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/stripe/webhook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.got]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def checker() -> Checker:
    return Checker()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def simulator(receiver: Receiver, checker: Checker) -> Iterator[Simulator]:
    simulator = server.start(webhook_url=receiver.url, retry_seconds=0.02)
    yield simulator
    findings = checker.check(simulator)
    simulator.stop()
    assert findings == []


@pytest.fixture
def client(simulator: Simulator) -> stripe.StripeClient:
    return stripe.StripeClient(simulator.api_key, base_addresses={"api": simulator.url}, max_network_retries=0)


@pytest.fixture
def billing(simulator: Simulator, client: stripe.StripeClient) -> Billing:
    return Billing(simulator, client)


@pytest.fixture
def fee() -> dict[str, Any]:
    """What the application asks for when somebody joins: 30.00 EUR on a hosted page."""
    return {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": 3000,
                    "product_data": {"name": "Basic membership"},
                },
            }
        ],
        "client_reference_id": "payment-7",
        "customer_email": "alice@example.org",
        "metadata": {"payment": "7"},
        "payment_intent_data": {"metadata": {"payment": "7"}},
        "success_url": "http://127.0.0.1:9/paid?checkout={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/join",
    }


@pytest.fixture
def paid(simulator: Simulator, client: stripe.StripeClient, fee: dict[str, Any], control: Callable[..., Any]) -> Any:
    """A paid Checkout session with its charge expanded."""
    session = client.v1.checkout.sessions.create(fee)
    control(f"checkouts/{session.id}/pay")
    assert control("idle")["idle"]
    return client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})


@pytest.fixture
def control(simulator: Simulator) -> Callable[..., Any]:
    """`control("clock", offset=60)` posts to the control endpoints; without values it posts {}."""
    import requests

    def post(path: str, **values: Any) -> Any:
        answer = requests.post(f"{simulator.url}/_control/{path}", json=values, timeout=20)
        return answer.json() | ({"http_status": answer.status_code} if answer.status_code != 200 else {})

    return post
