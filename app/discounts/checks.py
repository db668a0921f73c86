"""The check of @access.service, for whoever sends a token of client credentials in place of a service key."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.discounts.tokens import ALONE, find_token
from app.errors import Refusal
from app.services import service as services
from app.services.keys import Asking


def check_service(scope: Any) -> None:
    """A token that a service drew for itself does what it was drawn for, and is nobody's sign-in."""
    scheme, _space, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip().startswith(ALONE):
        return services.check_service(scope)
    row = find_token(bearer.strip(), clock.now())
    if row is None or row.connection_id is not None:
        raise Refusal("unknown_service_key", _("This token is not good, or not any more."), 401)
    service = row.client.service
    scopes = ",".join(it for it in row.scopes.split() if service.has_scope(it))
    g.service, g.actor = Asking(service.id, service.name, scopes, service.benefit_id, 0), f"service:{service.id}"
    if not g.service.has_scope(scope):
        raise Refusal("missing_scope", _("This token has no scope %(scope)s.", scope=scope), 403)
    return None


def register_checks() -> None:
    access.register_check("service", check_service)
