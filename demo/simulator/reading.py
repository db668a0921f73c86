"""Reading objects: as they are now, expanded where asked, and in pages."""

import json
from collections.abc import Callable
from typing import Any

from demo.simulator.account import Account
from demo.simulator.errors import ApiError, no_such
from demo.simulator.lines import line_items_of
from demo.simulator.params import INTEGER, STRING, STRINGS
from demo.simulator.store import Stored

PAGE = {
    "limit": INTEGER,
    "starting_after": STRING,
    "ending_before": STRING,
    "created": {"gt": INTEGER, "gte": INTEGER, "lt": INTEGER, "lte": INTEGER},
    "expand": STRINGS,
}
EXPANDABLE = {
    "balance_transaction",
    "charge",
    "configuration",
    "customer",
    "default_payment_method",
    "failure_balance_transaction",
    "invoice",
    "latest_charge",
    "latest_invoice",
    "mandate",
    "payment_intent",
    "payment_method",
    "price",
    "product",
    "setup_intent",
    "source",
    "subscription",
}
DEEPEST, EVENTS_KEPT = 4, 30 * 86_400
_FOR_EVER = 2**53
_OLDER = (
    "SELECT body FROM object WHERE kind = ? AND created BETWEEN ? AND ? AND (created, seq) < (?, ?)"
    " ORDER BY created DESC, seq DESC"
)
_NEWER = (
    "SELECT body FROM object WHERE kind = ? AND created BETWEEN ? AND ? AND (created, seq) > (?, ?)"
    " ORDER BY created, seq"
)


def present(account: Account, thing: Stored, expand: list[str] | None = None) -> Stored:
    """`thing` with what changes by itself brought up to date, and the named properties expanded."""
    thing = _fresh(account, thing)
    for path in expand or []:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise ApiError(400, f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}")
        _expand(account, thing, steps, path)
    return thing


def page(
    account: Account,
    kind: str,
    url: str,
    params: dict[str, Any],
    where: Callable[[Stored], bool] = lambda thing: True,
    **equal: Any,
) -> Stored:
    """A list of `kind`, newest first, after or before a cursor; `equal` filters by property, `where` by anything."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError(400, "Invalid integer: limit must be between 1 and 100", param="limit")
    if "starting_after" in params and "ending_before" in params:
        raise ApiError(400, "You may only specify one of these parameters: ending_before, starting_after.")
    backwards = "ending_before" in params
    if backwards:
        sql, position = _NEWER, _position(account, kind, params["ending_before"], "ending_before")
    elif "starting_after" in params:
        sql, position = _OLDER, _position(account, kind, params["starting_after"], "starting_after")
    else:
        sql, position = _OLDER, (_FOR_EVER, 0)
    created = params.get("created", {})
    earliest = max(created.get("gte", 0), created.get("gt", -1) + 1)
    if kind == "event":
        earliest = max(earliest, account.now() - EVENTS_KEPT)
    latest = min(created.get("lte", _FOR_EVER), created.get("lt", _FOR_EVER) - 1)
    wanted = {name: value if isinstance(value, list) else [value] for name, value in equal.items() if value}
    found = []
    with account.store.changed:
        for row in account.store.db.execute(sql, (kind, earliest, latest, *position)):
            thing = json.loads(row["body"])
            if all(thing[name] in values for name, values in wanted.items()) and where(thing):
                found.append(thing)
            if len(found) > limit:
                break
    things = found[:limit]
    if backwards:
        things.reverse()
    expand = [path.removeprefix("data.") for path in params.get("expand", [])]
    return as_list([present(account, thing, expand) for thing in things], url, has_more=len(found) > limit)


def as_list(things: list[Stored], url: str, *, has_more: bool = False) -> Stored:
    return {"object": "list", "data": things, "has_more": has_more, "url": url}


def _position(account: Account, kind: str, object_id: str, param: str) -> tuple[int, int]:
    rows = account.store.rows("SELECT seq, created FROM object WHERE id = ? AND kind = ?", object_id, kind)
    if not rows:
        raise no_such(kind, object_id, param, status=400)
    return rows[0]["created"], rows[0]["seq"]


def _fresh(account: Account, thing: Stored) -> Stored:
    if thing["object"] == "balance_transaction" and thing["available_on"] <= account.now():
        return {**thing, "status": "available"}
    if thing["object"] == "event":
        waiting = account.store.rows(
            "SELECT 1 FROM delivery WHERE event = ? AND state = 'pending' LIMIT 1", thing["id"]
        )
        return {**thing, "pending_webhooks": len(waiting)}
    if thing["object"] == "customer" and thing.get("deleted"):
        return {name: thing[name] for name in ("id", "object", "deleted")}
    return dict(thing)


def _expand(account: Account, thing: Stored, steps: list[str], path: str) -> None:
    name, rest = steps[0], steps[1:]
    if name == "line_items" and thing["object"] == "checkout.session":
        url = f"/v1/checkout/sessions/{thing['id']}/line_items"
        thing[name] = as_list(line_items_of(account, thing), url)
        return
    if name == "refunds" and thing["object"] == "charge":
        url = f"/v1/charges/{thing['id']}/refunds"
        thing[name] = page(account, "refund", url, {}, charge=thing["id"])
        return
    if name == "payments" and thing["object"] == "invoice":
        url = f"/v1/invoice_payments?invoice={thing['id']}"
        thing[name] = page(account, "invoice_payment", url, {}, invoice=thing["id"])
    if name not in thing or (not rest and name not in EXPANDABLE and name != "payments"):
        raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
    value = thing[name]
    if isinstance(value, str) and name in EXPANDABLE:
        rows = account.store.rows("SELECT body FROM object WHERE id = ?", value)
        value = thing[name] = _fresh(account, json.loads(rows[0]["body"]))
    if not rest or value is None:
        return
    for inner in value if isinstance(value, list) else [value]:
        if not isinstance(inner, dict):
            raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
        _expand(account, inner, rest, path)
