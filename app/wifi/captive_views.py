"""The captive portal API (RFC 8908): what a device's system asks to know whether it is online, and for how long.

Who asks is known by `?user=`, the user name the device was let in with, which an access controller or a DHCP server
fills into the address it hands out (RFC 8910), for the system that asks keeps no cookies. A browser that is signed in
is known by its session. Anybody else is told where to get in. A name that is unknown, revoked or refused is answered
the same, and one that may go on has been drawn from a million million, so nothing can be found out by asking.
"""

from __future__ import annotations

import json

from flask import Blueprint, Response, current_app, request, url_for
from flask_login import current_user

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.extensions import limiter
from app.wifi.network import get_network
from app.wifi.service import Entitled, entitlement, entitlement_of_person

bp = Blueprint("captive", __name__)


@bp.get("/captive-portal")
@access.public
@limiter.limit("600 per minute")  # a campus network may have one address for everybody on it
def state() -> Response:
    get_network()
    home = current_app.config["BASE_URL"]
    portal = {"user-portal-url": f"{home}{url_for('wifi.devices')}"}
    seconds = _seconds()
    body: dict[str, bool | int | str] = {"captive": True, **portal}
    if seconds is not None:
        body = {"captive": False, **portal, "venue-info-url": f"{home}/", "seconds-remaining": seconds}
    response = Response(json.dumps(body), mimetype="application/captive+json")
    return response


def _seconds() -> int | None:
    """How long a session of whoever asks may last, which is what Session-Timeout says; None: not let in."""
    now, today = clock.now(), clock.today()
    user = request.args.get("user", "")
    if user:
        found = entitlement(user[:255], now, today)
        return found.session_timeout if isinstance(found, Entitled) else None
    person = current_person() if current_user.is_authenticated else None
    allowed = entitlement_of_person(person.id, now, today) if person else ""
    return allowed if isinstance(allowed, int) else None
