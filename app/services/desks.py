"""Desks: what they check, whether they may see who it is, and the tablets paired with them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import or_, select, update

from app import audit
from app.benefits.models import Benefit
from app.errors import Refusal
from app.extensions import changed_rows, db
from app.services.models import DeskDevice, Service

LINK_LIFE = timedelta(minutes=15)
DEVICE_LIFE = timedelta(days=90)
LONGEST_NAME = 60


def list_desks() -> list[Service]:
    """The services whose staff scan cards."""
    found = db.session.execute(select(Service).order_by(Service.name)).scalars()
    return [service for service in found if service.has_scope("scan")]


def get_desk(service_id: int) -> Service:
    """Raises Refusal 404."""
    service = db.session.get(Service, service_id)
    if service is None or not service.has_scope("scan"):
        raise Refusal("unknown_desk", _("There is no such desk."), 404)
    return service


def change_desk(desk: Service, benefit: Benefit | None, sees_who: bool, now: datetime) -> None:
    """Which benefit the desk checks (none: membership alone), and whether it sees name and photo."""
    scopes = {*desk.scopes.split(",")} - {"identity"} | ({"identity"} if sees_who else set())
    changes = {"benefit_id": benefit.id if benefit else None, "scopes": ",".join(sorted(scopes))}
    if any(getattr(desk, name) != value for name, value in changes.items()):
        for name, value in changes.items():
            setattr(desk, name, value)
        db.session.flush()
        db.session.expire(desk, ["benefit"])
        audit.record("desk_changed", f"service:{desk.id}", now, scopes=desk.scopes, benefit=desk.benefit_id)


def add_device(desk: Service, name: str, now: datetime) -> tuple[DeskDevice, str]:
    """A device to be paired, and the token of its link, which is shown this once. Raises Refusal."""
    name = name.replace("\0", "").strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Refusal("bad_device_name", _("Give the device a name of at most 60 letters, such as Blue tablet."))
    token = secrets.token_urlsafe(32)
    device = DeskDevice(
        service_id=desk.id, name=name, link_hash=_hash(token), link_expires_at=now + LINK_LIFE, added_at=now
    )
    db.session.add(device)
    db.session.flush()
    audit.record("device_added", f"device:{device.id}", now, desk=desk.id)
    return device, token


def find_device_of_link(token: str, now: datetime) -> DeskDevice | None:
    """The device that a link would pair, while the link is good."""
    device = db.session.execute(select(DeskDevice).where(DeskDevice.link_hash == _hash(token))).scalar_one_or_none()
    return device if device and _is_waiting(device, now) else None


def pair_device(token: str, now: datetime) -> tuple[DeskDevice, str]:
    """Use a link once; answers the token that the device keeps. Raises Refusal."""
    device = find_device_of_link(token, now)
    kept = secrets.token_urlsafe(32)
    once = update(DeskDevice).where(
        DeskDevice.link_hash == _hash(token), DeskDevice.paired_at.is_(None), DeskDevice.revoked_at.is_(None)
    )
    paired = {"token_hash": _hash(kept), "paired_at": now, "expires_at": now + DEVICE_LIFE, "last_seen_at": now}
    if device is None or changed_rows(once.values(paired)) != 1:
        raise link_used()
    db.session.refresh(device)
    audit.record("device_paired", f"device:{device.id}", now, desk=device.service_id)
    return device, kept


def link_used() -> Refusal:
    detail = _("This link was used already or is too old. Ask the administrator for a new one.")
    return Refusal("link_used", detail, 410)


def find_devices(tokens: Collection[str]) -> list[DeskDevice]:
    """The devices whose tokens these are, live or not, those paired last at the end."""
    hashes = [_hash(token) for token in tokens]
    query = select(DeskDevice).where(DeskDevice.token_hash.in_(hashes)).order_by(DeskDevice.paired_at)
    return list(db.session.execute(query).scalars())


def note_seen(device_ids: Collection[int], now: datetime) -> None:
    db.session.execute(update(DeskDevice).where(DeskDevice.id.in_(device_ids)).values(last_seen_at=now))


def list_devices(desk: Service, now: datetime) -> list[DeskDevice]:
    """Those paired, live or ended, and those whose link waits; the newest first."""
    waits = (DeskDevice.link_expires_at > now) & DeskDevice.revoked_at.is_(None)
    query = select(DeskDevice).where(
        DeskDevice.service_id == desk.id, or_(DeskDevice.paired_at.is_not(None), waits)
    )  # fmt: skip
    return list(db.session.execute(query.order_by(DeskDevice.id.desc())).scalars())


def revoke_device(desk: Service, device_id: int, now: datetime) -> DeskDevice:
    """End a pairing, or a link that waits, at once. Raises Refusal 404 for a device of another desk."""
    device = db.session.get(DeskDevice, device_id, with_for_update=True)
    if device is None or device.service_id != desk.id:
        raise Refusal("unknown_device", _("There is no such device."), 404)
    if device.revoked_at is None:
        device.revoked_at = now
        db.session.flush()
        audit.record("device_revoked", f"device:{device.id}", now, desk=desk.id)
    return device


def state_of(device: DeskDevice, now: datetime) -> str:
    """waiting (for its link to be opened), live, expired or revoked."""
    if device.revoked_at is not None:
        return "revoked"
    if device.expires_at is None:
        return "waiting"
    return "live" if now < device.expires_at else "expired"


def _is_waiting(device: DeskDevice, now: datetime) -> bool:
    return state_of(device, now) == "waiting" and now < device.link_expires_at


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
