"""Paying one's own fee: joining, renewing, a higher tier; and the provider's webhook."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_account, current_person
from app.association import get_association
from app.errors import Refusal, problem
from app.extensions import csrf, db
from app.memberships.service import (
    find_renewal_choice,
    get_tier,
    membership_of,
    renewal_tier,
)
from app.payments import checkouts, gateway, hearing, service, transfers
from app.payments.forms import FeeForm, NewcomerForm, TierForm
from app.payments.newcomers import person_of
from app.payments.shown_offers import ShownOffer, changes_up, fee_offers, unmet_conditions

bp = Blueprint("payments", __name__)
log = structlog.get_logger()


@bp.get("/join")
@access.signed_in
def join() -> ResponseReturnValue:
    return _elsewhere("join") or _show_offers("join", _fee_form(), _fee_offers())


@bp.post("/join")
@access.signed_in
def pay_to_join() -> ResponseReturnValue:
    return _elsewhere("join") or _go_to_pay("join")


@bp.get("/renew")
@access.signed_in
def renew() -> ResponseReturnValue:
    return _elsewhere("renew") or _show_offers("renew", _fee_form(), _fee_offers())


@bp.post("/renew")
@access.signed_in
def pay_to_renew() -> ResponseReturnValue:
    return _elsewhere("renew") or _go_to_pay("renew")


@bp.get("/upgrade")
@access.signed_in
def upgrade() -> ResponseReturnValue:
    return _elsewhere("upgrade") or _show_offers("upgrade", TierForm(), _upgrades())


@bp.post("/upgrade")
@access.signed_in
def pay_to_upgrade() -> ResponseReturnValue:
    elsewhere = _elsewhere("upgrade")
    if elsewhere is not None:
        return elsewhere
    form, offers = TierForm(), _upgrades()
    chosen = chosen_offer(form, offers)
    if chosen is None:
        return _show_offers("upgrade", form, offers), 400
    wanted = service.Wanted(get_tier(chosen.tier.code).id, is_upgrade=True)
    return pay_online(person_of(form).id, wanted, f"account:{current_account().id}")


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
        hearing.hear(event)
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


def pay_online(person_id: int, wanted: service.Wanted, by: str) -> ResponseReturnValue:
    """On to the payment page; to the outcome when there is nothing (more) to pay."""
    number, address = checkouts.start(person_id, wanted, by, str(get_locale()))
    return redirect(address or url_for("outcomes.done", number=number), 303)


def chosen_offer(form: TierForm, offers: list[ShownOffer]) -> ShownOffer | None:
    """What a sent form takes up; None, with the reason on the form, when it is not on sale or not as it was shown."""
    form.tier.choices = [(it.tier.code, it.tier.name) for it in offers]
    if not form.validate_on_submit():
        return None
    chosen = next(it for it in offers if it.tier.code == form.tier.data)
    if not chosen.is_as_shown:
        form.tier.errors = [_("Its days or its price changed since you opened this page. Look again.")]
        return None
    return chosen


def _go_to_pay(page: str) -> ResponseReturnValue:
    form, offers = _fee_form(), _fee_offers()
    by_transfer = request.form.get("method") == "transfer"
    chosen = chosen_offer(form, offers)
    if chosen is not None and form.auto_renewal.data and (by_transfer or chosen.renewed_on is None):
        form.auto_renewal.errors = [
            _("A bank transfer cannot renew by itself. Take the mark away, or pay online.")
            if by_transfer
            else _("%(tier)s cannot renew by itself. Take the mark away.", tier=chosen.tier.name)
        ]
        chosen = None
    if chosen is None:
        return _show_offers(page, form, offers), 400
    person = person_of(form)
    wanted = service.Wanted(get_tier(chosen.tier.code).id, auto_renewal=bool(form.auto_renewal.data))
    by = f"account:{current_account().id}"
    if not by_transfer:
        return pay_online(person.id, wanted, by)
    order = transfers.order_transfer(person, wanted, by, str(get_locale()), clock.now(), clock.today())
    db.session.commit()
    return redirect(url_for("outcomes.transfer", number=order.number), 303)


def _fee_form() -> FeeForm:
    return FeeForm() if current_person() else NewcomerForm()


def _fee_offers() -> list[ShownOffer]:
    person = current_person()
    return fee_offers(person.id if person else None, clock.now(), clock.today())


def _upgrades() -> list[ShownOffer]:
    person = current_person()
    return changes_up(person.id, clock.now(), clock.today()) if person else []


def _elsewhere(page: str) -> ResponseReturnValue | None:
    """Somebody who has nothing to do on this page goes to the one that is theirs."""
    person = current_person()
    if person is None:
        return redirect(url_for("payments.join")) if page != "join" else None
    waiting = service.find_pending_payment(person.id)
    if waiting is not None:
        return redirect(url_for("outcomes.done", number=waiting.number))
    membership = membership_of(person.id, clock.now(), clock.today())
    if page == "upgrade" and membership.status != "none":
        return None
    if membership.is_for_life:
        flash(_("You are a member for life. There is nothing to pay."))
        return redirect(url_for("portal.index"))
    if membership.has_future:
        flash(_("You have renewed already. There is nothing to pay now."))
        return redirect(url_for("portal.index"))
    right_page = "renew" if membership.status in ("active", "grace", "suspended") else "join"
    if right_page != page:
        return redirect(url_for(f"payments.{right_page}", tier=request.args.get("tier")))
    return None


def _show_offers(page: str, form: TierForm, offers: list[ShownOffer]) -> str:
    now, today, person = clock.now(), clock.today(), current_person()
    person_id = person.id if person else None
    membership = membership_of(person_id, now, today) if person_id else None
    choice = find_renewal_choice(person_id) if person_id and page == "renew" else None
    if not form.is_submitted():
        form.tier.data = _usual_tier(person_id, offers)
    return render_template(
        f"payments/{page}.html", form=form, offers=offers, today=today, can_pay_online=service.can_pay_online(),
        takes_transfers=get_association().iban is not None and page != "upgrade",
        membership=membership if membership and membership.status != "none" else None,
        choice=choice.tier if choice else None, order=next(iter(transfers.open_orders(person_id or 0)), None),
        unmet=[] if page == "upgrade" else unmet_conditions(person_id, today),
        auto_renewal=service.find_auto_renewal(person_id) if person_id else None,
    )  # fmt: skip


def _usual_tier(person_id: int | None, offers: list[ShownOffer]) -> str | None:
    """The tier marked beforehand: the one asked for, the one left unpaid, the one of the next renewal, the only one."""
    codes = [it.tier.code for it in offers]
    wishes = [request.args.get("tier")]
    if person_id is not None:
        unpaid, usual = service.find_open_payment(person_id), renewal_tier(person_id, clock.today())
        wishes += [unpaid.tier.code if unpaid else None, usual.code if usual else None]
    return next((code for code in wishes if code in codes), codes[0] if len(codes) == 1 else None)
