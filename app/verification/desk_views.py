"""The administrator's pages of desks and their tablets, the link that pairs one, and the scans to look at."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from types import SimpleNamespace

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.accounts.service import actor_name
from app.benefits.service import find_benefit, list_benefits
from app.cards.qr import qr_svg
from app.extensions import db, limiter
from app.people.models import Person
from app.services import desks
from app.services.at_desk import keep_pairing
from app.services.models import Service
from app.verification import log, rules
from app.verification.forms import MEMBERSHIP, DeskForm, DeviceForm
from app.verification.models import Verification
from app.verification.service import last_use_of_services
from app.verification.views import whole
from app.verification.words import flag_words, undo_words, words_of_scan

bp = Blueprint("desks", __name__)

DAYS_SHOWN = timedelta(days=13)  # besides today


@bp.get("/admin/desks")
@access.admin
def index() -> ResponseReturnValue:
    """Every desk: what it checks, what it sees, its tablets."""
    now, used, flagged = clock.now(), last_use_of_services(), log.count_flagged()
    shown = [
        SimpleNamespace(
            id=desk.id, name=desk.name, benefit=desk.benefit.name if desk.benefit else None,
            sees_who=desk.has_scope("identity"), last_scan_on=used.get(desk.id), flagged=flagged.get(desk.id, 0),
            devices=sum(desks.state_of(device, now) == "live" for device in desks.list_devices(desk, now)),
        )
        for desk in desks.list_desks()
    ]  # fmt: skip
    return render_template("verification/desk_list.html", desks=shown, flagged=sum(flagged.values()))


@bp.get("/admin/desks/<desk_id>")
@access.admin
def desk(desk_id: str) -> ResponseReturnValue:
    return _desk_page(_desk(desk_id))


@bp.post("/admin/desks/<desk_id>")
@access.admin
def change(desk_id: str) -> ResponseReturnValue:
    found, form = _desk(desk_id), _desk_form()
    if not form.validate_on_submit():
        return _desk_page(found, form=form), 400
    benefit = find_benefit(form.benefit.data)  # none for MEMBERSHIP, which is no benefit's code
    desks.change_desk(found, benefit, form.sees_who.data, clock.now())
    db.session.commit()
    flash(_("Kept."), "ok")
    return redirect(url_for("desks.desk", desk_id=desk_id), 303)


@bp.post("/admin/desks/<desk_id>/devices")
@access.admin
def add_device(desk_id: str) -> ResponseReturnValue:
    """The link that pairs a tablet is shown this once."""
    found, form = _desk(desk_id), DeviceForm()
    if not form.validate_on_submit():
        return _desk_page(found, device_form=form), 400
    device, token = desks.add_device(found, form.name.data, clock.now())
    db.session.commit()
    link = f"{current_app.config['BASE_URL']}{url_for('desks.open_link', token=token)}"
    return render_template(
        "verification/pairing_link.html", desk=found, device=device, link=link, code_svg=qr_svg(link, _("Pairing link"))
    )


@bp.post("/admin/desks/<desk_id>/devices/<device_id>/revoke")
@access.admin
def revoke(desk_id: str, device_id: str) -> ResponseReturnValue:
    name = desks.revoke_device(_desk(desk_id), whole(device_id), clock.now()).name
    db.session.commit()
    flash(_("%(device)s scans no more.", device=name), "ok")
    return redirect(url_for("desks.desk", desk_id=desk_id), 303)


@bp.get("/scan/pair/<token>")
@access.public
def open_link(token: str) -> ResponseReturnValue:
    """A button only: whatever looks at links before a person does must not use them up."""
    device = desks.find_device_of_link(token, clock.now())
    if device is None:
        raise desks.link_used()
    return render_template("verification/pair.html", device=device, token=token, days=desks.DEVICE_LIFE.days)


@bp.post("/scan/pair/<token>")
@access.public
@limiter.limit("60 per 10 minutes")
def pair(token: str) -> ResponseReturnValue:
    device, kept = desks.pair_device(token, clock.now())
    db.session.commit()
    response = make_response(redirect(url_for("verification.scan", desk=device.service_id), 303))
    keep_pairing(response, device, kept)
    return response


@bp.get("/admin/scans")
@access.admin
def flagged() -> ResponseReturnValue:
    """The scans to look at, and why."""
    page = whole(request.args.get("page", ""))
    rows, has_more = log.flagged_scans(page)
    scans = [_shown(row) for row in rows]
    return render_template("verification/flagged.html", scans=scans, page=page, has_more=has_more)


def _shown(row: Verification) -> SimpleNamespace:
    person = db.session.get(Person, row.person_id) if row.person_id else None
    by = row.device.name if row.device else actor_name(f"account:{row.account_id}") if row.account_id else ""
    return SimpleNamespace(
        at=row.checked_at, received_at=row.received_at, desk=row.service.name, by=by, person=person,
        word=words_of_scan(row, None)["word"], why=[flag_words(flag.why, row) for flag in row.flags],
        list_issued_at=row.list_issued_at, skew_seconds=round((row.clock_skew_ms or 0) / 1000),
        undone=undo_words(row.undone_because) if row.undone_because else None,
    )  # fmt: skip


def _desk(desk_id: str) -> Service:
    return desks.get_desk(whole(desk_id))


def _desk_form() -> DeskForm:
    form = DeskForm()
    form.benefit.choices = [(MEMBERSHIP, _("membership alone")), *((it.code, it.name) for it in list_benefits())]
    return form


def _desk_page(found: Service, form: DeskForm | None = None, device_form: DeviceForm | None = None) -> str:
    now, today = clock.now(), clock.today()
    if form is None:
        form = _desk_form()
        form.benefit.data = found.benefit.code if found.benefit else MEMBERSHIP
        form.sees_who.data = found.has_scope("identity")
    devices = [
        SimpleNamespace(
            id=it.id, name=it.name, state=desks.state_of(it, now), paired_at=it.paired_at, expires_at=it.expires_at,
            last_seen_at=it.last_seen_at, revoked_at=it.revoked_at, link_expires_at=it.link_expires_at,
        )
        for it in desks.list_devices(found, now)
    ]  # fmt: skip
    totals = log.totals_of_desk(found.id, today - DAYS_SHOWN)
    return render_template(
        "verification/desk.html", desk=found, form=form, device_form=device_form or DeviceForm(formdata=None),
        devices=devices, days=[_day(day, totals[day]) for day in sorted(totals, reverse=True)], csrf=FlaskForm(),
        device_days=desks.DEVICE_LIFE.days, link_minutes=round(desks.LINK_LIFE.total_seconds() / 60),
    )  # fmt: skip


def _day(day: date, answers: Counter[str]) -> SimpleNamespace:
    """How many scans of a day had which panel, whatever the kind of card."""
    panels: Counter[str] = Counter()
    for reason, count in answers.items():
        panels[rules.panel(reason, check_identity=False)] += count
    return SimpleNamespace(on=day, all=answers.total(), panels=panels)
