"""Serving Stripe's HTTP API under /v1: authentication, parameters, idempotency keys, answers."""

import hmac
import json
import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from demo.simulator.account import API_VERSION, Account, new_id
from demo.simulator.errors import ApiError
from demo.simulator.faults import fault_answer, take_call_fault
from demo.simulator.idempotency import Answer, IdempotencyKeys
from demo.simulator.lookups import Work
from demo.simulator.params import STRINGS, Shape, read
from demo.simulator.reading import present
from demo.simulator.routes import ROUTES

EXPAND: Shape = {"expand": STRINGS}
# A call that names no version speaks the account's older one, as Stripe's own command line does.
OLDER: dict[str, Shape] = dict.fromkeys(
    ("/checkout/sessions", "/payment_intents", "/setup_intents"), {"payment_method_types": STRINGS}
)
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


@dataclass(frozen=True)
class Call:
    """One request to the API as it was understood."""

    method: str
    route: str
    params: dict[str, Any]
    idempotency_key: str | None
    status: int
    answer: dict[str, Any]


def api(account: Account, api_key: str, calls: deque[Call]) -> Blueprint:
    """The /v1 blueprint. Every understood request is appended to `calls`."""
    bp = Blueprint("v1", __name__, url_prefix="/v1")
    keys = IdempotencyKeys(account)

    def answer(status: int, body: dict[str, Any], request_id: str, original: str | None = None) -> Response:
        response = Response(json.dumps(body, indent=2) + "\n", status, mimetype="application/json")
        response.headers["Request-Id"] = request_id
        response.headers["Stripe-Version"] = API_VERSION
        if "Idempotency-Key" in request.headers:
            response.headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
        if original:
            response.headers["Idempotent-Replayed"] = "true"
            response.headers["Original-Request"] = original
        return response

    def serve(method: str, route: str, shape: Shape, work: Work, ids: dict[str, str]) -> Response:
        request_id = new_id("req_", 14)
        try:
            authenticate(api_key)
            fault = take_call_fault(account.store, method, request.path)
            if fault == "cut_before":
                return hang_up()
            if fault in ("error", "too_many"):
                raise fault_answer(fault)
            source = request.form if method == "POST" else request.args
            older = {} if "Stripe-Version" in request.headers or method != "POST" else OLDER.get(route, {})
            params = read(source.items(multi=True), shape | EXPAND | older)
            key = request.headers.get("Idempotency-Key") if method == "POST" else None

            def run() -> Answer:
                try:
                    if method == "GET":
                        return 200, work(account, params, **ids)
                    with account.change(request_id, key) as change:
                        thing = work(account, change, params, **ids)
                        return 200, present(account, thing, params.get("expand"))
                except ApiError as refusal:
                    return refusal.status, refusal.body

            def be_slow() -> None:
                time.sleep(account.faults.slow)

            original = None
            if key:
                body = request.path + "\n" + json.dumps(params, sort_keys=True)
                (status, result), original = keys.run(key, body, request_id, be_slow, run)
            else:
                be_slow()
                status, result = run()
            known = {name: value for name, value in params.items() if name not in older}
            calls.append(Call(method, f"/v1{route}", known, key, status, result))
            if fault == "cut_after":
                return hang_up()
            return answer(status, result, request_id, original)
        except ApiError as refusal:
            return answer(refusal.status, refusal.body, request_id)

    def add(method: str, route: str, shape: Shape, work: Work) -> None:
        def view(**ids: str) -> Response:
            return serve(method, route, shape, work, ids)

        bp.add_url_rule(route, f"{method} {route}".replace(".", " "), view, methods=[method])

    def unknown(path: str = "") -> Response:
        message = (
            f"Unrecognized request URL ({request.method}: {request.path}). Please see"
            " https://stripe.com/docs or we can help at https://support.stripe.com/."
        )
        try:
            authenticate(api_key)
            raise ApiError(404, message)
        except ApiError as refusal:
            return answer(refusal.status, refusal.body, new_id("req_", 14))

    for method, route, shape, work in ROUTES:
        add(method, route, shape, work)
    bp.add_url_rule("/<path:path>", "unknown", unknown, methods=METHODS)
    return bp


def hang_up() -> Response:
    """Cut the connection: the caller never learns what came of its request."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response()


def authenticate(api_key: str) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise ApiError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header,"
            " using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    if not hmac.compare_digest(given.encode(), api_key.encode()):
        hidden = given[:8] + "*" * 8 + given[-4:] if len(given) > 16 else "*" * len(given)
        raise ApiError(401, f"Invalid API Key provided: {hidden}")
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise ApiError(400, f"Invalid Stripe API version: {version}. This simulator speaks {API_VERSION}.")
