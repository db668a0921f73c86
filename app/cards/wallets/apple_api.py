"""The web service that Wallet calls, after Apple's "PassKit Web Service Reference"; `webServiceURL` leads here.

A device proves by a pass's token that it holds the pass. Its own name, which it alone knows, is what it asks for
changes by.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import delete
from werkzeug.http import http_date

from app import clock, jobs
from app.accounts import access
from app.cards.facts import facts_of
from app.cards.wallets import passes
from app.cards.wallets.apple_certificate import AppleCertificate
from app.cards.wallets.apple_pass import MIMETYPE, SERVICE_PATH, pkpass, token_for
from app.cards.wallets.models import WalletRegistration
from app.cards.wallets.setup import apple_certificate
from app.errors import Refusal
from app.extensions import db, limiter

bp = Blueprint("apple_wallet", __name__, url_prefix=f"{SERVICE_PATH}/v1")
log = structlog.get_logger()

SERIAL = re.compile(r"0|[1-9]\d{0,12}", re.ASCII)
DEVICE = re.compile(r"[0-9A-Za-z._-]{1,100}", re.ASCII)
PUSH_TOKEN = re.compile(r"[0-9a-fA-F]{32,200}", re.ASCII)
TAG = re.compile(r"\d{1,11}", re.ASCII)
PRIVATE_WORD = re.compile(r"\S*\d{4}\S*|\S*@\S*|\S{25,}")
SETTLED = timedelta(seconds=10)
LOG_LINES, LOG_LENGTH = 5, 300

holder_of_pass = access.mark("apple_pass")


@bp.post("/devices/<device>/registrations/<pass_type>/<serial>")
@holder_of_pass
@limiter.limit("60 per minute")
def register(device: str, pass_type: str, serial: str) -> ResponseReturnValue:
    """201 when it is new, 200 when it was known."""
    body = request.get_json(silent=True)
    token = body.get("pushToken") if isinstance(body, dict) else None
    if not isinstance(token, str) or not PUSH_TOKEN.fullmatch(token) or not DEVICE.fullmatch(device):
        return Response(status=400)
    now, card = clock.now(), passes.find_card_by_serial(serial)
    if card is None:
        return Response(status=401)
    row = passes.keep_pass(card, "apple", facts_of(card, now, clock.today()), now)
    is_new = passes.register_device(row, device, token.lower(), now)
    if is_new is None:
        return Response(status=403)
    if is_new:  # a pass may have been kept as a file for days: its device asks for the latest at once
        jobs.enqueue("tell_wallet", now, pass_id=row.id)
    db.session.commit()
    return Response(status=201 if is_new else 200)


@bp.delete("/devices/<device>/registrations/<pass_type>/<serial>")
@holder_of_pass
@limiter.limit("60 per minute")
def unregister(device: str, pass_type: str, serial: str) -> ResponseReturnValue:
    """200, whether or not it was registered."""
    row = passes.find_pass(serial, "apple")
    if row is not None:
        held = (WalletRegistration.pass_id == row.id) & (WalletRegistration.device == device)
        db.session.execute(delete(WalletRegistration).where(held))
        db.session.commit()
    return Response(status=200)


@bp.get("/devices/<device>/registrations/<pass_type>")
@access.public
@limiter.limit("60 per minute")
def updatable(device: str, pass_type: str) -> ResponseReturnValue:
    """Serials of this device's passes that changed since the tag it was given last; 204 when there is none."""
    certificate, tag = _certificate(), request.args.get("passesUpdatedSince", "")
    since = datetime.fromtimestamp(int(tag), UTC) if TAG.fullmatch(tag) else None
    found = passes.changed_since(device, since) if pass_type == certificate.pass_type else []
    if not found:
        return Response(status=204)
    # Two passes may change in one second and be written one after the other: a tag that new leaves room for the second.
    last = min(max(changed_at for _serial, changed_at in found), clock.now() - SETTLED)
    return jsonify(serialNumbers=[serial for serial, _changed_at in found], lastUpdated=str(int(last.timestamp())))


@bp.get("/passes/<pass_type>/<serial>")
@holder_of_pass
@limiter.limit("60 per minute")
def latest(pass_type: str, serial: str) -> ResponseReturnValue:
    """The pass as it is now; 304 when it has not changed since the device took it."""
    now, card = clock.now(), passes.find_card_by_serial(serial)
    if card is None:
        return Response(status=401)
    row, known = passes.find_pass(serial, "apple"), request.if_modified_since
    if row is not None and known is not None and row.changed_at <= known:
        return Response(status=304)
    response = Response(pkpass(facts_of(card, now, clock.today()), _certificate()), mimetype=MIMETYPE)
    if row is not None:
        response.headers["Last-Modified"] = http_date(row.changed_at)
    return response


@bp.post("/log")
@access.public
@limiter.limit("20 per minute")
def hear() -> ResponseReturnValue:
    """What devices complain of, without what could name a pass or a person."""
    _certificate()
    body = request.get_json(silent=True)
    lines = body.get("logs") if isinstance(body, dict) else None
    for line in (lines if isinstance(lines, list) else [])[:LOG_LINES]:
        if isinstance(line, str):
            log.warning("apple_wallet_says", said=PRIVATE_WORD.sub("…", line[:LOG_LENGTH]))
    return Response(status=200)


def check_holder(_argument: Any) -> ResponseReturnValue | None:
    """The check of @holder_of_pass: `Authorization: ApplePass <the pass's token>`."""
    certificate, asked = _certificate(), request.view_args or {}
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    serial = str(asked.get("serial"))
    if (
        scheme == "ApplePass"
        and asked.get("pass_type") == certificate.pass_type
        and SERIAL.fullmatch(serial)
        and hmac.compare_digest(token.encode(), token_for(serial).encode())
    ):
        return None
    return Response(status=401)


def register_checks() -> None:
    access.register_check("apple_pass", check_holder)


def _certificate() -> AppleCertificate:
    certificate = apple_certificate()
    if certificate is None:
        raise Refusal("wallet_not_set_up", _("Apple Wallet is not set up here."), 404)
    return certificate
