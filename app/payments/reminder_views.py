"""Stopping reminders from a letter: by the page behind its link, or by the mail program itself (RFC 8058)."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app import clock
from app.accounts import access
from app.extensions import csrf, db
from app.memberships import renewal_links
from app.memberships.service import are_reminders_stopped, stop_reminders

bp = Blueprint("reminders", __name__)


@bp.get("/reminders/stop/<token>")
@access.public
def ask(token: str) -> ResponseReturnValue:
    """A mail scanner opens links; only the button stops anything."""
    person_id = renewal_links.read("stop", token, clock.now())
    return render_template("payments/stop_reminders.html", token=token, is_stopped=are_reminders_stopped(person_id))


@bp.post("/reminders/stop/<token>")
@csrf.exempt  # a mail program has no page of ours to take a token from; the link itself is the proof
@access.public
def stop(token: str) -> ResponseReturnValue:
    stop_reminders(renewal_links.read("stop", token, clock.now()), clock.now())
    db.session.commit()
    return render_template("payments/stop_reminders.html", token=token, is_stopped=True)
