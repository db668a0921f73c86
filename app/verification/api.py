"""The verification API for campus services."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import g
from marshmallow import RAISE, Schema, fields, validate

from app import clock
from app.accounts import access
from app.api import PROBLEMS, UtcInstant, also, bp, describe, documented, limited
from app.benefits.service import get_benefit
from app.extensions import db
from app.verification import service
from app.verification.rules import PRECEDENCE


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


@bp.route("/verifications", methods=["POST"])
@access.service("verify")
@limited
@also(422, "A field is wrong, or the nonce belongs to another question")
@documented
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
            "description": PROBLEMS[429],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
    },
}


describe("card_status.card_status", get=CARD_STATUS)
