"""The administrator's pages of benefits: the catalogue, one benefit, what each moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.benefits import service
from app.benefits.models import Benefit
from app.benefits.uses import Moved, moved
from app.benefits.words import how_often
from app.errors import Refusal
from app.extensions import db
from app.formats import month_long
from app.memberships.models import Tier
from app.memberships.service import list_tiers
from app.money import parse_amount, plain_amount
from app.portal.benefit_forms import BenefitForm, NewBenefitForm
from app.services.service import list_services

bp = Blueprint("benefits", __name__, url_prefix="/admin")

SPANS = ("30", "365")  # days whose uses the list counts
MONTHS_SHOWN = 12
SAME = (
    "name", "description", "kind", "in_grace", "available_from", "available_until", "discount_percent", "limit_count",
    "offline_ok", "by_code",
)  # fmt: skip
AMOUNTS = {"value": "value_cents", "cost": "cost_cents", "discount": "discount_cents"}


@bp.get("/benefits")
@access.admin
def index() -> ResponseReturnValue:
    return _list_page(NewBenefitForm(formdata=None))


@bp.post("/benefits")
@access.admin
def add() -> ResponseReturnValue:
    form = NewBenefitForm()
    _offer_choices(form)
    if not form.validate_on_submit():
        return _list_page(form), 400
    try:
        facts, now = _facts(form), clock.now()
        name, code = facts.pop("name"), form.code.data.strip()
        benefit = service.add_benefit(code, name, _tiers(form), facts.pop("in_grace"), now, **facts)
        service.set_partner(benefit, _partner_id(form), now)
        db.session.commit()
    except Refusal as refusal:
        db.session.rollback()
        return _list_page(form, refusal.detail), refusal.status
    flash(_("%(benefit)s is in the catalogue.", benefit=name), "ok")
    return redirect(url_for("benefits.benefit", benefit_code=code), 303)


@bp.get("/benefits/<benefit_code>")
@access.admin
def benefit(benefit_code: str) -> ResponseReturnValue:
    found = _benefit(benefit_code)
    return _benefit_page(found, _filled(found))


@bp.post("/benefits/<benefit_code>")
@access.admin
def change(benefit_code: str) -> ResponseReturnValue:
    found, form = _benefit(benefit_code), BenefitForm()
    _offer_choices(form)
    if not form.validate_on_submit():
        return _benefit_page(found, form), 400
    try:
        service.change_benefit(found, clock.now(), _tiers(form), **_facts(form))
        service.set_partner(found, _partner_id(form), clock.now())
        db.session.commit()
    except Refusal as refusal:
        db.session.rollback()
        return _benefit_page(_benefit(benefit_code), form, refusal.detail), refusal.status
    flash(_("Kept."), "ok")
    return redirect(url_for("benefits.benefit", benefit_code=benefit_code), 303)


@bp.post("/benefits/<benefit_code>/close")
@access.admin
def close(benefit_code: str) -> ResponseReturnValue:
    service.close_benefit(_benefit(benefit_code), clock.now())
    db.session.commit()
    flash(_("Nobody has it any more. Its uses stay."), "ok")
    return redirect(url_for("benefits.benefit", benefit_code=benefit_code), 303)


@bp.post("/benefits/<benefit_code>/reopen")
@access.admin
def reopen(benefit_code: str) -> ResponseReturnValue:
    service.reopen_benefit(_benefit(benefit_code), clock.now())
    db.session.commit()
    flash(_("Members have it again."), "ok")
    return redirect(url_for("benefits.benefit", benefit_code=benefit_code), 303)


def _benefit(code: str) -> Benefit:
    found = service.find_benefit(code)
    if found is None:
        raise Refusal("unknown_benefit", _("There is no such benefit."), 404)
    return found


def _facts(form: BenefitForm) -> dict[str, Any]:
    """What was filled in, by the names of the columns. Raises Refusal for what is no amount."""
    facts = {name: form[name].data for name in SAME}
    for name, column in AMOUNTS.items():
        text = (form[name].data or "").strip().replace(",", ".")
        facts[column] = parse_amount(text) if text else None
    facts["limit_period"] = form.limit_period.data if form.limit_count.data is not None else None
    return facts


def _filled(found: Benefit) -> BenefitForm:
    """The form as the benefit is."""
    amounts = {name: getattr(found, column) for name, column in AMOUNTS.items()}
    return BenefitForm(
        formdata=None, tiers=[tier.id for tier in found.tiers], partner=str(found.partner_id or ""),
        limit_period=found.limit_period or "month",
        **{name: getattr(found, name) for name in SAME},
        **{name: plain_amount(cents) if cents is not None else "" for name, cents in amounts.items()},
    )  # fmt: skip


def _offer_choices(form: BenefitForm) -> None:
    form.tiers.choices = [(tier.id, tier.name) for tier in list_tiers()]
    services = [(str(it.id), it.name) for it in list_services()]
    form.partner.choices = [("", _("none: the association itself")), *services]


def _tiers(form: BenefitForm) -> list[Tier]:
    return [tier for tier in list_tiers() if tier.id in (form.tiers.data or [])]


def _partner_id(form: BenefitForm) -> int | None:
    return int(form.partner.data) if form.partner.data else None


def _list_page(form: NewBenefitForm, error: str | None = None) -> str:
    _offer_choices(form)
    days, today, now = request.args.get("days", ""), clock.today(), clock.now()
    days = days if days in SPANS else SPANS[-1]
    found = {it.benefit.id: it for it in moved(today - timedelta(days=int(days) - 1), today)}
    partners = {it.id: it.name for it in list_services()}
    shown = [
        SimpleNamespace(
            code=it.code, name=it.name, kind=it.kind, partner=partners.get(it.partner_id or 0),
            tiers=[tier.name for tier in it.tiers], limit=how_often(it), is_closed=_is_closed(it, now),
            **_figures(found.get(it.id), it.currency),
        )
        for it in service.list_benefits()
    ]  # fmt: skip
    total = {name: sum(getattr(it, name) for it in shown) for name in ("uses", "value_cents", "cost_cents")}
    return render_template(
        "benefits/list.html", benefits=shown, form=form, error=error, days=days,
        total=SimpleNamespace(**total, currency=shown[0].currency if shown else "EUR"),
        spans=list(zip(SPANS, (_("Last 30 days"), _("Last 12 months")), strict=True)),
    )  # fmt: skip


def _benefit_page(found: Benefit, form: BenefitForm, error: str | None = None) -> str:
    _offer_choices(form)
    last, months = clock.today(), []
    first = last.replace(day=1)
    for _month in range(MONTHS_SHOWN):
        uses = next((it for it in moved(first, last) if it.benefit.id == found.id), None)
        if uses is not None:
            months.append(SimpleNamespace(month=month_long(first), **_figures(uses, found.currency)))
        last = first - timedelta(days=1)
        first = last.replace(day=1)
    shown = SimpleNamespace(
        code=found.code, name=found.name, kind=found.kind, closed_at=found.closed_at,
        is_closed=_is_closed(found, clock.now()),
    )  # fmt: skip
    return render_template(
        "benefits/benefit.html", benefit=shown, form=form, csrf=FlaskForm(), error=error, months=months
    )


def _is_closed(found: Benefit, now: datetime) -> bool:
    return found.closed_at is not None and found.closed_at <= now


def _figures(uses: Moved | None, currency: str) -> dict[str, Any]:
    if uses is None:
        return {"uses": 0, "people": 0, "value_cents": 0, "cost_cents": 0, "currency": currency}
    return {
        "uses": uses.uses, "people": uses.people, "value_cents": uses.value_cents, "cost_cents": uses.cost_cents,
        "currency": uses.currency,
    }  # fmt: skip
