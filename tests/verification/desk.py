"""A desk at work: tablets paired with it, and the scans they make with and without signal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.extensions import db
from app.services.desks import add_device
from app.services.models import DeskDevice, Service
from app.verification.models import Verification
from tests.visitor import Visitor


def pair(app: Flask, desk: Service, name: str = "Blue tablet") -> Visitor:
    """A tablet that opened its link and pressed the button."""
    _device, token = add_device(desk, name, clock.now())
    tablet = Visitor(app)
    response = tablet.post(f"/scan/pair/{token}")
    assert response.status_code == 303, response.get_data(as_text=True)
    return tablet


def newest_device() -> DeskDevice:
    db.session.expire_all()
    device: DeskDevice = db.session.query(DeskDevice).order_by(DeskDevice.id.desc()).first()
    return device


def send(visitor: Visitor, path: str, **body: Any) -> TestResponse:
    return visitor.post_json(path, body, **{"X-CSRFToken": visitor.token()})


def scan(visitor: Visitor, desk: Service, code: str, nonce: str) -> dict[str, Any]:
    """With signal."""
    response = send(visitor, "/scan/verifications", desk=desk.id, credential=code, nonce=nonce)
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.json
    return answer


def alone(code: str, nonce: str, at: datetime | None = None, reason: str = "ok", **more: Any) -> dict[str, Any]:
    """A scan as a desk without signal keeps it."""
    at = at or clock.now()
    return {
        "nonce": nonce, "credential": code, "scanned_at": iso(at), "reason": reason, "list_issued_at": iso(at),
        "clock_skew_ms": 12, "undone": None, **more,
    }  # fmt: skip


def upload(visitor: Visitor, desk: Service, *scans: Any) -> dict[str, Any]:
    response = send(visitor, "/scan/uploads", desk=desk.id, scans=list(scans))
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.json
    return answer


def rows() -> dict[str | None, Verification]:
    """By nonce."""
    db.session.expire_all()
    return {row.nonce: row for row in db.session.query(Verification)}


def flags_of(nonce: str) -> set[str]:
    return {flag.why for flag in rows()[nonce].flags}


def iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
