"""Pages that gather: the landing, the member's home, why a member."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Blueprint, current_app, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm

from app import clock, jobs
from app.accounts import access
from app.accounts import service as accounts
from app.accounts.signed_in import current_account, current_person
from app.benefits.service import benefit_names
from app.cards.qr import qr_svg
from app.errors import Refusal, problem
from app.extensions import is_migrated
from app.memberships.service import (
    condition_words,
    is_closed,
    list_tiers,
    price_on,
    tiers_on_sale,
)
from app.portal.account import account_facts
from app.portal.explaining import explain, term_rows, today_for
from app.portal.home import home_facts
from app.services.people import services_of

bp = Blueprint("portal", __name__)


@bp.get("/")
@access.public
def index() -> ResponseReturnValue:
    if not current_user.is_authenticated:
        return _landing()
    person = current_person()
    if person is not None:
        facts = home_facts(person, current_account().email, clock.now(), clock.today())
        return render_template("portal/home.html", **facts)
    if len(current_account().persons) > 1:
        return redirect(url_for("accounts.choose_person"))
    for role, endpoint in (
        ("treasurer", "treasury.index"),
        ("admin", "portal.admin"),
        ("scanner", "verification.scan"),
    ):
        if current_user.has_role(role):
            return redirect(url_for(endpoint))
    return redirect(url_for("own_service.index" if services_of(current_account().id) else "payments.join"))


@bp.get("/account")
@access.signed_in
def account() -> ResponseReturnValue:
    return _account_page()


@bp.post("/account")
@access.signed_in
def change_account() -> ResponseReturnValue:
    """Keep theme and language in this browser."""
    theme, language = request.form.get("theme", ""), request.form.get("language", "")
    session["theme"] = theme if theme in ("light", "dark") else ""
    if language in current_app.extensions["languages"]:
        session["locale"] = language
    return redirect(url_for("portal.account"), 303)


@bp.get("/account/why")
@access.signed_in
def why() -> ResponseReturnValue:
    """Why a member today, or on the day asked for."""
    person = current_person()
    if person is None:
        return redirect(url_for("payments.join"))
    now, today, typed = clock.now(), clock.today(), request.args.get("as_of", "")[:40]
    error = None
    try:
        day = today_for(typed)
    except Refusal:
        day, error = today, _("That is not a day. Choose one from the calendar, or write it as 2026-11-23.")
    answer = explain(person, now, day)
    page = render_template(
        "portal/why.html", because=_sentence(answer["because"]), today=today, day=day, typed=typed or day.isoformat(),
        error=error, status=answer["status"], known_then=answer["known_then"], terms=term_rows(person),
    )  # fmt: skip
    return page, 400 if error else 200


@bp.get("/privacy")
@access.public
def privacy() -> ResponseReturnValue:
    return render_template("portal/privacy.html")


@bp.get("/accessibility")
@access.public
def accessibility() -> ResponseReturnValue:
    return render_template("portal/accessibility.html")


@bp.get("/healthz")
@access.public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@access.public
def readyz() -> ResponseReturnValue:
    """The database answers, is migrated, and a worker was seen."""
    if not is_migrated():
        return problem(503, "not_migrated", "The database is behind the code: run flask db upgrade.")
    if not jobs.is_worker_alive(clock.now()):
        return problem(503, "no_worker", "No worker has been seen for two minutes: start flask jobs work.")
    return jsonify(status="ok")


def _landing() -> str:
    today = clock.today()
    tiers = [
        SimpleNamespace(
            code=t.code, name=t.name, fee_cents=price_on(t, today).fee_cents, currency=price_on(t, today).currency,
            months=t.months, benefits=benefit_names(t),
        )
        for t in tiers_on_sale(None, today)
    ]  # fmt: skip
    reduced = [(t.name, condition_words(t)) for t in list_tiers() if t.condition and not is_closed(t, today)]
    picture = qr_svg(current_app.config["BASE_URL"], "")
    return render_template("portal/landing.html", tiers=tiers, reduced=reduced, code_svg=picture)


def _account_page() -> str:
    now = clock.now()
    it, owner = current_account(), current_person()
    devices = [
        SimpleNamespace(id=s.id, label=s.device, last_seen_at=s.last_seen_at, is_current=s.id == current_user.row.id)
        for s in accounts.list_sessions(it, now)
    ]
    shown = SimpleNamespace(
        full_name=owner.full_name if owner else it.email, member_number=owner.member_number if owner else "",
        email=it.email, phone=owner.phone if owner else None, language=None,
    )  # fmt: skip
    languages = current_app.extensions["languages"]
    return render_template(
        "portal/account.html", person=shown, devices=devices, languages=list(languages.items()), form=FlaskForm(),
        lang=str(get_locale()), money=account_facts(owner, now, clock.today()) if owner else None,
    )  # fmt: skip


def _sentence(text_: str) -> str:
    return text_[:1].upper() + text_[1:] + "."
