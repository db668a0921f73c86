"""What FreeRADIUS asks (rlm_rest): may a device sign in, what a session did, that a sign-in was refused.

Every call carries a service key of scope `radius`, since the answer to `authorize` holds a password's hash. A refused
device is answered 404, "no such user": 401 and 403 mean that the key is wrong, and then FreeRADIUS asks the database.
"""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app import clock
from app.accounts import access
from app.errors import Refusal
from app.extensions import db, only_read
from app.wifi import service
from app.wifi.accounting import Report
from app.wifi.attributes import as_attributes

LARGEST_BODY = 4000  # bytes
LONGEST_TEXT = 253  # bytes that a RADIUS attribute can hold
MOST_SECONDS = 400 * 86400
bp = Blueprint("radius", __name__, url_prefix="/radius/v1")


@bp.post("/authorize")
@access.service("radius")
def authorize() -> ResponseReturnValue:
    """The hash that FreeRADIUS compares the secret with, and how long a session may last."""
    only_read()
    name = _text("username")
    found = service.find_in_view(name) or service.entitlement(name, clock.now(), clock.today())
    db.session.commit()  # nothing was written, but after a rollback psycopg forgets the statement it has prepared
    if isinstance(found, service.Refused):
        raise Refusal(found.reason, "This device may not sign in.", 404)
    return as_attributes(found)


@bp.post("/accounting")
@access.service("radius")
def accounting() -> ResponseReturnValue:
    """Start, update or end of a session; always taken, or the controller would send it for ever."""
    report = Report(
        kind=_text("status"), acct_unique_id=_text("unique_id"), username=_text("username"),
        controller=_text("controller") or None, session_ref=_text("session_id") or None,
        seconds=min(_number("seconds"), MOST_SECONDS), delay=min(_number("delay"), MOST_SECONDS),
        octets_sent=_octets("input"), octets_received=_octets("output"), cause=_text("cause") or None,
    )  # fmt: skip
    service.note_accounting(report, clock.now())
    db.session.commit()
    return "", 204


@bp.post("/post-auth")
@access.service("radius")
def post_auth() -> ResponseReturnValue:
    """A sign-in was refused; why, we know ourselves."""
    service.note_refusal(_text("username"), clock.now(), clock.today())
    db.session.commit()
    return "", 204


def _text(name: str) -> str:
    request.max_content_length = LARGEST_BODY
    try:
        body = request.get_json()
    except (BadRequest, RecursionError):
        raise Refusal("bad_json", "The body is not JSON.") from None
    value = body.get(name, "") if isinstance(body, dict) else ""
    if not isinstance(value, str):
        return ""
    return value.encode(errors="ignore").decode().replace("\0", "")[:LONGEST_TEXT]  # what a database takes


def _number(name: str) -> int:
    """Attributes come as text; one that was not sent is empty."""
    text = _text(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _octets(direction: str) -> int:
    """A 32-bit counter and how often it has wrapped."""
    return min(_number(f"{direction}_gigawords") * 2**32 + _number(f"{direction}_octets"), 2**63 - 1)
