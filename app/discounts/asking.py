"""What an organisation asks when it sends somebody here, and what stands between that and an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from flask import current_app, request
from flask_babel import gettext as _
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.discounts import rules, service
from app.discounts.models import OpenIdClient
from app.discounts.provider import server
from app.errors import Refusal

LONGEST_QUERY = 4000
ONCE = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt", "max_age", "code_challenge",
    "code_challenge_method", "response_mode",
)  # fmt: skip
AGAIN_WITHIN = 15 * 60  # seconds in which somebody sent to sign in again may come back


@dataclass(frozen=True)
class Question:
    """A request that may be answered by sending the browser back. `prompt` holds the words of that parameter."""

    client: OpenIdClient
    redirect_uri: str
    scopes: list[str]
    prompt: frozenset[str]
    grant: Any

    @property
    def is_silent(self) -> bool:
        return "none" in self.prompt


def read_question() -> Question:
    """The query of this request.

    Raises Refusal, shown here, while it is not certain where the browser may be sent; then OAuth2Error, told there.
    """
    sent = request.args
    if len(request.query_string) > LONGEST_QUERY or any(len(sent.getlist(name)) > 1 for name in ONCE):
        raise Refusal("bad_authorization", _("We could not read what the other site asks. Go back and try again."))
    client = service.find_client(sent.get("client_id", ""))
    if client is None:
        detail = _("The site that sent you here is not known to us. Nothing was told to it.")
        raise Refusal("unknown_client", detail)
    redirect_uri = sent.get("redirect_uri", "")
    if redirect_uri not in client.redirect_uris.split():
        detail = _(
            "%(name)s asked us to send you to an address that we do not know. Nothing was told to it.",
            name=client.service.name,
        )
        raise Refusal("unknown_redirect", detail)
    _refuse_unsupported(redirect_uri)
    grant = server.get_consent_grant(end_user=current_user if current_user.is_authenticated else None)
    return Question(
        client, redirect_uri, grant.request.scope.split(), frozenset(sent.get("prompt", "").split()), grant
    )  # fmt: skip


def is_recent_enough(question: Question, now: datetime) -> bool:
    """Whether the sign-in in this browser is as fresh as is asked for, or was made because we asked for a fresh one."""
    max_age = request.args.get("max_age", "")
    wanted = int(max_age) if max_age.isdecimal() and len(max_age) < 10 else None
    row = current_user.row
    if "login" not in question.prompt and rules.is_recent(row.created_at, wanted, now):
        return True
    try:
        replaced: int = _serializer().loads(request.args.get("again", ""), max_age=AGAIN_WITHIN)
    except BadSignature:
        return False
    return row.id > replaced


def path_of_another_sign_in() -> str:
    """This request again, knowing which sign-in was not fresh enough."""
    row_id = current_user.row.id if current_user.is_authenticated else 0
    query = [(name, value) for name, value in request.args.items() if name != "again"]
    return f"{request.path}?{urlencode([*query, ('again', _serializer().dumps(row_id))])}"


def refusal_to_ask(question: Question, error: str, description: str) -> OAuth2Error:
    """Of a silent request that would need a page."""
    return OAuth2Error(
        error=error, description=description, redirect_uri=question.redirect_uri, state=request.args.get("state")
    )


def _refuse_unsupported(redirect_uri: str) -> None:
    sent = request.args
    for is_wrong, error, description in (
        (sent.get("response_type") != "code", "unsupported_response_type", "Only response_type=code is spoken here."),
        (sent.get("response_mode", "query") != "query", "invalid_request", "Only response_mode=query is spoken here."),
        ("request" in sent, "request_not_supported", "Send the parameters themselves."),
        ("request_uri" in sent, "request_uri_not_supported", "Send the parameters themselves."),
    ):
        if is_wrong:
            raise OAuth2Error(
                error=error, description=description, redirect_uri=redirect_uri, state=sent.get("state")
            )  # fmt: skip


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="openid-again")
