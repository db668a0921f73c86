"""A request that cannot be served raises a Refusal; one HTML and one JSON handler show it.

JSON errors are problem documents after RFC 9457.
"""

from __future__ import annotations

from http import HTTPStatus
from types import SimpleNamespace

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from app.extensions import db

log = structlog.get_logger()


class Refusal(Exception):
    """What was asked cannot be done: a lower_snake code, a sentence that says what to do, an HTTP status."""

    def __init__(self, code: str, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


def register_error_pages(app: Flask) -> None:
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(500, _broken)


def wants_json() -> bool:
    if request.path.startswith(("/api/", "/radius/", "/stripe/", "/scan/", "/healthz", "/readyz")):
        return not request.path.startswith("/scan/pair/")  # a link that a person opens
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.is_json or best == "application/json"


def problem(status: int, code: str, detail: str, **more: str) -> Response:
    """RFC 9457 problem document; `more` are members of its own."""
    title = HTTPStatus(status).phrase
    response = jsonify(type="about:blank", title=title, status=status, detail=detail, code=code, **more)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _refused(refusal: Refusal) -> Response:
    db.session.rollback()
    log.info("refused", code=refusal.code, status=refusal.status)
    if wants_json():
        return problem(refusal.status, refusal.code, refusal.detail)
    return _page(refusal.status, refusal.code, refusal.detail)


def _foreign_host(_error: SecurityError) -> Response:
    """No page can be made for a host that is not ours: its links would lead there."""
    return Response("This address is not served here.\n", 400, mimetype="text/plain")


def _http_error(error: HTTPException) -> Response:
    db.session.rollback()
    if error.code is not None and error.code < 400:
        return make_response(error.get_response())
    status = error.code or 500
    code, detail = _said(error, status)
    if status < 500:
        log.info("refused", code=code, status=status)
    response = problem(status, code, detail) if wants_json() else _page(status, code, detail)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _said(error: HTTPException, status: int) -> tuple[str, str]:
    if isinstance(error, CSRFError):
        return "csrf", _("This form had been open too long. Go back, reload the page and send it again.")
    known = {
        400: ("bad_request", _("We could not read that. Go back and try again.")),
        401: ("not_signed_in", _("Sign in first.")),
        403: ("not_allowed", _("Your account may not open this page.")),
        404: (
            "not_found",
            _("The page has moved, or the link is missing a piece. Nothing happened to your membership."),
        ),
        405: ("wrong_method", _("This address does not take that kind of request.")),
        413: ("too_large", _("That is too large for us to take.")),
        429: ("too_many", _("Too many tries. Wait a minute and try again.")),
        503: ("unavailable", _("This is not working right now. Try again in a minute.")),
    }
    return known.get(status, (HTTPStatus(status).name.lower(), _("We could not do that.")))


def _broken(error: HTTPException) -> Response:
    db.session.rollback()
    original = getattr(error, "original_exception", None) or error
    log.error("broken", exc_info=original)
    # Whatever broke may be what a page is made of: the error page asks the database for nothing.
    g.association = g.get("association") or SimpleNamespace(name="Carnet", kind="", contact_email="")
    g._login_user = AnonymousUserMixin()
    detail = _("Something broke on our side. Nothing was taken and nothing was lost. Try again in a minute.")
    return problem(500, "broken", detail) if wants_json() else _page(500, "broken", detail)


def _page(status: int, code: str, detail: str) -> Response:
    titles = {
        401: _("Sign in first"),
        403: _("Not for this account"),
        404: _("There is no page here."),
        429: _("Too many tries"),
        500: _("Something broke on our side"),
    }
    title = titles.get(status, _("That did not work"))
    page = render_template(
        "errors/error.html", status=status, code=code, title=title, detail=detail, reference=g.get("request_id", "")
    )
    return make_response(page, status)
