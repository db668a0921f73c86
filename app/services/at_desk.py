"""Who scans: staff who may, or a tablet for the desk it is paired with. The check of @access.desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts.signed_in import check_staff, current_account, may
from app.errors import Refusal
from app.extensions import READING_METHODS, begin_writing, db
from app.services import desks
from app.services.models import DeskDevice, Service

SEEN_EVERY = timedelta(minutes=5)
MOST_PAIRINGS = 20  # of one browser


@dataclass(frozen=True)
class AtDesk:
    """Somebody at a desk: an account of staff's, or a device. `ended` is "expired" or "revoked" of a pairing."""

    desk: Service
    account_id: int | None
    device: DeskDevice | None
    ended: str | None

    @property
    def actor(self) -> str:
        return f"device:{self.device.id}" if self.device else f"account:{self.account_id}"


def check_desk(purpose: str) -> ResponseReturnValue | None:
    """`purpose` is "scan", or "upload": that is open to a device whose pairing has ended, too."""
    g.desk_devices = {}
    if may("scan"):
        return None
    now = clock.now()
    devices = desks.find_devices(_tokens())
    if not devices:
        return check_staff("scan")
    g.actor = f"device:{devices[-1].id}"
    g.desk_devices = {device.service_id: device for device in devices}
    live = [device for device in devices if desks.state_of(device, now) == "live"]
    g.desk_devices |= {device.service_id: device for device in live}
    if not live and purpose == "scan":
        raise _ended(desks.state_of(devices[-1], now))
    unseen = [it.id for it in live if it.last_seen_at is None or now > it.last_seen_at + SEEN_EVERY]
    if unseen:
        if request.method in READING_METHODS:
            begin_writing()
        desks.note_seen(unseen, now)
        db.session.commit()
    return None


def at_desk(desk_id: int, even_ended: bool = False) -> AtDesk:
    """Who asks for this desk. Raises Refusal: no such desk, not paired with it, or paired no longer."""
    if may("scan"):
        return AtDesk(desks.get_desk(desk_id), current_account().id, None, None)
    device: DeskDevice | None = g.desk_devices.get(desk_id)
    if device is None:
        detail = _("This tablet is not paired with that desk. Ask the administrator for a link.")
        raise Refusal("not_paired", detail, 401)
    state = desks.state_of(device, clock.now())
    ended = None if state == "live" else state
    if ended and not even_ended:
        raise _ended(ended)
    g.actor = f"device:{device.id}"
    return AtDesk(desks.get_desk(desk_id), None, device, ended)


def open_desks() -> list[Service]:
    """The desks that whoever asks may choose from."""
    return [desk for desk in desks.list_desks() if may("scan") or desk.id in g.desk_devices]


def keep_pairing(response: Response, device: DeskDevice, token: str) -> None:
    """Put a pairing into the browser: a cookie for each desk, as safe as a session's.

    It outlives the pairing, so that scans which still wait on the tablet can be sent.
    """
    response.set_cookie(
        f"{_prefix()}{device.service_id}", token, max_age=2 * desks.DEVICE_LIFE, httponly=True, samesite="Lax",
        secure=current_app.config["HTTPS"],
    )  # fmt: skip


def _tokens() -> list[str]:
    return [value for name, value in request.cookies.items() if name.startswith(_prefix())][:MOST_PAIRINGS]


def _prefix() -> str:
    return "__Host-carnet-desk-" if current_app.config["HTTPS"] else "carnet-desk-"


def ended_detail() -> str:
    return _("This tablet’s pairing has ended. Ask the administrator for a new link.")


def _ended(state: str) -> Refusal:
    return Refusal(f"device_{state}", ended_detail(), 401)
