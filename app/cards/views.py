"""The member's card: the page that shows it, its live codes, its picture, and the keys that verify it."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from flask_login import current_user

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.cards import service
from app.cards.holders import holder_of, mark_of
from app.cards.models import Card
from app.cards.payload import WINDOW_SECONDS
from app.cards.photos import photo_of
from app.cards.qr import qr_svg
from app.errors import Refusal
from app.extensions import limiter
from app.memberships.service import NEVER, Standing, get_tier_by_id, standing_of, terms_of
from app.people.models import Person

bp = Blueprint("cards", __name__)
MOST_HOURS = 24
WINDOWS_AN_HOUR = 3600 // WINDOW_SECONDS


def who_asks() -> str:
    """Limits count by account: a campus network has one address for everybody on it."""
    return str(current_user.get_id()) if current_user.is_authenticated else get_remote_address()


@bp.get("/card")
@access.signed_in
def card() -> ResponseReturnValue:
    now, today = clock.now(), clock.today()
    person = current_person()
    found, standing = card_of(person)
    if person is None or found is None or not standing.is_valid:
        return _no_card(person.id if person else None, standing, today)
    code = service.live_code(found, standing, now, today)
    photo = photo_of(person.id)
    return render_template(
        "cards/card.html", card=shown_card(person, found, standing), live_url=url_for("cards.live"),
        photo_src=url_for("photos.own_picture", photo_id=photo.id) if photo else None,
        code_svg=qr_svg(code, _("Member code for staff to scan")), window_seconds=WINDOW_SECONDS,
    )  # fmt: skip


@bp.get("/card/live")
@access.signed_in
@limiter.limit("60 per hour", key_func=who_asks, exempt_when=lambda: "hours" not in request.args)
def live() -> ResponseReturnValue:
    """The next codes for the card page's script: ten minutes of them, or `hours` (1 to 24) for a day without signal."""
    person = current_person()
    found, standing = valid_card_of(person)
    asked = request.args.get("hours")
    windows = service.LIVE_WINDOWS
    if asked is not None:
        if not re.fullmatch(r"[0-9]{1,2}", asked) or not 1 <= int(asked) <= MOST_HOURS:
            raise Refusal("bad_hours", _("Codes can be fetched for 1 to 24 hours."))
        windows = int(asked) * WINDOWS_AN_HOUR
    batch = service.live_codes(found, standing, clock.now(), clock.today(), windows)
    return jsonify({**batch.as_json(), "holder": holder_of(person), "card": mark_of(found)})


@bp.get("/card.svg")
@access.signed_in
def card_svg() -> ResponseReturnValue:
    """The static code: for print, checked together with a photo or ID."""
    found, standing = valid_card_of(current_person())
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


def card_of(person: Person | None) -> tuple[Card | None, Standing]:
    """The person's live card, and where their membership stands."""
    if person is None:
        return None, NEVER
    return service.find_card(person.id), standing_of(person.id, clock.now(), clock.today())


def valid_card_of(person: Person | None) -> tuple[Card, Standing]:
    """Raises Refusal 404 for whoever has no card to show today."""
    found, standing = card_of(person)
    if found is None or not standing.is_valid:
        raise Refusal("no_card", _("You have no card at the moment. It comes with a membership."), 404)
    return found, standing


def shown_card(person: Person, card: Card, standing: Standing) -> SimpleNamespace:
    """What the pass says beside its code."""
    first_day = min(term.starts_on for term in terms_of(person.id) if term.ends_on >= term.starts_on)
    return SimpleNamespace(
        holder_name=person.full_name, member_number=person.member_number, tier=get_tier_by_id(standing.tier_id),
        valid_until=standing.valid_until, grace_until=standing.grace_until if standing.status == "grace" else None,
        member_since_on=first_day, mark=mark_of(card),
    )  # fmt: skip


def _no_card(person_id: int | None, standing: Standing, today: date) -> ResponseReturnValue:
    coming = [t for t in terms_of(person_id) if t.starts_on > today and t.ends_on >= t.starts_on] if person_id else []
    reason = "future" if coming and standing.status in ("none", "lapsed") else standing.status
    membership = SimpleNamespace(valid_until=standing.valid_until, starts_on=coming[0].starts_on if coming else None)
    return render_template("cards/no_card.html", reason=reason, membership=membership)
