"""Sessions end when what they stand on ends: a device is revoked, a membership refunded or put on hold."""

from __future__ import annotations

from datetime import datetime

import structlog

from app import jobs
from app.extensions import db
from app.wifi import disconnecting
from app.wifi.models import WifiCredential
from app.wifi.network import controllers, find_network

log = structlog.get_logger()


def end_refused(now: datetime, person_id: int) -> None:
    """Have each access controller asked about each device of this person that may not go on: one job for each, so that
    one which does not answer is asked again alone."""
    for credential_id in disconnecting.devices_to_end(person_id, now):
        for controller in controllers():
            jobs.enqueue("wifi_disconnect_at", now, credential_id=credential_id, controller=controller.name)
    db.session.commit()


def end_at(now: datetime, credential_id: int, controller: str) -> None:
    """Ask one controller, unless the device may go on again or the controller is no longer configured."""
    credential = db.session.get_one(WifiCredential, credential_id)
    asked = next((it for it in controllers() if it.name == controller), None)
    network = find_network()
    if asked is None or network is None or disconnecting.may_go_on(credential.username, now):
        db.session.rollback()
        return
    identity, sessions = network.identity(credential.username), disconnecting.sessions_at(credential_id, asked)
    db.session.rollback()  # no transaction is open while a controller takes its time
    for session_ref in sessions:
        was_there = disconnecting.end_session(asked, identity, session_ref, now)
        log.info("wifi_disconnect", credential=credential_id, controller=controller, was_there=was_there)


def register() -> None:
    jobs.handles("membership_changed", end_refused)
    jobs.handles("wifi_disconnect", end_refused)
    jobs.handles("wifi_disconnect_at", end_at)
