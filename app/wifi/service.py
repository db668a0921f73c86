"""Wi-Fi's front door: a member's devices, whether one may sign in, and what was heard of its sessions."""

from __future__ import annotations

import secrets
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, select

from app import audit, jobs
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import lock_person
from app.wifi import rules
from app.wifi.accounting import note_accounting
from app.wifi.entitling import BENEFIT, Entitled, Refused, entitlement, entitlement_of_person, find_in_view
from app.wifi.models import MOST_DEVICES, WifiCredential, WifiSession
from app.wifi.refusals import note_refusal

__all__ = [
    "BENEFIT", "Entitled", "Refused", "entitlement", "entitlement_of_person", "find_in_view", "note_accounting",
    "note_refusal",
]  # fmt: skip


def create_credential(person_id: int, label: str, now: datetime) -> tuple[WifiCredential, str]:
    """A device's user name and its secret, which is shown this once. Raises Refusal: no label, or five devices."""
    kept = rules.clean_label(label)
    if kept is None:
        raise Refusal("bad_label", _("Give the device a name of at most 60 letters, such as My phone."))
    lock_person(person_id)
    taken = set(db.session.execute(_live(person_id).with_only_columns(WifiCredential.slot)).scalars())
    free = [slot for slot in range(1, MOST_DEVICES + 1) if slot not in taken]
    if not free:
        raise Refusal("too_many_devices", _("You have five devices already. Remove one first."), 409)
    secret = rules.new_secret(secrets.choice)
    credential = WifiCredential(
        person_id=person_id, slot=free[0], label=kept, username=rules.new_username(secrets.choice),
        ssha2_256=rules.ssha2_256(secret, secrets.token_bytes(rules.SALT_BYTES)), created_at=now,
    )  # fmt: skip
    db.session.add(credential)
    db.session.flush()
    audit.record("wifi_device_added", f"wifi:{credential.id}", now, person=person_id)
    return credential, secret


def revoke_credential(person_id: int, credential_id: int, now: datetime, by: str) -> WifiCredential:
    """Refuse a device from now on; again changes nothing. Raises Refusal 404 for a device of somebody else.

    `by` is "member" or "staff"; who exactly is the audit entry's actor. A session that runs is ended by the job
    wifi_disconnect.
    """
    credential = db.session.get(WifiCredential, credential_id, with_for_update=True)
    if credential is None or credential.person_id != person_id:
        raise Refusal("unknown_device", _("There is no such device."), 404)
    if credential.revoked_at is None:
        credential.revoked_at, credential.slot = now, None
        db.session.flush()
        audit.record("wifi_device_revoked", f"wifi:{credential.id}", now, person=person_id, by=by)
        jobs.enqueue("wifi_disconnect", now, person_id=person_id)
    return credential


def credentials_of(person_id: int) -> list[WifiCredential]:
    """A person's live devices, oldest first."""
    return list(db.session.execute(_live(person_id).order_by(WifiCredential.id)).scalars())


def sessions_of(person_id: int, most: int = 50) -> list[WifiSession]:
    """The latest sessions of all of a person's devices, revoked ones too, newest first."""
    query = select(WifiSession).join(WifiSession.credential).where(WifiCredential.person_id == person_id)
    return list(db.session.execute(query.order_by(WifiSession.started_at.desc()).limit(most)).scalars())


def _live(person_id: int) -> Select[WifiCredential]:
    return select(WifiCredential).where(WifiCredential.person_id == person_id, WifiCredential.slot.is_not(None))
