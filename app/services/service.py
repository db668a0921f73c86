"""Campus services' front door."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import current_app, g, request
from sqlalchemy import select

from app import audit
from app.accounts import access
from app.benefits.models import Benefit
from app.errors import Refusal
from app.extensions import db
from app.services.at_desk import check_desk
from app.services.models import Service, ServiceKey

SCOPES = ("verify", "verify:number", "scan", "identity")


def add_service(name: str, scopes: Sequence[str], benefit: Benefit | None, now: datetime) -> tuple[Service, str]:
    """A new service and its key, which is shown this once. Raises Refusal for an unknown scope or a name in use."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Refusal("unknown_scope", f"Scopes are {', '.join(SCOPES)}; not {', '.join(unknown) or 'none'}.")
    if "identity" in scopes and "scan" not in scopes:
        raise Refusal("identity_without_scan", "Scope identity is of desks: it goes with scope scan.")
    if not name.strip():
        raise Refusal("bad_service", "A service needs a name.")
    if db.session.execute(select(Service).where(Service.name == name.strip())).first():
        raise Refusal("service_exists", f"There is a service {name.strip()!r} already.", 409)
    service = Service(
        name=name.strip(),
        scopes=",".join(sorted(set(scopes))),
        benefit_id=benefit.id if benefit else None,
        created_at=now,
    )
    db.session.add(service)
    db.session.flush()
    key = f"carnet_{secrets.token_urlsafe(32)}"
    db.session.add(ServiceKey(service_id=service.id, key_hash=_hash(key), created_at=now))
    db.session.flush()
    audit.record("service_added", f"service:{service.id}", now, scopes=service.scopes)
    return service, key


def find_service_by_key(key: str) -> Service | None:
    query = select(Service).join(ServiceKey).where(ServiceKey.key_hash == _hash(key), ServiceKey.revoked_at.is_(None))
    return db.session.execute(query).scalar_one_or_none()


def list_services() -> list[Service]:
    return list(db.session.execute(select(Service).order_by(Service.name)).scalars())


def subject_for(service_id: int, person_id: int) -> str:
    """What this service knows a person by: stable for it, useless to another service."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(key, f"subject:{service_id}:{person_id}".encode(), "sha256").hex()[:32]


def check_service(scope: Any) -> None:
    """The check of @access.service(scope): a bearer key, known and with that scope."""
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    service = find_service_by_key(key.strip()) if scheme.lower() == "bearer" else None
    if service is None:
        raise Refusal("unknown_service_key", "Send a valid service key as Authorization: Bearer.", 401)
    if not service.has_scope(scope):
        raise Refusal("missing_scope", f"This key has no scope {scope}.", 403)
    g.service, g.actor = service, f"service:{service.id}"


def register_checks() -> None:
    access.register_check("service", check_service)
    access.register_check("desk", check_desk)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
