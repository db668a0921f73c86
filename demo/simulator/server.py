"""The simulator as one object: the account, its API, its pages and its webhooks behind one port."""

import logging
import threading
from collections import deque

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from demo.simulator import charges, checkout_modes, collection, cycles, debits, paying, payouts, refunds
from demo.simulator.account import Account
from demo.simulator.api import Call, api
from demo.simulator.control import control
from demo.simulator.hosted import hosted
from demo.simulator.invoice_page import invoice_page
from demo.simulator.portal_page import portal_page
from demo.simulator.store import Store
from demo.simulator.webhooks import Webhooks

HOST = "127.0.0.1"
API_KEY = "sk_test_carnet_simulator"
SIGNING_KEY = "whsec_carnet_simulator"
CALLS_KEPT = 1000


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        logging.getLogger("demo.simulator").debug(message, *args)


class Simulator:
    """A running simulator. `url` is its address; `calls` are the API requests it understood."""

    def __init__(
        self,
        port: int,
        state: str | None,
        webhook_url: str | None,
        webhook_secret: str,
        api_key: str,
        retry_seconds: float,
    ) -> None:
        self.account = Account(Store(state))
        for part in (collection, cycles, checkout_modes, paying, charges, debits, refunds, payouts):
            part.follow(self.account)
        self.webhooks = Webhooks(self.account, webhook_url, webhook_secret, retry_seconds)
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.api_key = api_key
        app = Flask(__name__)
        app.register_blueprint(api(self.account, api_key, self.calls))
        app.register_blueprint(hosted(self.account))
        app.register_blueprint(portal_page(self.account))
        app.register_blueprint(invoice_page(self.account))
        app.register_blueprint(control(self.account, self.webhooks, self.calls))
        self._server = make_server(HOST, port, app, threaded=True, request_handler=_Quiet)
        self.url = self.account.public_url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self) -> None:
        self.webhooks.start()
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end the threads; the state file is complete."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.webhooks.stop()
        self.account.store.close()


def start(
    port: int = 0,
    state: str | None = None,
    webhook_url: str | None = None,
    webhook_secret: str = SIGNING_KEY,
    api_key: str = API_KEY,
    retry_seconds: float = 1.0,
) -> Simulator:
    """Start on loopback; port 0 takes a free one. `retry_seconds` is the webhooks' first wait."""
    simulator = Simulator(port, state, webhook_url, webhook_secret, api_key, retry_seconds)
    simulator.start()
    return simulator
