"""Giving a year to somebody, and accepting one."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from app import clock
from app.accounts import access
from app.accounts.signed_in import check_signed_in, current_account, current_person
from app.cards.service import find_card
from app.errors import Refusal
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.service import TermDates, find_term_of_payment, get_tier, gift_dates
from app.payments import gifts, service
from app.payments.forms import GiftForm, NamesForm, NewGiverForm
from app.payments.models import Gift, Payment
from app.payments.newcomers import person_of
from app.payments.service import GiftTo, PaymentView, Wanted
from app.payments.shown_offers import gift_offers
from app.payments.views import chosen_offer, pay_online

bp = Blueprint("gifts", __name__)


@bp.get("/gift")
@access.signed_in
def give() -> ResponseReturnValue:
    form = _gift_form()
    form.tier.data = request.args.get("tier")
    return _show_giving(form)


@bp.post("/gift")
@access.signed_in
def pay_to_give() -> ResponseReturnValue:
    form = _gift_form()
    chosen = chosen_offer(form, gift_offers(clock.now(), clock.today()))
    address = (form.recipient_email.data or "").lower()
    if address == current_account().email:
        form.recipient_email.errors = [_("This is your own address. To pay for yourself, join or renew.")]
        chosen = None
    if chosen is None:
        return _show_giving(form), 400
    to = GiftTo(address, form.recipient_name.data or "", form.message.data or "")
    wanted = Wanted(get_tier(chosen.tier.code).id, gift=to)
    return pay_online(person_of(form).id, wanted, f"account:{current_account().id}")


@bp.get("/gift/<token>")
@access.public
def see(token: str) -> ResponseReturnValue:
    return _show_gift(token, NamesForm())


@bp.post("/gift/<token>")
@access.public
def accept(token: str) -> ResponseReturnValue:
    """Whoever holds the link and is signed in may accept: it was mailed to whom the giver named."""
    elsewhere = check_signed_in(None)
    if elsewhere is not None:
        return elsewhere
    gift, state = _read(token)
    if gift is None or state != "waiting":
        return _show_gift(token, NamesForm(), 409)
    form = NamesForm()
    if current_person() is None and not form.validate_on_submit():
        return _show_gift(token, form, 400)
    if request.form.get("shown", _stamp(_days(gift))) != _stamp(_days(gift)):
        return _show_gift(token, form, 409, has_moved=True)
    gifts.accept(gift, person_of(form), clock.now(), clock.today())
    db.session.commit()
    return redirect(url_for("gifts.see", token=token), 303)


def _gift_form() -> GiftForm:
    return GiftForm() if current_person() else NewGiverForm()


def _show_giving(form: GiftForm) -> str:
    person, offers = current_person(), gift_offers(clock.now(), clock.today())
    if not form.is_submitted() and len(offers) == 1:
        form.tier.data = offers[0].tier.code
    return render_template(
        "payments/gift.html", form=form, offers=offers, given=_given_by(person.id) if person else [],
        can_pay_online=service.can_pay_online(),
        pending=service.find_pending_payment(person.id) if person else None,
    )  # fmt: skip


def _given_by(person_id: int) -> list[tuple[Gift, PaymentView]]:
    """Gifts that were paid or are about to be, newest first."""
    query = select(Gift).join(Payment).where(Payment.person_id == person_id).order_by(Gift.payment_id.desc())
    given = [(gift, service.view(gift.payment)) for gift in db.session.execute(query).scalars()]
    return [(gift, found) for gift, found in given if found.state in ("paid", "pending", "refunded")]


def _read(token: str) -> tuple[Gift | None, str]:
    """A gift as the reader finds it: waiting, own (they give it), mine (they accepted it), taken or gone."""
    try:
        gift = gifts.get_gift(renewal_links.read("gift", token, clock.now()))
    except Refusal:
        return None, "gone"
    person = current_person() if current_user.is_authenticated else None
    if gift.accepted_at is not None:
        return gift, "mine" if person is not None and gift.recipient_id == person.id else "taken"
    if person is not None and gift.payment.person_id == person.id:
        return gift, "own"
    return gift, "waiting"


def _days(gift: Gift) -> TermDates | None:
    """What a gift would add for whoever is signed in, else for somebody new; None for a member for life."""
    person = current_person() if current_user.is_authenticated else None
    try:
        return gift_dates(person.id if person else None, gift.payment.tier, clock.now(), clock.today())
    except Refusal:
        return None


def _stamp(days: TermDates | None) -> str:
    return f"{days.starts_on} {days.ends_on}" if days else ""


def _show_gift(token: str, form: NamesForm, status: int = 200, has_moved: bool = False) -> ResponseReturnValue:
    is_signed_in = current_user.is_authenticated
    elsewhere = check_signed_in(None) if is_signed_in else None
    if elsewhere is not None:  # several persons share this account: whom is it for?
        return elsewhere
    gift, state = _read(token)
    if gift is None:
        return render_template("payments/gift_link.html", state=state), 410
    person = current_person() if is_signed_in else None
    days = _days(gift)
    page = render_template(
        "payments/gift_link.html", state=state, gift=gift, token=token, form=form, days=days, stamp=_stamp(days),
        is_signed_in=is_signed_in, person=person, has_moved=has_moved, today=clock.today(),
        term=find_term_of_payment(gift.payment_id), has_card=person is not None and find_card(person.id) is not None,
    )  # fmt: skip
    return page, status
