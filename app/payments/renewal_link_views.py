"""Renewing from a letter's link: see the offer and pay it, without signing in."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from app import clock
from app.accounts import access
from app.errors import Refusal
from app.memberships import renewal_links
from app.memberships.service import Membership, get_tier, membership_of, offer_for, renewal_tier
from app.payments import checkouts, service
from app.payments.models import AutoRenewal
from app.payments.shown_offers import ShownOffer, shown
from app.people.models import Person
from app.people.service import get_person

bp = Blueprint("renewal_links", __name__)


@dataclass(frozen=True)
class Linked:
    """What a link opens: the offer, or why there is none: pending, renewed, by_itself, ask (on hold, or a tier
    must be chosen)."""

    person: Person
    membership: Membership
    offer: ShownOffer | None = None
    reason: str | None = None
    auto_renewal: AutoRenewal | None = None


@bp.get("/renew/link/<token>")
@access.public
def offer(token: str) -> ResponseReturnValue:
    try:
        return _show(token, _read(token))
    except Refusal as refusal:
        return render_template("payments/link_over.html", detail=refusal.detail, next="/renew"), refusal.status


@bp.post("/renew/link/<token>")
@access.public
def pay(token: str) -> ResponseReturnValue:
    """Pays what the page showed, and opens no session: whoever has the link may pay, not look around."""
    try:
        linked = _read(token)
    except Refusal as refusal:
        return render_template("payments/link_over.html", detail=refusal.detail, next="/renew"), refusal.status
    if linked.offer is None:
        return redirect(url_for("renewal_links.offer", token=token), 303)
    if not linked.offer.is_as_shown:
        return _show(token, linked, has_moved=True), 409
    person_id, wanted = linked.person.id, service.Wanted(get_tier(linked.offer.tier.code).id)
    session["renewal_link"] = token  # the way back from the payment page, in this browser
    number, address = checkouts.start(person_id, wanted, "renewal_link", str(get_locale()))
    return redirect(address or service.outcome_path(service.get_payment(number)), 303)


def _read(token: str) -> Linked:
    """Raises Refusal for a link that is not whole or too old."""
    now, today = clock.now(), clock.today()
    person = get_person(renewal_links.read("renew", token, now))
    membership = membership_of(person.id, now, today)
    auto_renewal = service.find_auto_renewal(person.id)
    reason = None
    if service.find_pending_payment(person.id) is not None:
        reason = "pending"
    elif membership.has_future or membership.is_for_life:
        reason = "renewed"
    elif auto_renewal is not None and membership.status == "active":
        reason = "by_itself"
    elif membership.status == "suspended":
        reason = "ask"
    if reason is not None:
        return Linked(person, membership, reason=reason, auto_renewal=auto_renewal)
    tier = renewal_tier(person.id, today)
    if tier is None:
        return Linked(person, membership, reason="ask")
    return Linked(person, membership, offer=shown(tier, offer_for(person.id, tier, now, today)))


def _show(token: str, linked: Linked, has_moved: bool = False) -> str:
    return render_template(
        "payments/renewal_link.html", token=token, linked=linked, today=clock.today(), has_moved=has_moved,
        can_pay_online=service.can_pay_online(),
    )  # fmt: skip
