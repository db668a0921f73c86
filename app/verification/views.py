"""The staff's scanner, and the page a stranger's phone opens from a card."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, current_app, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_account
from app.cards.service import card_keys
from app.errors import Refusal
from app.extensions import db, limiter
from app.services.service import get_desk, list_desks
from app.verification import rules, service
from app.verification.words import scanner_words

bp = Blueprint("verification", __name__)


@bp.get("/scan")
@access.staff("scan")
def scan() -> ResponseReturnValue:
    desks = list_desks()
    chosen = request.args.get("desk", "")
    if not chosen:
        if len(desks) == 1:
            return redirect(url_for("verification.scan", desk=desks[0].id))
        return render_template("verification/desks.html", desks=desks)
    desk = get_desk(_whole(chosen))
    config = {
        "verify_url": url_for("verification.verify_scan"),
        "desk": desk.id,
        "csrf": generate_csrf(),
        "wasm_url": url_for("static", filename="vendor/zxing_reader.wasm"),
        "jwks": card_keys().public_jwks(clock.today()),
        "card_base_url": current_app.config["CARD_BASE_URL"],
        "server_time": clock.now().isoformat(),
    }
    shown = SimpleNamespace(id=desk.id, name=desk.name, benefit_name=desk.benefit.name if desk.benefit else None)
    return render_template("verification/scan.html", desk=shown, config=config)


@bp.post("/scan/verifications")
@access.staff("scan")
def verify_scan() -> ResponseReturnValue:
    """One scan of a desk: the verdict and the words to show it in."""
    body = _read_scan()
    desk = get_desk(body["desk"])
    verdict = service.verify(
        desk, body["credential"], desk.benefit, body["nonce"], current_account().id, clock.now(), clock.today()
    )
    db.session.commit()
    words = scanner_words(verdict, desk.benefit.name if desk.benefit else None)
    answer = asdict(verdict) | words
    del answer["subject"], answer["tier_name"]
    for name in ("valid_until", "grace_until", "checked_at"):
        answer[name] = answer[name].isoformat() if answer[name] else None
    return jsonify(answer)


@bp.get("/C/<digits>")
@access.public
@limiter.limit("60 per minute")
def public_card(digits: str) -> ResponseReturnValue:
    """Valid or not, and the tier; nothing about the person."""
    reason, tier, check_identity = service.look_at_card(digits, clock.now(), clock.today())
    verdict = SimpleNamespace(valid=reason in rules.VALID, reason=reason, tier=tier, check_identity=check_identity)
    response = make_response(render_template("verification/public_card.html", verdict=verdict))
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0


def _read_scan() -> dict[str, Any]:
    """{"desk": int, "credential": str, "nonce": str}. Raises Refusal."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # brackets in brackets without end
        body = None
    if (
        not isinstance(body, dict)
        or type(body.get("desk")) is not int
        or not 0 < body["desk"] < 10**9
        or not isinstance(body.get("credential"), str)
        or not isinstance(body.get("nonce"), str)
    ):
        raise Refusal("bad_scan", _("The scanner sent something we cannot read. Reload the page."))
    return body
