"""Signing in and out."""

from __future__ import annotations

import secrets

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from app import clock
from app.accounts import access, service, signed_in
from app.accounts.forms import CodeForm, SignInForm
from app.accounts.models import SignIn
from app.errors import Refusal
from app.extensions import db, limiter

bp = Blueprint("accounts", __name__)


@bp.get("/sign-in")
@access.public
def sign_in() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(_next())
    return render_template("accounts/sign_in.html", form=SignInForm(), next=_next())


@bp.post("/sign-in")
@access.public
@limiter.limit("40 per 10 minutes")
def ask_to_sign_in() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form, next=_next()), 400
    browser = session.setdefault("browser", secrets.token_urlsafe(16))
    service.request_sign_in(form.email.data or "", browser, _next(), str(get_locale()), clock.now())
    db.session.commit()
    session["sign_in_email"] = form.email.data
    return redirect(url_for("accounts.sign_in_code"), 303)


@bp.get("/sign-in/code")
@access.public
def sign_in_code() -> ResponseReturnValue:
    if "sign_in_email" not in session:
        return redirect(url_for("accounts.sign_in"))
    return render_template("accounts/sign_in_code.html", form=CodeForm(), email=session["sign_in_email"])


@bp.post("/sign-in/code")
@access.public
@limiter.limit("60 per 10 minutes")
def enter_code() -> ResponseReturnValue:
    form = CodeForm()
    email = session.get("sign_in_email", "")
    if not form.validate_on_submit():
        return render_template("accounts/sign_in_code.html", form=form, email=email), 400
    used = service.use_code(session.get("browser", ""), form.code.data or "", clock.now())
    if used is None:
        db.session.commit()  # the try is spent
        form.code.errors = [_("That is not the code in the newest mail. Look again.")]
        return render_template("accounts/sign_in_code.html", form=form, email=email), 400
    return _enter(used)


@bp.get("/sign-in/<token>")
@access.public
def open_link(token: str) -> ResponseReturnValue:
    """A button only: mail scanners that open links must not use them up."""
    if service.find_usable_link(token, clock.now()) is None:
        raise Refusal("link_used", _("This link was used already or is too old. Ask for a new one."), 410)
    return render_template("accounts/open_link.html", token=token)


@bp.post("/sign-in/<token>")
@access.public
@limiter.limit("60 per 10 minutes")
def use_link(token: str) -> ResponseReturnValue:
    return _enter(service.use_link(token, clock.now()))


@bp.post("/sign-out")
@access.signed_in
def sign_out() -> ResponseReturnValue:
    signed_in.sign_out()
    # The page's script has deleted the card that is kept. Clear-Site-Data would take a scanner's waiting scans too.
    return redirect(url_for("portal.index"), 303)


@bp.post("/account/sessions/<int:session_id>/end")
@access.signed_in
def end_session(session_id: int) -> ResponseReturnValue:
    service.end_session(signed_in.current_account(), session_id, clock.now())
    db.session.commit()
    return redirect(url_for("portal.account"), 303)


@bp.get("/account/person")
@access.signed_in
def choose_person() -> ResponseReturnValue:
    return render_template("accounts/choose_person.html", persons=signed_in.current_account().persons, next=_next())


@bp.post("/account/person")
@access.signed_in
def use_person() -> ResponseReturnValue:
    chosen = request.form.get("person", "")
    service.choose_person(current_user.row, int(chosen) if chosen.isdecimal() and len(chosen) < 10 else 0)
    db.session.commit()
    return redirect(_next(), 303)


def _enter(used: SignIn) -> ResponseReturnValue:
    account = service.open_account(used.email, clock.now())
    next_path = used.next_path
    signed_in.sign_in(account)
    db.session.commit()
    return redirect(next_path, 303)


def _next() -> str:
    return service.own_path(request.values.get("next"))
