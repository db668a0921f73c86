"""Joining, renewing, coming back from the payment page, and the provider's webhook."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import structlog
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.accounts import access
from app.accounts.models import Account
from app.accounts.service import add_person_to_account
from app.accounts.signed_in import current_account, current_person
from app.benefits.service import benefit_names
from app.cards.service import find_card
from app.errors import Refusal, problem
from app.extensions import begin_writing, csrf, db
from app.memberships.service import (
    Membership,
    find_term_of_payment,
    get_tier,
    list_tiers,
    membership_of,
    offer_for,
)
from app.payments import checkouts, gateway, service
from app.payments.forms import NewcomerForm, TierForm
from app.payments.models import Payment
from app.payments.receipts import find_receipt
from app.people.models import Person
from app.people.service import add_person

bp = Blueprint("payments", __name__)
log = structlog.get_logger()


@bp.get("/join")
@access.signed_in
def join() -> ResponseReturnValue:
    return _offer_page("join")


@bp.post("/join")
@access.signed_in
def pay_to_join() -> ResponseReturnValue:
    return _go_to_pay("join")


@bp.get("/renew")
@access.signed_in
def renew() -> ResponseReturnValue:
    return _offer_page("renew")


@bp.post("/renew")
@access.signed_in
def pay_to_renew() -> ResponseReturnValue:
    return _go_to_pay("renew")


@bp.get("/payments/<number>/done")
@access.signed_in
def done(number: str) -> ResponseReturnValue:
    """Where the payment page sends people back to. What it says is never believed: we ask the provider."""
    person = current_person()
    payment = service.get_own_payment(number, person)
    if payment.paid_at is None and payment.closed_at is None and payment.stripe_checkout_id:
        checkout_id, person_id = payment.stripe_checkout_id, payment.person_id
        begin_writing()
        try:
            checkouts.settle_checkout(checkout_id)
        except gateway.ProviderTrouble as trouble:  # the webhook or the sweep will tell; the page says "waiting"
            log.warning("provider_trouble", error_type=str(trouble))
            db.session.rollback()
        person = db.session.get_one(Person, person_id)
        payment = service.get_own_payment(number, person)
    return _outcome(payment, person)


@bp.post("/stripe/webhook")
@csrf.exempt
@access.signed_by_stripe
def webhook() -> ResponseReturnValue:
    """The provider's doorbell. Answers 2xx only for what is settled and committed."""
    try:
        event = gateway.read_event(request.get_data(), request.headers.get("Stripe-Signature", ""))
    except gateway.BadSignature:
        return problem(400, "bad_signature", "This is not signed with a secret of ours.")
    try:
        checkouts.hear(event)
    except gateway.ProviderTrouble as trouble:
        log.warning("provider_trouble", error_type=str(trouble))
        return problem(503, "provider_trouble", "Send it again later.")
    return Response(status=204)


def check_signed_by_stripe(_argument: object) -> None:
    """Nobody is let in or out here: the view verifies the signature on the raw body itself."""
    if not gateway.is_configured():
        raise Refusal("payments_not_configured", "Paying online is not set up here.", 503)


def register_checks() -> None:
    access.register_check("signed_by_stripe", check_signed_by_stripe)


def _offer_page(page: str) -> ResponseReturnValue:
    elsewhere = _elsewhere(page)
    if elsewhere is not None:
        return elsewhere
    form = _form()
    form.tier.data = request.args.get("tier") or form.tier.data
    return _show_offers(page, form)


def _go_to_pay(page: str) -> ResponseReturnValue:
    elsewhere = _elsewhere(page)
    if elsewhere is not None:
        return elsewhere
    form = _form()
    if not form.validate_on_submit():
        return _show_offers(page, form), 400
    person = current_person() or _newcomer(form)
    person_id, tier = person.id, get_tier(form.tier.data)
    number, address = checkouts.start(person_id, tier, f"account:{current_account().id}", str(get_locale()))
    return redirect(address or url_for("payments.done", number=number), 303)


def _newcomer(form: TierForm) -> Person:
    if not isinstance(form, NewcomerForm):
        raise Refusal("name_missing", _("Tell us your given name and your family name."))
    account = current_account()
    # A second click of the same form waits here and finds whom the first has added.
    db.session.execute(select(Account.id).where(Account.id == account.id).with_for_update())
    db.session.refresh(account, ["persons"])
    if account.persons:
        return account.persons[0]
    person = add_person(form.given_name.data or "", form.family_name.data or "", account.email, clock.now())
    add_person_to_account(account, person, clock.now())
    return person


