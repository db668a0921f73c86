"""A look at every letter before anybody gets it."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from app import clock, mail
from app.accounts import access
from app.errors import Refusal
from app.portal.mail_samples import Sample, samples

bp = Blueprint("mails", __name__, url_prefix="/admin/mails")
# A letter is the one thing that styles itself; nothing else may happen in it.
LETTER_POLICY = "; ".join(
    ("default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "form-action 'none'",
     "frame-ancestors 'self'", "sandbox")
)  # fmt: skip


@bp.get("")
@access.admin
def index() -> ResponseReturnValue:
    found = samples(clock.now(), clock.today())
    letters = [
        SimpleNamespace(name=name, subject=mail.write(it.letter, _language(), **it.facts).subject)
        for name, it in found.items()
    ]
    return render_template("portal/mails.html", letters=letters)


@bp.get("/<name>")
@access.admin
def show(name: str) -> ResponseReturnValue:
    sample, language = _sample(name), _language()
    return render_template(
        "portal/mail.html", name=name, language=language, letter=mail.write(sample.letter, language, **sample.facts),
        languages=list(current_app.extensions["languages"].items()),
    )  # fmt: skip


@bp.get("/<name>/letter")
@access.admin
def letter(name: str) -> ResponseReturnValue:
    """The letter itself, for the frame on its page."""
    sample = _sample(name)
    response = Response(mail.write(sample.letter, _language(), **sample.facts).html)
    response.headers["Content-Security-Policy"] = LETTER_POLICY
    return response


def _sample(name: str) -> Sample:
    found = samples(clock.now(), clock.today()).get(name)
    if found is None:
        raise Refusal("unknown_letter", _("There is no such letter."), 404)
    return found


def _language() -> str:
    return mail.language_of(request.args.get("language"), str(get_locale()))
