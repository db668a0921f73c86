"""An answer as rlm_rest reads it."""

from __future__ import annotations

from typing import Any

from app.wifi.entitling import Entitled


def as_attributes(found: Entitled) -> dict[str, Any]:
    return {
        "control:SSHA2-256-Password": _attribute(f"0x{found.ssha2_256}"),
        "reply:Session-Timeout": _attribute(found.session_timeout),
    }


def _attribute(value: str | int) -> dict[str, Any]:
    """`do_xlat` is true where it is not said: FreeRADIUS would expand %{User-Password} in a value."""
    return {"op": ":=", "value": [value], "do_xlat": False}
