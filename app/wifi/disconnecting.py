"""Ending a session that runs: a Disconnect-Request (RFC 5176) to an access controller.

A request names the device by the user name it was let in with, and the session where accounting told of one. A
controller that knows no such session answers so, and that is as good as ended: asking twice does no harm. Where no
controller is configured, or none answers, Session-Timeout ends the session, after eight hours at most.
"""

from __future__ import annotations

import struct
from contextlib import closing
from datetime import datetime, timedelta

from pyrad import packet
from pyrad.client import Client, Timeout
from sqlalchemy import or_, select

from app import clock
from app.extensions import db
from app.wifi import rules
from app.wifi.models import WifiCredential, WifiSession
from app.wifi.network import Controller
from app.wifi.service import Entitled, entitlement

USER_NAME, ACCT_SESSION_ID, EVENT_TIMESTAMP, ERROR_CAUSE = 1, 44, 55, 101
NO_SUCH_SESSION = 503  # "Session Context Not Found"
TRIES, TIMEOUT = 2, 3  # seconds for each


class ControllerTrouble(OSError):
    """An access controller that does not answer, or will not do it."""


class _Client(Client):
    def close(self) -> None:
        self._CloseSocket()


def end_session(controller: Controller, identity: str, session_ref: str | None, now: datetime) -> bool:
    """True when it was ended, False when there was none. Raises ControllerTrouble, or OSError for an unknown host."""
    client = _Client(controller.host, coaport=controller.port, secret=controller.secret, retries=TRIES, timeout=TIMEOUT)
    request = client.CreateCoAPacket(code=packet.DisconnectRequest, message_authenticator=True)
    request[USER_NAME] = [identity.encode()]
    request[EVENT_TIMESTAMP] = [struct.pack("!I", int(now.timestamp()))]
    if session_ref:
        request[ACCT_SESSION_ID] = [session_ref.encode()]
    with closing(client):
        try:
            reply = client.SendPacket(request)
        except Timeout:
            raise ControllerTrouble(f"{controller.name} does not answer") from None
    if reply.code == packet.DisconnectACK:
        return True
    cause = int.from_bytes(reply.get(ERROR_CAUSE, [b""])[0], "big")
    if reply.code == packet.DisconnectNAK and cause == NO_SUCH_SESSION:
        return False
    raise ControllerTrouble(f"{controller.name} refuses: error cause {cause}")


def devices_to_end(person_id: int, now: datetime) -> list[int]:
    """Ids of a person's devices that may have a session and may not go on with it."""
    longest = now - timedelta(seconds=rules.LONGEST_SESSION)
    query = select(WifiCredential).where(
        WifiCredential.person_id == person_id,
        or_(WifiCredential.revoked_at.is_(None), WifiCredential.revoked_at > longest),
    )
    found = db.session.execute(query.order_by(WifiCredential.id)).scalars()
    return [it.id for it in found if not may_go_on(it.username, now)]


def may_go_on(username: str, now: datetime) -> bool:
    return isinstance(entitlement(username, now, clock.day_of(now)), Entitled)


def sessions_at(credential_id: int, controller: Controller) -> list[str | None]:
    """What a controller calls the device's open sessions there; [None], by user name alone, where we know of none."""
    query = select(WifiSession.session_ref).where(
        WifiSession.credential_id == credential_id, WifiSession.stopped_at.is_(None),
        WifiSession.controller == controller.host, WifiSession.session_ref.is_not(None),
    )  # fmt: skip
    return list(db.session.execute(query.order_by(WifiSession.id)).scalars()) or [None]
