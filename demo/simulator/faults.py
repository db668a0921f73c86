"""Switches for a provider that misbehaves."""

from dataclasses import asdict, dataclass
from typing import Any

from demo.simulator.errors import ApiError

LONGEST_SECONDS = 3600


@dataclass(frozen=True)
class Faults:
    """Webhooks: `duplicate` sends each event so often, `shuffle` mixes the events of one change, `delay`
    holds them back so many seconds, `drop` sends nothing, `sign_with` replaces the secret, `parallel` is
    how many are under way at once. API: `slow` answers after so many seconds, and `late_fees` leaves a
    charge's balance transaction unknown for so many seconds of the provider's clock, as Stripe may.
    """

    duplicate: int = 1
    shuffle: bool = False
    delay: float = 0.0
    drop: bool = False
    sign_with: str | None = None
    parallel: int = 1
    slow: float = 0.0
    late_fees: float = 0.0


def switches(given: dict[str, Any]) -> dict[str, Any]:
    """The faults named in a JSON object or a form, with their types; raises ApiError for an unknown one."""
    defaults = asdict(Faults())
    switched: dict[str, Any] = {}
    for name, value in given.items():
        if name not in defaults:
            raise ApiError(400, f"Unknown switch: {name}", param=name)
        if name == "sign_with":
            switched[name] = str(value) if value else None
        elif isinstance(defaults[name], bool):
            switched[name] = boolean(value)
        elif isinstance(defaults[name], int):
            switched[name] = max(1, integer(given, name, 1))
        else:
            switched[name] = number(value)
    return switched


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
