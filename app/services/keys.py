"""The keys of services: made, rotated, revoked, and recognised quickly.

A key is 256 random bits, shown once; SHA-256 of it is kept. A process remembers whose key it is for REMEMBERED, so
that most requests ask the database nothing of it: a revoked key, or a change of scopes, is heeded by the process that
made it at once, by others within that time.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from flask import Flask, Response, after_this_request, current_app, g
from flask_babel import gettext as _
from sqlalchemy import or_, select, update
from sqlalchemy.exc import OperationalError

from app import audit, clock
from app.benefits.models import Benefit
from app.errors import Refusal
from app.extensions import db
from app.services.models import Service, ServiceKey

log = structlog.get_logger()

REMEMBERED = 15  # seconds
NOTED_EVERY = timedelta(minutes=1)
SLOTS = (1, 2)
LONGEST_LABEL = 60


@dataclass(frozen=True)
class Asking:
    """The service whose key came with a request, as plain values: `g.service`."""

    id: int
    name: str
    scopes: str
    benefit_id: int | None
    key_id: int

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes.split(",")

    @property
    def benefit(self) -> Benefit | None:
        """What is meant when a request names none."""
        return db.session.get(Benefit, self.benefit_id) if self.benefit_id else None


@dataclass
class _Memory:
    """Of one process and application: whose key a hash is and until when that is believed, when a use was noted."""

    known: dict[str, tuple[Asking, float]] = field(default_factory=dict)
    noted: dict[int, float] = field(default_factory=dict)


def find_service_by_key(key: str) -> Asking | None:
    """Whose key this is, while it is live."""
    memory, digest = _memory(), _hash(key)
    known = memory.known.get(digest)
    if known is not None and time.monotonic() < known[1]:
        return known[0]
    query = (
        select(Service.id, Service.name, Service.scopes, Service.benefit_id, ServiceKey.id)
        .join(Service, Service.id == ServiceKey.service_id)
        .where(ServiceKey.key_hash == digest, ServiceKey.revoked_at.is_(None))
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        memory.known.pop(digest, None)
        return None
    asking = Asking(*row)
    memory.known[digest] = (asking, time.monotonic() + REMEMBERED)
    return asking


def forget_keys() -> None:
    """Ask the database anew whose keys they are: something about a service has changed."""
    _memory().known.clear()


def keys_of(service_id: int) -> list[ServiceKey]:
    """Live and revoked, the newest first."""
    query = select(ServiceKey).where(ServiceKey.service_id == service_id)
    return list(db.session.execute(query.order_by(ServiceKey.id.desc())).scalars())


def add_key(service: Service, label: str, now: datetime) -> tuple[ServiceKey, str]:
    """One more key, which is shown this once. Raises Refusal where two are live."""
    label = label.replace("\0", "").strip()
    if len(label) > LONGEST_LABEL:
        raise Refusal("bad_label", _("A key’s name has at most 60 letters."))
    db.session.get_one(Service, service.id, with_for_update=True)  # of two who add at once, one after the other
    taken = {key.slot for key in keys_of(service.id)}
    free = [slot for slot in SLOTS if slot not in taken]
    if not free:
        raise Refusal("two_keys", _("Two keys are live. Revoke the old one first, once nothing uses it."), 409)
    secret = f"carnet_{secrets.token_urlsafe(32)}"
    key = ServiceKey(service_id=service.id, label=label, slot=free[0], key_hash=_hash(secret), created_at=now)
    db.session.add(key)
    db.session.flush()
    audit.record("key_added", f"service:{service.id}", now, key=key.id)
    return key, secret


def revoke_key(service: Service, key_id: int, now: datetime) -> ServiceKey:
    """Refuse a key from now on; twice is once. Raises Refusal 404 for another service's."""
    key = db.session.get(ServiceKey, key_id, with_for_update=True)
    if key is None or key.service_id != service.id:
        raise Refusal("unknown_key", _("This service has no such key."), 404)
    if key.revoked_at is None:
        key.revoked_at, key.slot = now, None
        db.session.flush()
        audit.record("key_revoked", f"service:{service.id}", now, key=key.id)
    forget_keys()
    return key


def note_use(asking: Asking) -> None:
    """Once a minute, after the answer has gone out, write that a key was used."""
    noted, moment = _memory().noted, time.monotonic()
    if moment < noted.get(asking.key_id, 0) + NOTED_EVERY.total_seconds():
        return
    noted[asking.key_id] = moment
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    now = clock.now()

    @after_this_request
    def later(response: Response) -> Response:
        response.call_on_close(lambda: _note(app, asking.key_id, now))
        return response


def _note(app: Flask, key_id: int, now: datetime) -> None:
    """Skips a row that somebody else is writing: then it is they who note it."""
    with app.app_context():
        g.may_write = True
        due = or_(ServiceKey.last_used_at.is_(None), ServiceKey.last_used_at <= now - NOTED_EVERY)
        row = select(ServiceKey.id).where(ServiceKey.id == key_id, due).with_for_update(skip_locked=True)
        statement = update(ServiceKey).where(ServiceKey.id.in_(row)).values(last_used_at=now)
        try:
            db.session.execute(statement, execution_options={"synchronize_session": False})
            db.session.commit()
        except OperationalError as problem:  # a busy database: the next use is noted
            db.session.rollback()
            log.info("key_use_not_noted", exc_info=problem)


def _memory() -> _Memory:
    memory: _Memory = current_app.extensions.setdefault("service_keys", _Memory())
    return memory


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
