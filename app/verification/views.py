"""The scanner's page, and the page a stranger's phone opens from a card."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from app import clock
from app.accounts import access
from app.cards.service import STATUS_PATH
from app.extensions import limiter
from app.services.at_desk import at_desk, open_desks
from app.verification import rules, service

bp = Blueprint("verification", __name__)


@bp.get("/scan")
@access.desk_even_ended
def scan() -> ResponseReturnValue:
    """The scanner of one desk. Nothing secret is in it: a device keeps the page and opens it without signal."""
    desks = open_desks()
    chosen = request.args.get("desk", "")
    if not chosen:
        if len(desks) == 1:
            return redirect(url_for("verification.scan", desk=desks[0].id))
        return render_template("verification/desks.html", desks=desks)
    who = at_desk(whole(chosen), even_ended=True)
    if who.ended:
        config = {"desk": who.desk.id, "uploads_url": url_for("verification.upload"), "csrf": generate_csrf()}
        page = render_template("verification/pairing_ended.html", device=who.device, ended=who.ended, config=config)
        return page, 403
    config = {
        "desk": who.desk.id,
        "facts_url": url_for("verification.facts"),
        "verify_url": url_for("verification.verify_scan"),
        "uploads_url": url_for("verification.upload"),
        "count_url": url_for("verification.count"),
        "undo_url": url_for("verification.undo"),
        "log_url": url_for("verification.log"),
        "status_url": STATUS_PATH,
        "wasm_url": url_for("static", filename="vendor/zxing_reader.wasm"),
        "worker_url": url_for("scanner.worker"),
    }
    benefit = who.desk.benefit
    shown = SimpleNamespace(id=who.desk.id, name=who.desk.name, benefit_name=benefit.name if benefit else None)
    return render_template("verification/scan.html", desk=shown, config=config)


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


def whole(text: str) -> int:
    """A row's id out of an address; 0, which is nobody's, for anything else."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0
