"""Renewing by itself: on and off, another card, and off from a letter's link."""

from __future__ import annotations

import re

import structlog
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.errors import Refusal
from app.extensions import begin_writing, db
from app.formats import day_long, format_money
from app.memberships import renewal_links
from app.memberships.service import membership_of
from app.payments import checkouts, gateway, renewing, service, subscriptions
from app.payments.checkouts import no_answer
from app.payments.models import ProviderCustomer
from app.payments.settling import lock_person
from app.people.models import Person
from app.people.service import get_person

bp = Blueprint("auto_renewals", __name__)
log = structlog.get_logger()
CHECKOUT = re.compile(r"cs_[A-Za-z0-9_]{1,120}")


@bp.post("/account/auto-renewal/on")
@access.signed_in
def switch_on() -> ResponseReturnValue:
    """To the hosted page that keeps a way of paying; it takes no money."""
    person = _person()
    charge = renewing.next_charge(person.id, clock.now(), clock.today())
    if charge is None or service.find_auto_renewal(person.id) is not None:
        return redirect(url_for("portal.account"), 303)
    customer = db.session.get(ProviderCustomer, person.id)
    order = (person.id, person.email, customer.stripe_customer_id if customer else None, charge.currency)
    locale = str(get_locale()) if str(get_locale()) in service.PROVIDER_LOCALES else "auto"
    db.session.rollback()  # no call leaves inside a transaction
    try:
        address = gateway.create_setup(*order, locale, f"{current_app.config['BASE_URL']}/account/auto-renewal/done")
    except gateway.ProviderTrouble as trouble:
        log.warning("provider_trouble", error_type=str(trouble))
        raise no_answer() from trouble
    return redirect(address, 303)


@bp.get("/account/auto-renewal/done")
@access.signed_in
def done() -> ResponseReturnValue:
    """Back from the hosted page, which is not believed: we ask the provider."""
    person_id, checkout_id = _person().id, request.args.get("checkout", "")
    if not CHECKOUT.fullmatch(checkout_id):
        flash(_("Nothing was changed: your membership does not renew by itself."))
        return redirect(url_for("portal.account"))
    begin_writing()
    try:
        checkouts.settle_checkout(checkout_id)
    except gateway.ProviderTrouble as trouble:
        log.warning("provider_trouble", error_type=str(trouble))
        db.session.rollback()
    renewal = service.find_auto_renewal(person_id)
    if renewal is None:
        flash(_("We are waiting for the provider’s word. Look here again in a minute."))
    else:
        words = _(
            "Your membership renews by itself: %(amount)s on %(day)s. We write to you before.",
            amount=format_money(renewal.fee_cents, renewal.currency), day=day_long(renewal.charge_on),
        )  # fmt: skip
        flash(words, "ok")
    return redirect(url_for("portal.account"))


@bp.post("/account/auto-renewal/off")
@access.signed_in
def switch_off() -> ResponseReturnValue:
    _switch_off(_person())
    flash(_("Your membership no longer renews by itself. Nothing more is taken."), "ok")
    return redirect(url_for("portal.account"), 303)


@bp.post("/account/auto-renewal/card")
@access.signed_in
def change_card() -> ResponseReturnValue:
    """To the provider's page for cards."""
    person = _person()
    customer = db.session.get(ProviderCustomer, person.id)
    if customer is None or service.find_auto_renewal(person.id) is None:
        return redirect(url_for("portal.account"), 303)
    customer_id = customer.stripe_customer_id
    db.session.rollback()
    try:
        address = subscriptions.open_portal(customer_id, f"{current_app.config['BASE_URL']}/account")
    except gateway.ProviderTrouble as trouble:
        log.warning("provider_trouble", error_type=str(trouble))
        detail = _("The page for cards does not answer. Nothing was changed. Try again in a minute.")
        raise Refusal("provider_trouble", detail, 503) from trouble
    return redirect(address, 303)


@bp.get("/auto-renewal/off/<token>")
@access.public
def ask_off(token: str) -> ResponseReturnValue:
    """A mail scanner opens links; only the button switches anything off."""
    return _off_page(token)


@bp.post("/auto-renewal/off/<token>")
@access.public
def off_by_link(token: str) -> ResponseReturnValue:
    try:
        person = get_person(renewal_links.read("off", token, clock.now()))
    except Refusal as refusal:
        return _over(refusal)
    _switch_off(person)
    return redirect(url_for("auto_renewals.ask_off", token=token), 303)


def _person() -> Person:
    person = current_person()
    if person is None:
        raise Refusal("not_a_member", _("There is no membership to renew yet."), 409)
    return person


def _switch_off(person: Person) -> None:
    lock_person(person.id)
    renewal = service.find_auto_renewal(person.id)
    if renewal is not None:
        renewing.switch_off(renewal, "member", clock.now())
        db.session.commit()


def _off_page(token: str) -> ResponseReturnValue:
    try:
        person = get_person(renewal_links.read("off", token, clock.now()))
    except Refusal as refusal:
        return _over(refusal)
    return render_template(
        "payments/auto_renewal_off.html", token=token, person=person, renewal=service.find_auto_renewal(person.id),
        membership=membership_of(person.id, clock.now(), clock.today()),
    )  # fmt: skip


def _over(refusal: Refusal) -> ResponseReturnValue:
    return render_template("payments/link_over.html", detail=refusal.detail, next="/account"), refusal.status
