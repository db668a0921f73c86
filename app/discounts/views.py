"""The page between an organisation's sign-in button and the way back there: who asks, what it learns, yes or no."""

from __future__ import annotations

from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_account, current_person, sign_out
from app.benefits.service import list_benefits
from app.discounts.asking import Question, is_recent_enough, path_of_another_sign_in, read_question, refusal_to_ask
from app.discounts.claims import facts_of, proven_email
from app.discounts.connections import LIFE, allow, find_connection
from app.discounts.keys import openid_keys
from app.discounts.models import OpenIdConnection
from app.discounts.provider import Allowed, refuse, server
from app.discounts.tokens import TOKEN_LIFE
from app.extensions import begin_writing, db, limiter
from app.memberships.service import membership_of
from app.people.models import Person

bp = Blueprint("openid", __name__)


@bp.get("/oauth/authorize")
@access.public
@limiter.limit("120 per minute")
def authorize() -> ResponseReturnValue:
    """Sends who may go straight back; asks everybody else what is missing."""
    try:
        question = read_question()
        person = _whom(question)
        return _answer_or_ask(question, person) if isinstance(person, Person) else person
    except OAuth2Error as error:
        return refuse(error)


@bp.post("/oauth/authorize")
@access.signed_in
@limiter.limit("60 per minute")
def decide() -> ResponseReturnValue:
    """The button pressed on one of the pages: allow, reject, or sign in again."""
    try:
        question = read_question()
    except OAuth2Error as error:
        return refuse(error)
    decision, person, now = request.form.get("decision"), current_person(), clock.now()
    if decision == "sign_in":
        path = path_of_another_sign_in()
        sign_out()
        return redirect(url_for("accounts.sign_in", next=path), 303)
    if decision == "reject":
        return _back(question, None)
    is_who_was_asked = person is not None and request.form.get("person") == str(person.id)
    if decision != "allow" or person is None or not is_who_was_asked or not is_recent_enough(question, now):
        return redirect(request.full_path, 303)  # the page again, for whoever is here now
    connection = allow(question.client, person.id, question.scopes, now)
    return _back(question, connection)


def _whom(question: Question) -> Person | ResponseReturnValue:
    """Who is here, signed in lately enough; else the page that is missing. Raises OAuth2Error where none may be."""
    if not current_user.is_authenticated:
        if question.is_silent:
            raise refusal_to_ask(question, "login_required", "Nobody is signed in.")
        path = path_of_another_sign_in() if "login" in question.prompt else request.full_path
        return redirect(url_for("accounts.sign_in", next=path))
    if not is_recent_enough(question, clock.now()):
        if question.is_silent:
            raise refusal_to_ask(question, "login_required", "The sign-in is too old.")
        return render_template("discounts/sign_in_again.html", service=question.client.service)
    person = current_person()
    if person is not None:
        return person
    if question.is_silent:
        raise refusal_to_ask(question, "interaction_required", "Somebody has to be chosen first.")
    if len(current_account().persons) > 1:
        return redirect(url_for("accounts.choose_person", next=request.full_path))
    return render_template("discounts/nobody.html", service=question.client.service)


def _answer_or_ask(question: Question, person: Person) -> ResponseReturnValue:
    connection = find_connection(question.client, person.id, clock.now())
    is_allowed = connection is not None and set(question.scopes) <= set(connection.scopes.split())
    if is_allowed and not question.prompt & {"consent", "select_account"}:
        begin_writing()
        return _back(question, find_connection(question.client, person.id, clock.now()))
    if question.is_silent:
        raise refusal_to_ask(question, "consent_required", "This was not allowed yet.")
    return _ask(question, person)


def _ask(question: Question, person: Person) -> str:
    now, today = clock.now(), clock.today()
    entitled = facts_of(question.client.service_id, person.id, now, today).benefits
    return render_template(
        "discounts/consent.html", service=question.client.service, person=person, scopes=question.scopes,
        others=len(current_account().persons) > 1, again_path=request.full_path, email=proven_email(person),
        host=urlsplit(question.redirect_uri).netloc, membership=membership_of(person.id, now, today),
        benefits=[benefit.name for benefit in list_benefits() if benefit.code in entitled], days=LIFE.days,
        minutes=round(TOKEN_LIFE.total_seconds() / 60),
    )  # fmt: skip


def _back(question: Question, connection: OpenIdConnection | None) -> ResponseReturnValue:
    """To where they came from, with a code or with access_denied."""
    openid_keys()  # where there are none the organisation could not be answered
    user = Allowed(connection, current_user.row.created_at) if connection is not None else None
    response: Response = server.create_authorization_response(grant_user=user, grant=question.grant)
    db.session.commit()
    response.status_code = 303
    return response
