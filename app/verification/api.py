"""The verification API for campus services: OpenAPI 3.1 at /api/v1/openapi.json, readable at /api/v1/docs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import g, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_smorest import Api, Blueprint
from marshmallow import RAISE, Schema, fields, validate

from app import clock
from app.accounts import access
from app.benefits.service import get_benefit
from app.extensions import db, limiter
from app.verification import service
from app.verification.rules import PRECEDENCE

bp = Blueprint("api", __name__, url_prefix="/api/v1", description="Is somebody a member, and what is theirs.")
rest = Api()


class Question(Schema):
    class Meta:
        unknown = RAISE

    credential = fields.String(
        required=True,
        validate=validate.Length(min=1, max=service.LONGEST_CREDENTIAL),
        metadata={"description": "The whole text of a card's code, its digits, or (scope verify:number) M-000123."},
    )
    benefit = fields.String(
        validate=validate.Length(min=1, max=40),
        metadata={"description": "Code of a benefit; the service's own when left out."},
    )
    nonce = fields.String(
        validate=validate.Length(min=1, max=service.LONGEST_NONCE),
        metadata={"description": "Yours for this question: sent again, it is answered and logged once."},
    )


class Answer(Schema):
    id = fields.String(required=True)
    valid = fields.Boolean(required=True, metadata={"description": "A member today, with a good card."})
    reason = fields.String(required=True, validate=validate.OneOf(PRECEDENCE))
    status = fields.String(required=True, validate=validate.OneOf(["none", "active", "grace", "lapsed", "suspended"]))
    tier = fields.String(required=True, allow_none=True)
    valid_until = fields.Date(required=True, allow_none=True)
    grace_until = fields.Date(required=True, allow_none=True)
    entitled = fields.Boolean(required=True)
    limit_remaining = fields.Integer(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True, metadata={"description": "Stable, for you alone."})
    check_identity = fields.Boolean(required=True, metadata={"description": "The code can be copied: see an ID."})
    checked_at = fields.DateTime(required=True)


class Problem(Schema):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)


_PROBLEMS = {400: "Cannot be read", 401: "No valid service key", 403: "Scope missing", 422: "A field is wrong"}


def _documented(view: Any) -> Any:
    for status, text in _PROBLEMS.items():
        view = bp.alt_response(status, schema=Problem, description=text, content_type="application/problem+json")(view)
    return view


@bp.route("/verifications", methods=["POST"])
@access.service("verify")
@limiter.limit("600 per minute")
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


@access.public
def openapi() -> ResponseReturnValue:
    """The OpenAPI 3.1 document."""
    return jsonify(rest.spec.to_dict())


@access.public
def docs() -> ResponseReturnValue:
    """The same document for people."""
    return render_template("verification/api_docs.html", spec=rest.spec.to_dict())


def register_api(app: Any) -> None:
    """Bind the API to the application and mark its document as public."""
    rest.init_app(app)
    rest.spec.components.security_scheme("serviceKey", {"type": "http", "scheme": "bearer"})
    rest.register_blueprint(bp)
    app.add_url_rule("/api/v1/openapi.json", "openapi", openapi)
    app.add_url_rule("/api/v1/docs", "api_docs", docs)
