"""Who may call a view: each is marked, an unmarked one is refused.

This module only marks and asks; the package that knows how to answer registers the check of a kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue

from app.errors import Refusal

View = TypeVar("View", bound=Callable[..., Any])
Check = Callable[[Any], ResponseReturnValue | None]

_checks: dict[str, Check] = {}


def mark(kind: str, argument: Any = None) -> Callable[[View], View]:
    def marker(view: View) -> View:
        view.access = (kind, argument)  # type: ignore[attr-defined]
        return view

    return marker


public = mark("public")
signed_in = mark("signed_in")
treasurer = mark("staff", "treasurer")
admin = mark("staff", "admin")
signed_by_stripe = mark("signed_by_stripe")
service_account = mark("service_account")  # one of a service's own people
desk = mark("desk", "scan")  # staff who scan, or a paired tablet; the view asks at_desk for which desk
desk_even_ended = mark("desk", "upload")  # a tablet whose pairing has ended, too


def staff(purpose: str) -> Callable[[View], View]:
    """Staff whose role serves `purpose`: "scan"."""
    return mark("staff", purpose)


def service(scope: str) -> Callable[[View], View]:
    """A campus service whose key has `scope`."""
    return mark("service", scope)


def register_check(kind: str, check: Check) -> None:
    """`check(argument)` answers None to let the request pass, else the response or a Refusal."""
    _checks[kind] = check


def enforce(app: Flask) -> None:
    app.before_request(_enforce)


def declared(view: Any) -> tuple[str, Any] | None:
    found: tuple[str, Any] | None = getattr(view, "access", None)
    return found


def _enforce() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    access = declared(current_app.view_functions[request.endpoint])
    if access is None:
        raise Refusal("undeclared_route", "This page is not open to anybody.", 403)
    kind, argument = access
    return None if kind == "public" else _checks[kind](argument)
