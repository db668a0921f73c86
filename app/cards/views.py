"""The member's card, its pictures, and the keys that verify it."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

from flask import Blueprint, Response, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.cards import service
from app.cards.models import Card
from app.cards.payload import WINDOW_SECONDS
from app.cards.qr import qr_svg
from app.errors import Refusal
from app.memberships.service import NEVER, Standing, get_tier_by_id, standing_of, terms_of

bp = Blueprint("cards", __name__)


@bp.get("/card")
@access.signed_in
def card() -> ResponseReturnValue:
    now, today = clock.now(), clock.today()
    person = current_person()
    found, standing = _card_of(person.id if person else None)
    if person is None or found is None or not standing.is_valid:
        return _no_card(person.id if person else None, standing, today)
    code = service.live_code(found, standing, now, today)
    first_day = min(term.starts_on for term in terms_of(person.id) if term.ends_on >= term.starts_on)
    shown = SimpleNamespace(
        holder_name=person.full_name, member_number=person.member_number, tier=get_tier_by_id(standing.tier_id),
        valid_until=standing.valid_until, grace_until=standing.grace_until if standing.status == "grace" else None,
        member_since_on=first_day,
    )  # fmt: skip
    return render_template(
        "cards/card.html", card=shown, code_svg=qr_svg(code, _("Member code for staff to scan")),
        live_url=url_for("cards.live"), window_seconds=WINDOW_SECONDS,
    )  # fmt: skip


@bp.get("/card/live")
@access.signed_in
def live() -> ResponseReturnValue:
    """The next codes for the card page's script."""
    found, standing = _valid_card()
    return jsonify(service.live_codes(found, standing, clock.now(), clock.today()).as_json())


@bp.get("/card.svg")
@access.signed_in
def card_svg() -> ResponseReturnValue:
    """The static code: for print, checked together with a photo or ID."""
    found, standing = _valid_card()
    picture = qr_svg(service.static_code(found, standing, clock.today()), _("Member code for staff to scan"))
    response = Response(picture, mimetype="image/svg+xml")
    response.headers["Content-Disposition"] = 'inline; filename="card.svg"'
    return response


@bp.get("/.well-known/jwks.json")
@access.public
def jwks() -> ResponseReturnValue:
    """Public keys of cards (RFC 7517)."""
    response = jsonify(service.card_keys().public_jwks(clock.today()))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _no_card(person_id: int | None, standing: Standing, today: date) -> ResponseReturnValue:
    coming = [t for t in terms_of(person_id) if t.starts_on > today and t.ends_on >= t.starts_on] if person_id else []
    reason = "future" if coming and standing.status in ("none", "lapsed") else standing.status
    membership = SimpleNamespace(valid_until=standing.valid_until, starts_on=coming[0].starts_on if coming else None)
    return render_template("cards/no_card.html", reason=reason, membership=membership)


def _card_of(person_id: int | None) -> tuple[Card | None, Standing]:
    if person_id is None:
        return None, NEVER
    return service.find_card(person_id), standing_of(person_id, clock.now(), clock.today())


def _valid_card() -> tuple[Card, Standing]:
    person = current_person()
    found, standing = _card_of(person.id if person else None)
    if found is None or not standing.is_valid:
        raise Refusal("no_card", _("You have no card at the moment. It comes with a membership."), 404)
    return found, standing
