"""The part of Stripe's API this simulator knows: each route, its parameters, and what answers it."""

from typing import Any

from demo.simulator import billing_routes, checkouts, direct_routes, disputes, paying, payouts, refunds
from demo.simulator.account import Account, Change
from demo.simulator.errors import ApiError
from demo.simulator.lines import line_items_of
from demo.simulator.lookups import Work, list_of, retrieve, strings
from demo.simulator.params import INTEGER, STRING, STRINGS, Shape
from demo.simulator.reading import PAGE, as_list, page
from demo.simulator.store import Stored


def expire(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    return paying.expire_checkout(account, change, object_id)


def list_line_items(account: Account, params: dict[str, Any], object_id: str) -> Stored:
    session = account.get("checkout.session", object_id, "session")
    return as_list(line_items_of(account, session), f"/v1/checkout/sessions/{object_id}/line_items")


def list_events(account: Account, params: dict[str, Any]) -> Stored:
    if "type" in params and "types" in params:
        raise ApiError(400, "You may only specify one of these parameters: type, types.")
    return page(account, "event", "/v1/events", params, type=params.get("types") or params.get("type"))


def list_movements(account: Account, params: dict[str, Any]) -> Stored:
    """Balance transactions; `payout` asks for those a payout is made of."""
    inside = payouts.movements_of(account, params["payout"]) if "payout" in params else None

    def is_inside(movement: Stored) -> bool:
        return inside is None or movement["id"] in inside

    wanted = {name: params.get(name) for name in ("source", "type", "currency")}
    return page(account, "balance_transaction", "/v1/balance_transactions", params, is_inside, **wanted)


_SESSIONS, _CHARGE, _REFUND = (
    "/checkout/sessions",
    ("payment_intent", "customer"),
    ("charge", "payment_intent"),
)
_SESSION_FILTERS = ("payment_intent", "customer", "status")
ROUTES: list[tuple[str, str, Shape, Work]] = [
    ("POST", _SESSIONS, checkouts.CREATE, checkouts.create_checkout),
    (
        "GET",
        _SESSIONS,
        strings(*_SESSION_FILTERS),
        list_of("checkout.session", "/v1" + _SESSIONS, *_SESSION_FILTERS),
    ),
    ("GET", f"{_SESSIONS}/<object_id>", {}, retrieve("checkout.session", "session")),
    ("GET", f"{_SESSIONS}/<object_id>/line_items", {"limit": INTEGER}, list_line_items),
    ("POST", f"{_SESSIONS}/<object_id>/expire", {}, expire),
    (
        "GET",
        "/payment_intents",
        strings("customer"),
        list_of("payment_intent", "/v1/payment_intents", "customer"),
    ),
    ("GET", "/payment_intents/<object_id>", {}, retrieve("payment_intent", "intent")),
    ("GET", "/charges", strings(*_CHARGE), list_of("charge", "/v1/charges", *_CHARGE)),
    ("GET", "/charges/<object_id>", {}, retrieve("charge", "charge")),
    ("POST", "/refunds", refunds.CREATE, refunds.create_refund),
    ("GET", "/refunds", strings(*_REFUND), list_of("refund", "/v1/refunds", *_REFUND)),
    ("GET", "/refunds/<object_id>", {}, retrieve("refund", "id")),
    ("POST", "/refunds/<object_id>", refunds.UPDATE, refunds.update_refund),
    ("POST", "/refunds/<object_id>/cancel", {}, refunds.cancel_refund),
    ("GET", "/disputes", strings(*_REFUND), list_of("dispute", "/v1/disputes", *_REFUND)),
    ("GET", "/disputes/<object_id>", {}, retrieve("dispute")),
    ("POST", "/disputes/<object_id>", disputes.UPDATE, disputes.update_dispute),
    ("POST", "/disputes/<object_id>/close", {}, disputes.close_dispute),
    ("GET", "/payouts", strings("status", "destination"), list_of("payout", "/v1/payouts", "status", "destination")),
    ("GET", "/payouts/<object_id>", {}, retrieve("payout", "payout")),
    (
        "GET",
        "/balance_transactions",
        strings("source", "type", "currency", "payout"),
        list_movements,
    ),
    ("GET", "/balance_transactions/<object_id>", {}, retrieve("balance_transaction")),
    ("GET", "/events", PAGE | {"type": STRING, "types": STRINGS}, list_events),
    ("GET", "/events/<object_id>", {}, retrieve("event")),
]
ROUTES += billing_routes.ROUTES + direct_routes.ROUTES
