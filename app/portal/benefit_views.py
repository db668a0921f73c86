"""A member's benefits, and the codes drawn for some of them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.benefits.codes import draw_code, live_codes
from app.benefits.service import find_benefit
from app.errors import Refusal
from app.extensions import db, limiter
from app.people.models import Person
from app.portal.benefit_facts import benefit_facts
from app.services.service import list_services

bp = Blueprint("member_benefits", __name__)


@bp.get("/benefits")
@access.signed_in
def index() -> ResponseReturnValue:
    person = current_person()
    if person is None:
        return redirect(url_for("payments.join"))
    return _page(person)


@bp.post("/benefits/<benefit_code>/code")
@access.signed_in
@limiter.limit("30 per hour")
def draw(benefit_code: str) -> ResponseReturnValue:
    """A new code, shown this once."""
    person, benefit, now = current_person(), find_benefit(benefit_code), clock.now()
    if person is None or benefit is None:
        raise Refusal("unknown_benefit", _("There is no such benefit."), 404)
    try:
        drawn = draw_code(benefit, person.id, now, clock.today())
    except Refusal as refusal:
        db.session.rollback()
        flash(refusal.detail, "warn")
        return _page(person), refusal.status
    expires_at = live_codes(benefit, person.id, now)[-1].expires_at
    db.session.commit()
    partner = next((it.name for it in list_services() if it.id == benefit.partner_id), None)
    return render_template(
        "portal/benefit_code.html", benefit=benefit, partner=partner, code=drawn, expires_at=expires_at
    )


def _page(person: Person) -> str:
    facts = benefit_facts(person, clock.now(), clock.today())
    return render_template("portal/benefits.html", form=FlaskForm(), **facts)
