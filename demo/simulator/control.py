"""The control page and its JSON endpoints: pay without a browser, misbehave, move the clock, send again."""

from collections import deque
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from demo.simulator import paying, refunds
from demo.simulator.account import Account, Change
from demo.simulator.api import Call
from demo.simulator.errors import ApiError
from demo.simulator.faults import Faults, boolean, integer, number, switches
from demo.simulator.hosted import day_and_time, protect, short_time
from demo.simulator.money import money
from demo.simulator.reading import page
from demo.simulator.store import Stored
from demo.simulator.webhooks import Webhooks

SHOWN = 50
MOST_TIMES = 100
FURTHEST_SECONDS = 10 * 366 * 86_400


def control(account: Account, webhooks: Webhooks, calls: deque[Call]) -> Blueprint:
    bp = Blueprint("control", __name__, url_prefix="/_control")
    bp.after_request(protect)

    @bp.errorhandler(ApiError)
    def refused(problem: ApiError) -> tuple[Response, int]:
        return jsonify(problem.body), problem.status

    def done(result: dict[str, Any]) -> AnyResponse:
        """A person's form goes back to the page; a program gets JSON."""
        if request.mimetype == "application/x-www-form-urlencoded":
            return redirect("/_control", 303)
        return jsonify(result)

    @bp.get("")
    def show() -> str:
        things = {
            kind: page(account, kind, "", {"limit": SHOWN})["data"]
            for kind in ("checkout.session", "charge", "refund", "event")
        }
        return render_template(
            "control.html",
            checkouts=things["checkout.session"],
            charges=things["charge"],
            refunds=things["refund"],
            events=things["event"],
            deliveries=_latest_deliveries(account, things["event"]),
            faults=account.faults,
            now=day_and_time(account.now()),
            offset=account.clock_offset,
            ahead=timedelta(seconds=account.clock_offset),
            pending=webhooks.pending(),
            webhook_url=webhooks.url,
            money=money,
            short_time=short_time,
        )

    @bp.get("/state")
    def state() -> Response:
        return jsonify(
            now=account.now(),
            clock_offset=account.clock_offset,
            faults=asdict(account.faults),
            pending=webhooks.pending(),
            webhook_url=webhooks.url,
        )

    @bp.post("/faults")
    def faults() -> AnyResponse:
        wanted = switches(_given())
        if request.mimetype == "application/x-www-form-urlencoded":
            wanted = asdict(Faults()) | wanted
        return done(asdict(account.set_faults(**wanted)))

    @bp.post("/clock")
    def clock() -> AnyResponse:
        """`{"offset": seconds}` from real time, or `{"add": seconds}` to what is set."""
        given = _given()
        offset = integer(given, "offset", account.clock_offset) + integer(given, "add", 0)
        if abs(offset) > FURTHEST_SECONDS:
            raise ApiError(400, "The clock moves by up to ten years.", param="offset")
        account.clock_offset = offset
        paying.expire_overdue(account)
        return done({"clock_offset": account.clock_offset, "now": account.now()})

    @bp.post("/checkouts/<session_id>/<act>")
    def checkout(session_id: str, act: str) -> AnyResponse:
        given = _given()

        def work(change: Change) -> Stored:
            if act == "expire":
                return paying.expire_checkout(account, change, session_id)
            session = account.get("checkout.session", session_id, "session")
            payer = paying.payer_of(account, session, given.get("email"), given.get("name"))
            if act == "pay":
                return paying.pay_checkout(account, change, session_id, payer)
            if act == "decline":
                return paying.decline_checkout(account, change, session_id, payer)
            raise ApiError(404, f"Unknown act: {act}")

        with account.change() as change:
            result = work(change)
        return done(result)

    @bp.post("/charges/<charge_id>/refund")
    def refund(charge_id: str) -> AnyResponse:
        """From the provider's side, as in Stripe's dashboard: `{"amount": cents}`, all of it when absent."""
        given = _given()
        wanted: dict[str, Any] = {"charge": charge_id}
        if given.get("amount"):
            wanted["amount"] = integer(given, "amount", 0)
        with account.change() as change:
            result = refunds.create_refund(account, change, wanted)
        return done(result)

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
        return done({"statuses": [status for status, _ in answers], "errors": [e for _, e in answers if e]})

    @bp.post("/retry")
    def retry() -> AnyResponse:
        """Do not wait for the backoff: send everything that is pending now."""
        webhooks.retry_now()
        return done({"pending": webhooks.pending()})

    @bp.post("/idle")
    def idle() -> AnyResponse:
        """Wait until no webhook is pending: `{"timeout": seconds}`, 10 when absent."""
        is_idle = webhooks.wait_until_idle(number(_given().get("timeout", 10)))
        return done({"idle": is_idle, "pending": webhooks.pending()})

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


def _latest_deliveries(account: Account, events: list[Stored]) -> dict[str, list[dict[str, Any]]]:
    """Deliveries of the events shown, by event id."""
    found: dict[str, list[dict[str, Any]]] = {event["id"]: [] for event in events}
    for event_id, rows in found.items():
        rows.extend(map(dict, account.store.rows("SELECT * FROM delivery WHERE event = ? ORDER BY id", event_id)))
    return found
