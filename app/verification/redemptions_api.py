"""Redemptions in the API: reserve a use of a benefit for a card's holder or a single-use code, confirm, cancel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, g
from flask_babel import gettext as _
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from app import clock
from app.accounts import access
from app.api import UtcInstant, also, bp, documented, limited
from app.benefits.codes import reserve_code
from app.benefits.models import Benefit, Redemption
from app.benefits.redeeming import DEAREST, REFERENCE, cancel, confirm, get_redemption, limit_remaining, reserve
from app.benefits.service import get_benefit
from app.errors import Refusal, problem
from app.extensions import db
from app.services.idempotency import idempotent
from app.services.service import subject_for
from app.verification import service
from app.verification.models import Verification
from app.verification.words import scanner_words

STATES = ("reserved", "confirmed", "cancelled", "expired")


class NewRedemption(Schema):
    class Meta:
        unknown = RAISE

    credential = fields.String(
        validate=validate.Length(min=1, max=service.LONGEST_CREDENTIAL),
        metadata={"description": "As of a verification: a card's code, or (scope verify:number) a member number."},
    )
    code = fields.String(
        validate=validate.Length(min=1, max=40),
        metadata={"description": "In place of credential: a single-use code that a member drew, ABCD-EFGH-JKMN."},
    )
    benefit = fields.String(
        validate=validate.Regexp("^[a-z][a-z0-9-]{0,30}$"),
        metadata={"description": "Code of a benefit; the service's own when left out."},
    )
    confirm = fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={"description": "Confirm at once; else within 15 minutes, or the use is given back."},
    )  # fmt: skip
    price_cents = fields.Integer(
        strict=True, validate=validate.Range(min=0, max=DEAREST),
        metadata={"description": "The full price of what is bought, for a benefit that takes something off it."},
    )  # fmt: skip
    reference = fields.String(
        validate=validate.Regexp(f"^{REFERENCE.pattern}$"),
        metadata={"description": "Yours, such as an order's number. Put no name or address in it."},
    )

    @validates_schema
    def check_whose(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("credential" in data) == ("code" in data):
            raise ValidationError("Send a credential or a code, one of the two.", "credential")


class RedemptionAnswer(Schema):
    id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    benefit = fields.String(required=True)
    subject = fields.String(required=True, metadata={"description": "Whose it is: stable, for you alone."})
    limit_remaining = fields.Integer(
        required=True, allow_none=True, metadata={"description": "How many uses are left now; null: no limit."}
    )
    check_identity = fields.Boolean(required=True, metadata={"description": "The code can be copied: see an ID."})
    discount_percent = fields.Integer(required=True, allow_none=True)
    discount_cents = fields.Integer(
        required=True, allow_none=True, metadata={"description": "What to take off the price_cents that was sent."}
    )
    currency = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    created_at = UtcInstant(required=True)
    reserved_until = UtcInstant(required=True, allow_none=True)
    confirmed_at = UtcInstant(required=True, allow_none=True)
    cancelled_at = UtcInstant(required=True, allow_none=True)


@bp.route("/redemptions", methods=["POST"])
@access.service("redeem")
@limited
@idempotent
@also(403, "Scope missing, or a benefit that another service provides")
@also(404, "No such code")
@also(409, "Not theirs, used up, or not now: see `code`, one of the reasons of a verification or code_used")
@also(410, "The code has ended")
@documented
@bp.response(201, RedemptionAnswer)
@bp.arguments(NewRedemption)
def redeem(question: dict[str, Any]) -> dict[str, Any] | Response:
    """Reserve one use of a benefit, or confirm it at once"""
    now, today, benefit = clock.now(), clock.today(), _benefit(question.get("benefit"))
    more: dict[str, Any] = {"reference": question.get("reference"), "price_cents": question.get("price_cents")}
    if "code" in question:
        it = reserve_code(question["code"], benefit, g.service.id, now, today, **more)
    else:
        verdict = service.verify(g.service, question["credential"], benefit, None, None, now, today)
        row = db.session.get_one(Verification, verdict.id)
        if not verdict.entitled or row.person_id is None:  # an answer, which the log keeps
            return problem(409, verdict.reason, str(scanner_words(verdict, benefit.name)["line"]))
        it = reserve(benefit, row.person_id, g.service.id, now, today, verification_id=row.id, **more)
    if question["confirm"]:
        confirm(it.id, g.service.id, now)
    return _answer(it, now)


@bp.route("/redemptions/<redemption_id>", methods=["GET"])
@access.service("redeem")
@limited
@also(404, "No redemption of yours")
@documented
@bp.response(200, RedemptionAnswer)
def show_redemption(redemption_id: str) -> dict[str, Any]:
    """What became of a redemption"""
    return _answer(get_redemption(redemption_id, g.service.id), clock.now())


@bp.route("/redemptions/<redemption_id>/confirm", methods=["POST"])
@access.service("redeem")
@limited
@idempotent
@also(404, "No redemption of yours")
@also(409, "It was cancelled")
@also(410, "It expired: reserve again")
@documented
@bp.response(200, RedemptionAnswer)
def confirm_redemption(redemption_id: str) -> dict[str, Any]:
    """The reserved use was made; again is nothing new"""
    now = clock.now()
    return _answer(confirm(redemption_id, g.service.id, now), now)


@bp.route("/redemptions/<redemption_id>/cancel", methods=["POST"])
@access.service("redeem")
@limited
@idempotent
@also(404, "No redemption of yours")
@also(409, "Confirmed more than 14 days ago")
@documented
@bp.response(200, RedemptionAnswer)
def cancel_redemption(redemption_id: str) -> dict[str, Any]:
    """Give the use back, and the code with it; again is nothing new"""
    now = clock.now()
    return _answer(cancel(redemption_id, g.service.id, now), now)


def _benefit(code: str | None) -> Benefit:
    benefit = get_benefit(code) if code is not None else g.service.benefit
    if benefit is None:
        raise Refusal("no_benefit", _("Say which benefit: this service has none of its own."))
    if benefit.partner_id not in (None, g.service.id) and g.service.benefit_id != benefit.id:
        raise Refusal("not_your_benefit", _("Another service provides this benefit."), 403)
    return benefit


def _answer(it: Redemption, now: datetime) -> dict[str, Any]:
    benefit = it.benefit
    row = db.session.get(Verification, it.verification_id) if it.verification_id else None
    return {
        "id": it.id, "state": it.state_at(now), "benefit": benefit.code, "reference": it.reference,
        "subject": subject_for(g.service.id, it.person_id), "check_identity": row is not None and row.check_identity,
        "limit_remaining": limit_remaining(benefit, it.person_id, now, clock.day_of(now)),
        "discount_percent": benefit.discount_percent,
        "discount_cents": it.value_cents if benefit.has_discount else None,
        "currency": it.currency, "created_at": it.created_at, "reserved_until": it.reserved_until,
        "confirmed_at": it.confirmed_at, "cancelled_at": it.cancelled_at,
    }  # fmt: skip
