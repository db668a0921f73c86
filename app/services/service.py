"""Campus services' front door."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import current_app, g, request
from flask_babel import gettext as _
from sqlalchemy import select

from app import audit
from app.accounts import access
from app.benefits.models import Benefit
from app.errors import Refusal
from app.extensions import db
from app.services import people
from app.services.at_desk import check_desk
from app.services.keys import add_key, find_service_by_key, forget_keys, note_use
from app.services.models import Service

__all__ = ["find_service_by_key"]

SCOPES = (
    "verify", "verify:number", "redeem", "members", "members:number", "members:email", "payments", "scan", "identity",
    "radius", "openid",
)  # fmt: skip
# A scope that only widens another.
WIDENS = {
    "identity": "scan", "verify:number": "verify", "members:number": "members", "members:email": "members",
}  # fmt: skip


def add_service(name: str, scopes: Sequence[str], benefit: Benefit | None, now: datetime) -> tuple[Service, str]:
    """A new service and its key, which is shown this once. Raises Refusal for an unknown scope or a name in use."""
    name = name.replace("\0", "").strip()
    kept = _checked(scopes)
    if not 1 <= len(name) <= 60:
        raise Refusal("bad_service", _("A service needs a name of at most 60 letters."))
    if find_service(name):
        raise Refusal("service_exists", _("There is a service %(name)s already.", name=repr(name)), 409)
    service = Service(name=name, scopes=kept, benefit_id=benefit.id if benefit else None, created_at=now)
    db.session.add(service)
    db.session.flush()
    audit.record("service_added", f"service:{service.id}", now, scopes=service.scopes)
    _key, secret = add_key(service, "", now)
    return service, secret


def change_service(service: Service, scopes: Sequence[str], benefit: Benefit | None, now: datetime) -> None:
    """What a service may ask, and which benefit it means when it names none. Raises Refusal."""
    kept, benefit_id = _checked(scopes), benefit.id if benefit else None
    if (service.scopes, service.benefit_id) == (kept, benefit_id):
        return
    service.scopes, service.benefit_id = kept, benefit_id
    db.session.flush()
    db.session.expire(service, ["benefit"])
    audit.record("service_changed", f"service:{service.id}", now, scopes=kept, benefit=benefit_id)
    forget_keys()


def find_service(name: str) -> Service | None:
    return db.session.execute(select(Service).where(Service.name == name)).scalar_one_or_none()


def get_service(name: str) -> Service:
    """Raises Refusal."""
    service = find_service(name.strip())
    if service is None:
        raise Refusal("unknown_service", _("There is no service %(name)s.", name=repr(name)), 404)
    return service


def list_services() -> list[Service]:
    return list(db.session.execute(select(Service).order_by(Service.name)).scalars())


def subject_for(service_id: int, person_id: int) -> str:
    """What this service knows a person by: stable for it, useless to another service."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"subject:{service_id}:{person_id}".encode(), "sha256").hex()[:32]


def check_service(scope: Any) -> None:
    """The check of @access.service(scope): a bearer key, live and with that scope."""
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    service = find_service_by_key(key.strip()) if scheme.lower() == "bearer" else None
    admit(service, scope)


def admit(service: Any, scope: str) -> None:
    """Let whoever find_service_by_key found ask as `g.service`. Raises Refusal 401 for nobody, 403 without scope."""
    if service is None:
        raise Refusal("unknown_service_key", "Send a valid service key as Authorization: Bearer.", 401)
    if not service.has_scope(scope):
        raise Refusal("missing_scope", f"This key has no scope {scope}.", 403)
    g.service, g.actor = service, f"service:{service.id}"
    note_use(service)


def register_checks() -> None:
    access.register_check("service", check_service)
    access.register_check("desk", check_desk)
    access.register_check("service_account", people.check_service_account)


def _checked(scopes: Sequence[str]) -> str:
    """Scopes as a service keeps them."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        detail = _(
            "Scopes are %(scopes)s; not %(given)s.", scopes=", ".join(SCOPES), given=", ".join(unknown) or _("none")
        )
        raise Refusal("unknown_scope", detail)
    for wide, narrow in WIDENS.items():
        if wide in scopes and narrow not in scopes:
            detail = _("Scope %(wide)s goes with scope %(narrow)s.", wide=wide, narrow=narrow)
            raise Refusal("scope_alone", detail)
    return ",".join(sorted(set(scopes)))
