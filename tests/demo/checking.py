"""Checks what a simulator took and said against the types of the pinned stripe-python."""

import json
import re
from typing import Any

from jsonschema_rs import validator_for

from demo.simulator.params import Clearable, Required
from demo.simulator.routes import ROUTES
from demo.simulator.server import Simulator
from tests.demo.stripe_schema import Operation, Schema, StripeSchemas

OBJECTS = [
    "stripe.billing_portal._configuration",
    "stripe.billing_portal._session",
    "stripe.checkout._session",
    "stripe._balance_transaction",
    "stripe._charge",
    "stripe._customer",
    "stripe._dispute",
    "stripe._event",
    "stripe._invoice",
    "stripe._invoice_item",
    "stripe._invoice_line_item",
    "stripe._invoice_payment",
    "stripe._line_item",
    "stripe._mandate",
    "stripe._payment_intent",
    "stripe._payment_method",
    "stripe._payout",
    "stripe._plan",
    "stripe._price",
    "stripe._product",
    "stripe._refund",
    "stripe._setup_intent",
    "stripe._subscription",
    "stripe._subscription_item",
]
SERVICES = [
    "stripe.billing_portal._configuration_service",
    "stripe.billing_portal._session_service",
    "stripe.checkout._session_service",
    "stripe.checkout._session_line_item_service",
    "stripe._balance_transaction_service",
    "stripe._charge_service",
    "stripe._customer_payment_method_service",
    "stripe._customer_service",
    "stripe._dispute_service",
    "stripe._event_service",
    "stripe._invoice_item_service",
    "stripe._invoice_line_item_service",
    "stripe._invoice_payment_service",
    "stripe._invoice_service",
    "stripe._mandate_service",
    "stripe._payment_intent_service",
    "stripe._payment_method_service",
    "stripe._payout_service",
    "stripe._price_service",
    "stripe._product_service",
    "stripe._refund_service",
    "stripe._setup_intent_service",
    "stripe._subscription_service",
]


# What Stripe's hosted page asks for and its command line uses; no client library knows it.
NOT_IN_THE_LIBRARY = "/v1/payment_pages"


def plain(route: str) -> str:
    return re.sub(r"<\w+>", "{}", route)


class Checker:
    """Stripe's operations and objects as validators; `check` names every deviation it finds."""

    def __init__(self) -> None:
        self.schemas = StripeSchemas(OBJECTS)
        self.operations: dict[tuple[str, str], Operation] = {
            (operation.method, operation.path): operation
            for service in SERVICES
            for operation in self.schemas.operations(service)
        }
        error = self.schemas.define("stripe._error_object", "ErrorObject")
        self.error: Schema = {"type": "object", "properties": {"error": error}, "required": ["error"]}
        self._validators: dict[str, Any] = {}

    def problems(self, schema: Schema, thing: Any) -> list[str]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = validator_for(self.schemas.whole(schema))
        return [
            f"{'.'.join(map(str, e.instance_path))}: {e.message[:300]}"
            for e in self._validators[key].iter_errors(thing)
        ]

    def check_object(self, thing: dict[str, Any]) -> list[str]:
        """An API object by the class its `object` names; an event also by what it carries."""
        found = [f"{thing['object']} {p}" for p in self.problems(self.schemas.names[thing["object"]], thing)]
        if thing["object"] == "event":
            found += [f"{thing['type']}: {p}" for p in self.check_object(thing["data"]["object"])]
            missing = set(thing["data"].get("previous_attributes", {})) - set(thing["data"]["object"])
            found += [f"{thing['type']}: no such previous attribute {name}" for name in missing]
        return found

    def check(self, simulator: Simulator) -> list[str]:
        """Every request accepted with its answer, every object kept, every event."""
        found = []
        for call in simulator.calls:
            if call.route.startswith(NOT_IN_THE_LIBRARY):
                continue
            operation = self.operations[call.method, plain(call.route)]
            where = f"{call.method} {call.route}"
            if call.status == 200:
                if operation.params is None:
                    found += [f"{where} takes no parameters"] if call.params else []
                else:
                    found += [f"{where} asked {p}" for p in self.problems(operation.params, call.params)]
                if call.answer.get("deleted") is not True:
                    found += [f"{where} answered {p}" for p in self.problems(operation.answer, call.answer)]
                elif set(call.answer) != {"id", "object", "deleted"}:
                    found.append(f"{where} answered more of what it deleted")
            else:
                found += [f"{where} refused {p}" for p in self.problems(self.error, call.answer)]
        rows = simulator.account.store.rows("SELECT body FROM object WHERE kind <> 'order'")
        for row in rows:
            found += self.check_object(json.loads(row["body"]))
        return found


def declared() -> list[tuple[str, str, Any]]:
    """The simulator's routes and the parameters each declares."""
    routes = [(method, plain(f"/v1{route}"), shape) for method, route, shape, _ in ROUTES]
    return [route for route in routes if not route[1].startswith(NOT_IN_THE_LIBRARY)]


def names_of(shape: Any, at: str = "") -> list[str]:
    """Every parameter a declared shape knows, as dotted paths."""
    if isinstance(shape, (Clearable, Required)):
        return names_of(shape.kind, at)
    if isinstance(shape, list):
        return names_of(shape[0], f"{at}[]")
    if not isinstance(shape, dict):
        return [at]
    return [name for key, kind in shape.items() for name in names_of(kind, f"{at}.{key}" if at else key)]
