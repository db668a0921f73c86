"""Switches for a provider that misbehaves: webhooks, answers of the API, and what becomes of refunds."""

from dataclasses import asdict, dataclass
from typing import Any

from demo.simulator.errors import ApiError
from demo.simulator.store import Store

LONGEST_SECONDS = 3600
REFUNDS = ("succeed", "pending", "fail", "requires_action")
CALL_FAULTS = ("error", "too_many", "cut_before", "cut_after")
MOST_CALLS = 1000


@dataclass(frozen=True)
class Faults:
    """Webhooks: `duplicate` sends each event so often, `shuffle` mixes the events of one change, `delay`
    holds them back so many seconds, `drop` sends nothing, `sign_with` replaces the secret, `parallel` is
    how many are under way at once, `wrong_mode` says they are live. API: `slow` answers after so many seconds.
    `late_fees` leaves a charge's balance transaction unknown for so many seconds of the provider's clock, as
    Stripe may. `refunds` is what becomes of new ones: pending ones succeed and failing ones fail days later.
    """

    duplicate: int = 1
    shuffle: bool = False
    delay: float = 0.0
    drop: bool = False
    sign_with: str | None = None
    wrong_mode: bool = False
    parallel: int = 1
    slow: float = 0.0
    late_fees: float = 0.0
    refunds: str = "succeed"


def switches(given: dict[str, Any]) -> dict[str, Any]:
    """The faults named in a JSON object or a form, with their types; raises ApiError for an unknown one."""
    defaults = asdict(Faults())
    switched: dict[str, Any] = {}
    for name, value in given.items():
        if name not in defaults:
            raise ApiError(400, f"Unknown switch: {name}", param=name)
        if name == "sign_with":
            switched[name] = str(value) if value else None
        elif name == "refunds":
            switched[name] = one_of(given, name, REFUNDS)
        elif isinstance(defaults[name], bool):
            switched[name] = boolean(value)
        elif isinstance(defaults[name], int):
            switched[name] = max(1, integer(given, name, 1))
        else:
            switched[name] = number(value)
    return switched


def call_faults(store: Store) -> list[dict[str, Any]]:
    """What the next calls of the API will meet: `fault`, `call`, and `times` that are left."""
    orders: list[dict[str, Any]] = store.setting("call faults", [])
    return orders


def order_call_fault(store: Store, given: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"fault": "cut_after", "call": "POST /v1/refunds", "times": 1}`.

    error answers 500 and too_many 429, both without doing anything; cut_before cuts the connection before the
    work is done, cut_after once it is. It is met by the calls whose method and path begin so, without `call` by
    every one. `{}` takes all orders back.
    """
    orders = []
    if given:
        times = integer(given, "times", 1)
        if not 1 <= times <= MOST_CALLS:
            raise ApiError(400, f"times must be between 1 and {MOST_CALLS}", param="times")
        order = {"fault": one_of(given, "fault", CALL_FAULTS), "call": str(given.get("call", "")), "times": times}
        orders = [*call_faults(store), order]
    store.set_setting("call faults", orders)
    return orders


def take_call_fault(store: Store, method: str, path: str) -> str | None:
    """The fault that this call meets; its order is used up by one."""
    with store.changed:
        orders = call_faults(store)
        for order in orders:
            if f"{method} {path}".startswith(order["call"]):
                order["times"] -= 1
                store.set_setting("call faults", [order for order in orders if order["times"]])
                fault: str = order["fault"]
                return fault
    return None


def fault_answer(fault: str) -> ApiError:
    if fault == "too_many":
        message = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
        return ApiError(429, message, code="rate_limit")
    message = "An unknown error occurred. This is an order of the simulator's control page."
    return ApiError(500, message, kind="api_error")


def one_of(given: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = given.get(name)
    if value not in allowed:
        raise ApiError(400, f"Invalid {name}: must be one of {', '.join(allowed)}", param=name)
    return str(value)


def boolean(value: Any) -> bool:
    return value in (True, "true", "on", "1")


def integer(given: dict[str, Any], name: str, default: int) -> int:
    try:
        return int(given.get(name, default))
    except (TypeError, ValueError):
        raise ApiError(400, f"{name} must be a whole number", param=name) from None


def number(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise ApiError(400, f"{value} is not a number of seconds from 0 to {LONGEST_SECONDS}")
    return seconds
