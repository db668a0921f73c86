"""The verification API for campus services: OpenAPI 3.1 at /api/v1/openapi.json, readable at /api/v1/docs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Request, Response, g, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_smorest import Api, Blueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from app import clock
from app.accounts import access
from app.benefits.service import get_benefit
from app.errors import Refusal
from app.extensions import db, limiter
from app.verification import service
from app.verification.rules import PRECEDENCE

LARGEST_BODY = 16_000  # bytes


class QuestionParser(FlaskParser):
    """Reads a JSON body; what is wrong with it is said as a Refusal."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        if not req.is_json:
            raise Refusal("not_json", "Send JSON, with Content-Type: application/json.", 415)
        req.max_content_length = LARGEST_BODY
        try:
            return req.get_json()
        except (BadRequest, RecursionError):
            raise Refusal("bad_json", "The body is not JSON.") from None

    def handle_error(self, error: ValidationError, *_args: Any, **_kwargs: Any) -> Any:
        said = error.messages_dict["json"]
        detail = "; ".join(f"{name[:50]}: {' '.join(texts)}" for name, texts in said.items() if name != "_schema")
        detail = detail or "Send a JSON object."
        raise Refusal("bad_question", detail, 422) from None


bp = Blueprint("api", __name__, url_prefix="/api/v1", description="Is somebody a member, and what is theirs.")
bp.ARGUMENTS_PARSER = QuestionParser()


class Question(Schema):
    class Meta:
        unknown = RAISE

    credential = fields.String(
        required=True,
        validate=validate.Length(min=1, max=service.LONGEST_CREDENTIAL),
        metadata={"description": "The whole text of a card's code, its digits, or (scope verify:number) M-000123."},
    )
    benefit = fields.String(
        validate=validate.Regexp("^[a-z][a-z0-9-]{0,30}$"),
        metadata={"description": "Code of a benefit; the service's own when left out."},
    )
    nonce = fields.String(
        validate=validate.Regexp("^[ -~]{1,100}$"),
        metadata={"description": "Yours for this question: sent again, it is answered and logged once."},
    )


class UtcInstant(fields.DateTime):
    """2026-11-23T10:00:00Z, of an aware UTC datetime."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


class Answer(Schema):
    id = fields.String(required=True)
    valid = fields.Boolean(required=True, metadata={"description": "A member today, with a good card."})
    reason = fields.String(required=True, validate=validate.OneOf(PRECEDENCE))
    status = fields.String(required=True, validate=validate.OneOf(["none", "active", "grace", "lapsed", "suspended"]))
    tier = fields.String(required=True, allow_none=True)
    valid_until = fields.Date(
        required=True, allow_none=True,
        metadata={"description": "The last paid or granted day; null without one: valid then means for life."},
    )  # fmt: skip
    grace_until = fields.Date(required=True, allow_none=True, metadata={"description": "The last day of grace."})
    entitled = fields.Boolean(required=True)
    limit_remaining = fields.Integer(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True, metadata={"description": "Stable, for you alone."})
    check_identity = fields.Boolean(required=True, metadata={"description": "The code can be copied: see an ID."})
    checked_at = UtcInstant(required=True)


class Problem(Schema):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)


class VerificationApi(Api):
    ERROR_SCHEMA = Problem  # in place of the library's own shape
    DEFAULT_ERROR_RESPONSE_NAME = None


rest = VerificationApi()
_PROBLEMS = {
    400: "Cannot be read, or no such benefit",
    401: "No valid service key",
    403: "Scope missing",
    413: "Too large",
    415: "Not JSON",
    422: "A field is wrong, or the nonce belongs to another question",
    429: "Too many questions: wait as Retry-After says",
}


def _documented(view: Any) -> Any:
    for status, text in _PROBLEMS.items():
        view = bp.alt_response(status, schema=Problem, description=text, content_type="application/problem+json")(view)
    return view


@bp.route("/verifications", methods=["POST"])
@access.service("verify")
@limiter.limit("600 per minute", key_func=lambda: f"service:{g.service.id}")
@bp.doc(security=[{"serviceKey": []}])
@_documented
@bp.response(200, Answer)
@bp.arguments(Question)
def verify(question: dict[str, Any]) -> dict[str, Any]:
    """Is this card's holder a member today, and may they use the benefit?"""
    benefit = get_benefit(question["benefit"]) if "benefit" in question else g.service.benefit
    verdict = service.verify(
        g.service, question["credential"], benefit, question.get("nonce"), None, clock.now(), clock.today()
    )
    db.session.commit()
    return asdict(verdict)


@bp.after_request
def name_the_scheme(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@access.public
def openapi() -> ResponseReturnValue:
    """The OpenAPI 3.1 document."""
    return jsonify(rest.spec.to_dict())


@access.public
def docs() -> ResponseReturnValue:
    """The same document for people."""
    return render_template("verification/api_docs.html", spec=rest.spec.to_dict())


CARD_STATUS = {
    "tags": ["api"],
    "summary": "Cards withdrawn, for scanners that judge alone: a signed IETF Token Status List, one bit a card.",
    "description": "Signed by a status-N key of /.well-known/jwks.json. A set bit: withdrawn, though in date.",
    "responses": {
        "200": {
            "description": "The list; ask again after its ttl, with If-None-Match. Past its exp it says nothing.",
            "content": {"application/statuslist+jwt": {"schema": {"type": "string"}}},
        },
        "304": {"description": "Unchanged"},
        "429": {
            "description": _PROBLEMS[429],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
    },
}


def register_api(app: Any) -> None:
    """Bind the API to the application and mark its document as public."""
    rest.init_app(app)
    rest.spec.components.security_scheme("serviceKey", {"type": "http", "scheme": "bearer"})
    rest.register_blueprint(bp)
    (rule,) = app.url_map.iter_rules("card_status.card_status")
    rest.spec.path(rule=rule, operations={"get": CARD_STATUS})
    app.add_url_rule("/api/v1/openapi.json", "openapi", openapi)
    app.add_url_rule("/api/v1/docs", "api_docs", docs)
