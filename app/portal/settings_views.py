"""What the administrator sets: tiers and their prices, the association's particulars."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.association import get_association
from app.benefits.service import benefit_names
from app.errors import Refusal
from app.extensions import db
from app.formats import day_long
from app.memberships.models import Tier
from app.memberships.service import (
    add_tier,
    close_tier,
    condition_words,
    count_by_tier,
    get_tier,
    is_closed,
    list_tiers,
    price_on,
    set_price,
)
from app.money import parse_amount
from app.portal.papers import change_association
from app.portal.staff_forms import CloseForm, NewTierForm, PapersForm, PriceForm

bp = Blueprint("settings", __name__, url_prefix="/admin")


@bp.get("/tiers")
@access.admin
def tiers() -> ResponseReturnValue:
    defaults = {"months": 12, "grace_days": 30, "bonus_days": 0, "reminders": "-30,-7,0,15"}
    return _tiers_page(NewTierForm(data=defaults))


@bp.post("/tiers")
@access.admin
def new_tier() -> ResponseReturnValue:
    form = NewTierForm()
    if not form.validate_on_submit():
        return _tiers_page(form), 400
    condition = form.condition.data
    try:
        if condition == "graduated_within" and form.graduated_within.data is None:
            raise Refusal("years_missing", _("Say how many years ago they may have graduated."))
        tier = add_tier(
            form.code.data.strip(), form.name.data.replace("\0", ""), _cents(form.fee.data), clock.now(),
            months=form.months.data,
            grace_days=form.grace_days.data, fixed_start=(form.fixed_start.data or "").strip() or None,
            bonus_days=form.bonus_days.data, needs_document=condition == "document",
            graduated_within=form.graduated_within.data if condition == "graduated_within" else None,
            reminders=form.reminders.data or "", vat_code=form.vat_code.data,
        )  # fmt: skip
        code, name = tier.code, tier.name
        db.session.commit()
    except Refusal as refusal:
        db.session.rollback()
        return _tiers_page(form, refusal.detail), refusal.status
    flash(_("%(tier)s is on sale.", tier=name), "ok")
    return redirect(url_for("settings.tier", code=code), 303)


@bp.get("/tiers/<code>")
@access.admin
def tier(code: str) -> ResponseReturnValue:
    found = get_tier(code)
    return _tier_page(found, PriceForm(formdata=None), _close_form(found, is_sent=False))


@bp.post("/tiers/<code>/prices")
@access.admin
def new_price(code: str) -> ResponseReturnValue:
    found, form = get_tier(code), PriceForm()
    if not form.validate_on_submit():
        return _tier_page(found, form, _close_form(found, is_sent=False)), 400
    try:
        price = set_price(found, _cents(form.fee.data), form.from_on.data, clock.now(), clock.today())
        since = price.from_on
        db.session.commit()
    except Refusal as refusal:
        return _refused_tier(code, refusal, PriceForm())
    flash(_("The new fee is asked from %(day)s on.", day=day_long(since)), "ok")
    return redirect(url_for("settings.tier", code=code), 303)


@bp.post("/tiers/<code>/close")
@access.admin
def close(code: str) -> ResponseReturnValue:
    found = get_tier(code)
    form = _close_form(found, is_sent=True)
    if not form.validate_on_submit():
        return _tier_page(found, PriceForm(formdata=None), form), 400
    try:
        successor = get_tier(form.successor.data) if form.successor.data else None
        close_tier(found, form.on.data, successor, clock.now(), clock.today())
        on = form.on.data
        db.session.commit()
    except Refusal as refusal:
        return _refused_tier(code, refusal, PriceForm(formdata=None), is_close=True)
    flash(_("It is sold no more from %(day)s on.", day=day_long(on)), "ok")
    return redirect(url_for("settings.tier", code=code), 303)


@bp.get("/association")
@access.admin
def association() -> ResponseReturnValue:
    return render_template("portal/association.html", form=PapersForm(obj=get_association()), error=None)


@bp.post("/association")
@access.admin
def change() -> ResponseReturnValue:
    form = PapersForm()
    if not form.validate_on_submit():
        return render_template("portal/association.html", form=form, error=None), 400
    given = {name: "" if it is None else str(it) for name, it in form.data.items() if name != "csrf_token"}
    try:
        change_association(given, clock.now())
        db.session.commit()
    except Refusal as refusal:
        db.session.rollback()
        return render_template("portal/association.html", form=form, error=refusal.detail), refusal.status
    flash(_("Kept."), "ok")
    return redirect(url_for("settings.association"), 303)


def _cents(text: str) -> int:
    return parse_amount(text.strip().replace(",", "."))


def _refused_tier(code: str, refusal: Refusal, form: PriceForm, is_close: bool = False) -> ResponseReturnValue:
    db.session.rollback()
    found = get_tier(code)
    return _tier_page(found, form, _close_form(found, is_sent=is_close), refusal.detail), refusal.status


def _close_form(tier: Tier, is_sent: bool) -> CloseForm:
    form = CloseForm() if is_sent else CloseForm(formdata=None, on=tier.closed_on)
    others = [it for it in list_tiers() if it.id != tier.id and not is_closed(it, clock.today())]
    form.successor.choices = [("", _("nothing: they choose")), *((it.code, it.name) for it in others)]
    if not is_sent and tier.successor is not None:
        form.successor.data = tier.successor.code
    return form


def _tiers_page(form: NewTierForm, error: str | None = None) -> str:
    held = count_by_tier(clock.today())
    return render_template("portal/tiers.html", tiers=[_shown(it, held) for it in list_tiers()], form=form, error=error)


def _tier_page(tier: Tier, price: PriceForm, closing: CloseForm, error: str | None = None) -> str:
    return render_template(
        "portal/tier.html",
        tier=_shown(tier, count_by_tier(clock.today())),
        price_form=price,
        close_form=closing,
        error=error,
        today=clock.today(),
    )


def _shown(tier: Tier, held: dict[int, int]) -> SimpleNamespace:
    today, current = clock.today(), price_on(tier, clock.today())
    prices = [
        SimpleNamespace(
            from_on=it.from_on, fee_cents=it.fee_cents, currency=it.currency, is_current=it is current,
            is_coming=it.from_on > today, is_first=it is tier.prices[0],
        )
        for it in reversed(tier.prices)
    ]  # fmt: skip
    return SimpleNamespace(
        code=tier.code, name=tier.name, months=tier.months, grace_days=tier.grace_days, fixed_start=tier.fixed_start,
        bonus_days=tier.bonus_days, closed_on=tier.closed_on, is_closed=is_closed(tier, today),
        successor=tier.successor, condition=condition_words(tier), reminders=tier.reminder_offsets,
        vat_code=tier.vat_code, fee_cents=current.fee_cents, currency=current.currency, prices=prices,
        members=held.get(tier.id, 0), benefits=benefit_names(tier),
    )  # fmt: skip
