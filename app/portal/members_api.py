"""GET /api/v1/members: who has ever been a member and how they stand, for a service with scope `members`."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from app import clock
from app.accounts import access
from app.api import also, bp, documented, limited
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import FOR_LIFE, Standing, list_tiers, standings_of
from app.people.models import Person
from app.services.cursors import PageQuery, cursor_after, read_cursor
from app.services.service import subject_for


class Member(Schema):
    subject = fields.String(required=True, metadata={"description": "Stable, for you alone; as in verifications."})
    status = fields.String(required=True, validate=validate.OneOf(["none", "active", "grace", "lapsed", "suspended"]))
    tier = fields.String(required=True, allow_none=True)
    valid_until = fields.Date(
        required=True, allow_none=True,
        metadata={"description": "The last paid or granted day; null without one: active then means for life."},
    )  # fmt: skip
    grace_until = fields.Date(required=True, allow_none=True, metadata={"description": "The last day of grace."})
    number = fields.String(
        required=True, allow_none=True, metadata={"description": "M-000123; null without scope members:number."}
    )
    email = fields.String(
        required=True, allow_none=True, metadata={"description": "The address; null without scope members:email."}
    )


class MemberPage(Schema):
    items = fields.List(fields.Nested(Member), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "The cursor of the next page; null on the last."}
    )


@bp.route("/members", methods=["GET"])
@access.service("members")
@limited
@also(400, "Not a cursor of ours")
@documented
@bp.response(200, MemberPage)
@bp.arguments(PageQuery, location="query")
def list_members(query: dict[str, Any]) -> dict[str, Any]:
    """Everybody who has ever been a member, and how they stand today.

    Pages keep their place while people join: nobody who was there at the first page is left out or shown twice.
    """
    after, limit = read_cursor(query.get("cursor"), "members", g.service.id), query["limit"]
    ever = select(Term.person_id)
    found = select(Person.id, Person.email).where(Person.id > after, Person.id.in_(ever)).order_by(Person.id)
    people = db.session.execute(found.limit(limit + 1)).all()
    shown = people[:limit]
    standings = standings_of([person.id for person in shown], clock.now(), clock.today())
    tiers = {tier.id: tier.code for tier in list_tiers()}
    return {
        "items": [_member(person.id, person.email, standings[person.id], tiers) for person in shown],
        "next": cursor_after("members", g.service.id, shown[-1].id) if len(people) > limit else None,
    }


def _member(person_id: int, email: str | None, it: Standing, tiers: dict[int, str]) -> dict[str, Any]:
    return {
        "subject": subject_for(g.service.id, person_id),
        "status": it.status,
        "tier": tiers[it.tier_id] if it.tier_id else None,
        "valid_until": None if it.valid_until == FOR_LIFE else it.valid_until,
        "grace_until": None if it.grace_until == FOR_LIFE else it.grace_until,
        "number": f"M-{person_id:06d}" if g.service.has_scope("members:number") else None,
        "email": email if g.service.has_scope("members:email") else None,
    }
