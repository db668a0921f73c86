"""Booking a fee that came by bank transfer or in cash at a desk."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_account
from app.errors import Refusal
from app.extensions import db
from app.formats import format_money
from app.mail import language_of
from app.memberships.models import Tier
from app.memberships.service import get_tier, lock_person, price_on, renewal_tier, tiers_on_sale
from app.money import plain_amount
from app.payments import ledger, transfers
from app.payments.manual import record_payment
from app.payments.models import LedgerEntry, Payment
from app.payments.service import find_payment
from app.people.models import Person
from app.people.service import find_people, get_person, number_in
from app.treasury import words
from app.treasury.forms import RecordForm, read_amount
from app.treasury.rules import number_in_reference, plain_reference

bp = Blueprint("recording", __name__, url_prefix="/treasury/record")
MOST_FOUND = 20


@bp.get("")
@access.staff("register")
def record() -> ResponseReturnValue:
    """Find whose money it is, by reference, payment number, name or member number; then the form."""
    if "person" in request.args:
        person = get_person(number_in(request.args["person"]) or 0)
        form = _form(person)
        wanted = _order_of(person, request.args.get("order", ""))
        form.what.data = _first_choice(person, form, wanted)
        form.method.data = wanted.method if wanted else form.method.choices[0][0]
        form.value_on.data = clock.today()
        if wanted is not None:
            form.amount.data = plain_amount(transfers.missing_cents(wanted))
        return _page(person, form)
    text = request.args.get("text", "").replace("\0", "").strip()[:100]
    found, error = None, None
    try:
        found = _payment_named(text)
    except Refusal as refusal:
        error = refusal.detail
    if found is not None:
        return redirect(url_for("recording.record", person=found.person.member_number, order=found.number))
    people = find_people(text, MOST_FOUND + 1) if error is None else []
    return render_template(
        "treasury/find_payer.html", text=text, people=people[:MOST_FOUND], is_cut=len(people) > MOST_FOUND, error=error
    ), 400 if error else 200


@bp.post("")
@access.staff("register")
def book() -> ResponseReturnValue:
    person = get_person(number_in(request.args.get("person", "")) or 0)
    person_id, number = person.id, person.member_number
    form = _form(person)
    if not form.validate_on_submit():
        return _page(person, form), 400
    try:
        payment = _book(person, form)
        db.session.flush()
        free = ledger.balance_of(payment.id).unallocated_cents
        payment_number, currency = payment.number, payment.currency
        db.session.commit()
    except Refusal as refusal:
        db.session.rollback()
        twice = _newest_entry(person_id) if refusal.code == "recorded_already" else None
        return _page(get_person(person_id), form, refusal.detail, twice), refusal.status
    flash(_("%(number)s is booked.", number=payment_number), "ok")
    if free:
        flash(_("%(amount)s of it is for the treasurer to decide.", amount=format_money(free, currency)), "warn")
    if current_user.has_role("treasurer"):
        return redirect(url_for("treasury.payment", number=payment_number), 303)
    return redirect(url_for("portal.person", number=number), 303)


def _book(person: Person, form: RecordForm) -> Payment:
    """Book what was typed in. Sent twice, the second is refused: `again` counts only for what its page had seen."""
    lock_person(person.id)
    value_on: date = form.value_on.data
    order, tier = _meant(person, form.what.data)
    missing = transfers.missing_cents(order) if order else price_on(tier, value_on).fee_cents
    text = (form.amount.data or "").strip()
    again = request.form.get("again") == str(_newest_entry(person.id))
    return record_payment(
        person, tier, read_amount(text) if text else missing, form.method.data, value_on,
        f"account:{current_account().id}", language_of(person.language), clock.now(), clock.today(), again, order,
    )  # fmt: skip


def _form(person: Person) -> RecordForm:
    form = RecordForm()
    orders = [(f"order:{it.number}", it.number) for it in transfers.open_orders(person.id)]
    form.what.choices = orders + [(f"tier:{tier.code}", tier.name) for tier in _tiers(person)]
    channels = words.methods()
    may_transfer = current_user.has_role("treasurer")  # cash is handed over at a desk; the bank is the treasurer's
    form.method.choices = [(code, channels[code]) for code in (["transfer"] if may_transfer else []) + ["cash"]]
    return form


def _tiers(person: Person) -> list[Tier]:
    return tiers_on_sale(person.id, clock.today())


def _first_choice(person: Person, form: RecordForm, order: Payment | None) -> str | None:
    if order is not None:
        return f"order:{order.number}"
    choices = [code for code, _word in form.what.choices]
    usual = renewal_tier(person.id, clock.today())
    if choices and choices[0].startswith("order:"):
        return choices[0]
    return f"tier:{usual.code}" if usual else None


def _meant(person: Person, what: str) -> tuple[Payment | None, Tier]:
    """The order, or None, and the tier that a choice of the form names."""
    kind, _colon, name = what.partition(":")
    if kind == "tier":
        return None, get_tier(name)
    order = _order_of(person, name)
    if order is None:
        raise Refusal("order_not_open", _("%(number)s is not open any more. Look again.", number=name), 409)
    return order, order.tier


def _order_of(person: Person, number: str) -> Payment | None:
    return next((it for it in transfers.open_orders(person.id) if it.number == number), None)


def _payment_named(text: str) -> Payment | None:
    """The payment whose number or reference (RF...) this is. Raises Refusal for a reference with a wrong digit."""
    number = number_in_reference(text)
    payment = find_payment(number or text.upper())
    if number is None:
        return payment
    if payment is None or transfers.reference_of(payment) != plain_reference(text):
        raise Refusal("unknown_reference", _("No payment has this reference. Check its digits."))
    return payment


def _newest_entry(person_id: int) -> int:
    """The last ledger row of a person, 0 without: what somebody had seen when they said that money came again."""
    query = select(func.max(LedgerEntry.id)).join(Payment, Payment.id == LedgerEntry.payment_id)
    return db.session.execute(query.where(Payment.person_id == person_id)).scalar() or 0


def _page(person: Person, form: RecordForm, error: str | None = None, twice: int | None = None) -> str:
    today = clock.today()
    orders = [
        SimpleNamespace(
            code=f"order:{it.number}", number=it.number, reference=transfers.reference_of(it), tier=it.tier,
            kind=words.kinds()[it.kind], asked_on=it.opened_on, amount_cents=it.amount_cents, currency=it.currency,
            missing_cents=transfers.missing_cents(it),
        )
        for it in transfers.open_orders(person.id)
    ]  # fmt: skip
    tiers = [
        SimpleNamespace(
            code=f"tier:{it.code}", tier=it, fee_cents=price_on(it, today).fee_cents,
            currency=price_on(it, today).currency,
        )
        for it in _tiers(person)
    ]  # fmt: skip
    return render_template(
        "treasury/record.html", person=person, form=form, orders=orders, tiers=tiers, error=error, twice=twice,
    )  # fmt: skip
