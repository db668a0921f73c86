"""A member's connections to other sites, and the administrator's list of those sites."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.discounts import connections, service
from app.discounts.claims import issuer
from app.errors import Refusal
from app.extensions import db

bp = Blueprint("connections", __name__)


@bp.get("/account/connections")
@access.signed_in
def index() -> ResponseReturnValue:
    """Where a membership was used to sign in, and what was allowed there."""
    person = current_person()
    if person is None:
        return redirect(url_for("portal.account"))
    shown = [
        SimpleNamespace(
            id=it.id, name=it.client.service.name, scopes=it.scopes.split(), allowed_at=it.allowed_at,
            expires_on=clock.day_of(it.expires_at), last_used_at=it.last_used_at,
        )
        for it in connections.connections_of(person.id, clock.now())
    ]  # fmt: skip
    return render_template("discounts/connections.html", connections=shown, form=FlaskForm())


@bp.post("/account/connections/<connection_id>/end")
@access.signed_in
def end(connection_id: str) -> ResponseReturnValue:
    person = current_person()
    number = int(connection_id) if connection_id.isdecimal() and len(connection_id) < 10 else 0
    if person is None:
        raise Refusal("unknown_connection", _("There is no such connection."), 404)
    name = connections.end_connection(person.id, number, clock.now()).client.service.name
    db.session.commit()
    flash(_("%(name)s learns nothing more about you.", name=name), "ok")
    return redirect(url_for("connections.index"), 303)


@bp.get("/admin/openid")
@access.admin
def clients() -> ResponseReturnValue:
    counts = connections.count_by_client(clock.now())
    shown = [
        SimpleNamespace(
            name=it.service.name, client_id=it.client_id, redirect_uris=it.redirect_uris.split(),
            scopes=it.scopes.split(), ended_at=it.ended_at, people=counts.get(it.id, (0, None))[0],
            last_used_at=counts.get(it.id, (0, None))[1],
        )
        for it in service.list_clients()
    ]  # fmt: skip
    return render_template("discounts/clients.html", clients=shown, issuer=issuer())