def _form() -> TierForm:
    form = TierForm() if current_person() else NewcomerForm()
    form.tier.choices = [(tier.code, tier.name) for tier in list_tiers()]
    return form


def _elsewhere(page: str) -> ResponseReturnValue | None:
    """Somebody who has nothing to do on this page goes to the one that is theirs."""
    person = current_person()
    if person is None:
        return redirect(url_for("payments.join")) if page == "renew" else None
    waiting = service.find_open_payment(person.id)
    if waiting is not None and waiting.completed_at is not None:
        return redirect(url_for("payments.done", number=waiting.number))
    membership = membership_of(person.id, clock.now(), clock.today())
    if membership.has_future:
        flash(_("You have renewed already. There is nothing to pay now."))
        return redirect(url_for("portal.index"))
    right_page = "renew" if membership.status in ("active", "grace", "suspended") else "join"
    if right_page != page:
        return redirect(url_for(f"payments.{right_page}", tier=request.args.get("tier")))
    return None


def _show_offers(page: str, form: TierForm) -> str:
    now, today = clock.now(), clock.today()
    person = current_person()
    membership = membership_of(person.id, now, today) if person else None
    offers = []
    for tier in list_tiers():
        offered = offer_for(person.id if person else None, tier, now, today)
        shown = SimpleNamespace(code=tier.code, name=tier.name, benefits=benefit_names(tier))
        offers.append(
            SimpleNamespace(
                tier=shown, price_cents=offered.fee_cents, currency=offered.currency, months=tier.months,
                starts_on=offered.offer.dates.starts_on, ends_on=offered.offer.dates.ends_on,
                holds_until=offered.offer.holds_until,
            )
        )  # fmt: skip
    if person is not None and not form.tier.data:
        unpaid = service.find_open_payment(person.id)
        usual = unpaid.tier if unpaid else membership.tier if membership else None
        form.tier.data = usual.code if usual else None
    return render_template(
        f"payments/{page}.html", form=form, offers=offers, today=today, pays_elsewhere=True,
        membership=membership if membership and membership.status != "none" else None,
    )  # fmt: skip


def _outcome(payment: Payment, person: Person | None) -> ResponseReturnValue:
    today: date = clock.today()
    if person is None:
        raise Refusal("unknown_payment", _("There is no such payment."), 404)
    membership: Membership = membership_of(person.id, clock.now(), today)
    found = service.view(payment)
    if found.state == "paid":
        term, receipt = find_term_of_payment(payment.id), find_receipt(payment.id)
        if term is None:
            return render_template("payments/unallocated.html", payment=payment)
        shown = SimpleNamespace(
            number=payment.number, receipt_number=receipt.number if receipt else None, paid_on=payment.paid_on,
            tier=payment.tier, starts_on=term.starts_on, ends_on=term.ends_on, method=None,
            amount_cents=payment.amount_cents, currency=payment.currency,
        )  # fmt: skip
        return render_template(
            "payments/paid.html", payment=shown, membership=membership, person=person, today=today,
            mailed_to=person.email, has_card=membership.is_valid and find_card(person.id) is not None,
        )  # fmt: skip
    if found.state == "refunded":
        return redirect(url_for("portal.index"))
    if payment.closed_because == "mismatch":
        return render_template("payments/unallocated.html", payment=payment, is_mismatch=True)
    asked = SimpleNamespace(
        number=payment.number, amount_cents=payment.amount_cents, currency=payment.currency, tier=payment.tier,
        asked_on=payment.opened_on,
    )  # fmt: skip
    left = found.state == "open" and request.args.get("left") == "1"
    if found.state == "closed" or left:
        reason = "abandoned" if left else payment.closed_because
        page = "renew" if membership.status in ("active", "grace") else "join"
        again = url_for(f"payments.{page}", tier=payment.tier.code)
        return render_template(
            "payments/not_paid.html", payment=asked, reason=reason, membership=membership, again_url=again
        )
    return render_template(
        "payments/waiting.html", payment=asked, slow=found.state == "pending", newcomer=membership.status == "none"
    )
