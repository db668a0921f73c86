"""The control page and its JSON endpoints: make things happen, misbehave, let time pass, send again."""

from collections import deque
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from demo.simulator import cycles, payouts, ways
from demo.simulator.account import DAY, Account
from demo.simulator.acts import act
from demo.simulator.api import Call
from demo.simulator.control_page import contents
from demo.simulator.errors import ApiError
from demo.simulator.faults import (
    Faults,
    boolean,
    call_faults,
    integer,
    number,
    one_of,
    order_call_fault,
    switches,
)
from demo.simulator.hosted import protect
from demo.simulator.webhooks import Webhooks

MOST_TIMES = 100
FURTHEST_SECONDS = 10 * 366 * DAY
PATIENCE = 2.0
FORM = "application/x-www-form-urlencoded"


def control(account: Account, webhooks: Webhooks, calls: deque[Call]) -> Blueprint:
    bp = Blueprint("control", __name__, url_prefix="/_control")
    bp.after_request(protect)

    @bp.errorhandler(ApiError)
    def refused(problem: ApiError) -> tuple[Response | str, int]:
        if request.mimetype == FORM:
            return render_template("message.html", title="This was not done", text=str(problem)), problem.status
        return jsonify(problem.body), problem.status

    def done(result: dict[str, Any], section: str) -> AnyResponse:
        """A person's form goes back to the page; a program gets JSON."""
        return redirect(f"/_control#{section}", 303) if request.mimetype == FORM else jsonify(result)

    @bp.get("")
    def show() -> str:
        return render_template("control.html", **contents(account, webhooks))

    @bp.get("/state")
    def state() -> Response:
        return jsonify(
            now=account.now(),
            clock_offset=account.clock_offset,
            faults=asdict(account.faults),
            call_faults=call_faults(account.store),
            payment_methods=ways.offered(account),
            payout_schedule=payouts.schedule_of(account),
            pending=webhooks.pending(),
            webhook_url=webhooks.url,
        )

    @bp.post("/faults")
    def faults() -> AnyResponse:
        wanted = switches(_given())
        if request.mimetype == FORM:
            wanted = asdict(Faults()) | wanted
        return done(asdict(account.set_faults(**wanted)), "faults")

    @bp.post("/call-faults")
    def next_calls() -> AnyResponse:
        """What the next calls of the API meet: see `order_call_fault`; `{}` takes all orders back."""
        return done({"call_faults": order_call_fault(account.store, _given())}, "faults")

    @bp.post("/payment-methods")
    def payment_methods() -> AnyResponse:
        """`{"card": true, "sepa_debit": false}`: what the next checkouts offer."""
        given = _given()
        ways.offer(account, [kind for kind in (ways.CARD, ways.DEBIT) if boolean(given.get(kind))])
        return done({"payment_methods": ways.offered(account)}, "faults")

    @bp.post("/clock")
    def clock() -> AnyResponse:
        """`{"offset": seconds}` from real time, or `{"add": seconds}` to what is set.

        Going forward stops at every day, lets happen what is due, and waits until its webhooks were tried.
        """
        given = _given()
        offset = integer(given, "offset", account.clock_offset) + integer(given, "add", 0)
        if abs(offset) > FURTHEST_SECONDS:
            raise ApiError(400, "The clock moves by up to ten years.", param="offset")
        while account.clock_offset < offset - DAY:
            account.move_clock(account.clock_offset + DAY)
            webhooks.wait_until_tried(PATIENCE)
        account.move_clock(offset)
        return done({"clock_offset": account.clock_offset, "now": account.now()}, "time")

    @bp.post("/payouts")
    def pay_out() -> AnyResponse:
        """Pay out now what is available; `{"currency": "eur"}`. Answers the payout, or {} when there is nothing."""
        currency = one_of({"currency": "eur"} | _given(), "currency", payouts.CURRENCIES)
        with account.change() as change:
            payout = payouts.pay_out(account, change, currency)
        return done(payout or {}, "payouts")

    @bp.post("/payouts/schedule")
    def schedule_payouts() -> AnyResponse:
        payouts.set_schedule(account, str(_given().get("schedule")))
        return done({"schedule": payouts.schedule_of(account)}, "payouts")

    @bp.post("/retries")
    def after_retries() -> AnyResponse:
        """`{"then": "unpaid"}`: what becomes of a subscription whose invoice could not be collected at last."""
        then = one_of(_given(), "then", cycles.AFTER_RETRIES)
        account.store.set_setting("after_retries", then)
        return done({"then": then}, "customers")

    @bp.post("/<things>/<object_id>/<name>")
    def make_happen(things: str, object_id: str, name: str) -> AnyResponse:
        """`charges/ch_…/dispute`: see `acts.ACTS`."""
        account.pass_time()
        with account.change() as change:
            result = act(account, change, things, object_id, name, _given())
        return done(result, things)

    @bp.get("/deliveries")
    def deliveries() -> Response:
        """Every planned, sent and dropped webhook, oldest first; `?event=` and `?type=` filter."""
        rows = account.store.rows("SELECT * FROM delivery ORDER BY id")
        wanted = {name: value for name, value in request.args.items() if name in ("event", "type", "state")}
        return jsonify(data=[dict(r) for r in rows if all(r[name] == value for name, value in wanted.items())])

    @bp.post("/events/<event_id>/deliver")
    def deliver(event_id: str) -> AnyResponse:
        """Send an event now, `times` over, at once when `parallel`; answers the receiver's statuses."""
        given = _given()
        times = integer(given, "times", 1)
        if not 1 <= times <= MOST_TIMES:
            raise ApiError(400, f"times must be between 1 and {MOST_TIMES}", param="times")
        at_once = times if boolean(given.get("parallel", False)) else 1
        answers = webhooks.send_now(account.get("event", event_id), times, at_once)
        return done({"statuses": [status for status, _ in answers], "errors": [e for _, e in answers if e]}, "events")

    @bp.post("/retry")
    def retry() -> AnyResponse:
        """Do not wait for the backoff: send everything that is pending now."""
        webhooks.retry_now()
        return done({"pending": webhooks.pending()}, "events")

    @bp.post("/idle")
    def idle() -> AnyResponse:
        """Wait until no webhook is pending: `{"timeout": seconds}`, 10 when absent."""
        is_idle = webhooks.wait_until_idle(number(_given().get("timeout", 10)))
        return done({"idle": is_idle, "pending": webhooks.pending()}, "events")

    @bp.get("/calls")
    def understood_calls() -> Response:
        """The API requests understood since start, oldest first."""
        return jsonify(data=[asdict(call) for call in calls])

    return bp


def _given() -> dict[str, Any]:
    if request.is_json:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise ApiError(400, "The body must be a JSON object.")
        return body
    return request.form.to_dict()
