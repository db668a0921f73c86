"""The staff's pages: the administrator's home, finding people, the record of one person and what is done there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock, jobs
from app.accounts import access
from app.accounts.signed_in import current_account
from app.benefits.service import benefit_names
from app.cards.photos import count_waiting_photos
from app.errors import Refusal
from app.extensions import db
from app.formats import day_long
from app.memberships.service import (
    FOR_LIFE,
    count_by_status,
    count_by_tier,
    get_tier,
    grant,
    hold_person,
    is_closed,
    list_tiers,
    lock_person,
    memberships_of,
    price_on,
    record_seen_document,
    release_person,
    renewal_tier,
)
from app.people.models import Person
from app.people.service import count_people, find_people, get_person, number_in
from app.portal.explaining import today_for
from app.portal.record import newest_term_id, record_of
from app.portal.staff_forms import DocumentForm, GrantForm, HoldForm
from app.portal.views import bp
from app.services.service import list_services
from app.verification.service import last_use_of_services

__all__ = ["bp"]
MOST_FOUND = 50


@bp.get("/admin")
@access.admin
def admin() -> ResponseReturnValue:
    now, today = clock.now(), clock.today()
    used, held = last_use_of_services(), count_by_tier(today)
    services = list_services()
    tiers = [
        SimpleNamespace(
            code=t.code, name=t.name, fee_cents=price_on(t, today).fee_cents, currency=price_on(t, today).currency,
            months=t.months, grace_days=t.grace_days, members=held.get(t.id, 0), benefits=benefit_names(t),
            closed_on=t.closed_on if is_closed(t, today) else None,
        )
        for t in list_tiers()
    ]  # fmt: skip
    return render_template(
        "portal/admin.html",
        worker=SimpleNamespace(seen_at=jobs.last_seen(), is_alive=jobs.is_worker_alive(now)),
        dead_jobs=[
            SimpleNamespace(id=j.id, name=j.name, failed_at=j.run_at, error=j.last_error) for j in jobs.find_dead()
        ],
        waiting_jobs=jobs.count_waiting(),
        waiting_photos=count_waiting_photos(),
        counts=SimpleNamespace(people=count_people(), **count_by_status(today)),
        tiers=tiers,
        desks=[
            SimpleNamespace(
                id=s.id, name=s.name, benefit=s.benefit.name if s.benefit else None, last_scan_on=used.get(s.id)
            )
            for s in services
            if s.has_scope("scan")
        ],
        services=[
            SimpleNamespace(name=s.name, scopes=s.scopes.split(","), last_used_on=used.get(s.id))
            for s in services
            if not s.has_scope("scan")
        ],
    )


@bp.get("/admin/people")
@access.staff("register")
def people() -> ResponseReturnValue:
    """Find one person by name, member number or address."""
    wanted = request.args.get("text", "").replace("\0", "").strip()[:100]
    now, today = clock.now(), clock.today()
    found = find_people(wanted, MOST_FOUND + 1)
    standings = memberships_of([it.id for it in found], now, today)
    rows = [
        SimpleNamespace(
            full_name=it.full_name, member_number=it.member_number, email=it.email, membership=standings[it.id]
        )
        for it in found[:MOST_FOUND]
    ]  # fmt: skip
    return render_template("portal/people.html", text=wanted, people=rows, is_cut=len(found) > MOST_FOUND)


@bp.get("/admin/people/<number>")
@access.staff("register")
def person(number: str) -> ResponseReturnValue:
    """Staff's record of one person: why a member today, or on any day."""
    return _record(_person(number))


@bp.post("/admin/people/<number>/hold")
@access.admin
def hold(number: str) -> ResponseReturnValue:
    """Suspend all of somebody's days until they are released."""
    found, form = _person(number), HoldForm(prefix="hold")
    if not form.validate_on_submit():
        return _record(found, hold_form=form), 400
    is_new = hold_person(found, form.because.data.replace("\0", "").strip(), _by(), clock.now())
    db.session.commit()
    return _done(number, _("On hold now.") if is_new else _("Was on hold already."))


@bp.post("/admin/people/<number>/release")
@access.admin
def release(number: str) -> ResponseReturnValue:
    was_held = release_person(_person(number), _by(), clock.now())
    db.session.commit()
    return _done(number, _("Released.") if was_held else _("Was not on hold."))


@bp.post("/admin/people/<number>/grant")
@access.admin
def grant_days(number: str) -> ResponseReturnValue:
    """Give days that nobody pays for, after those that were paid for."""
    found, form = _person(number), _grant_form()
    if not form.validate_on_submit():
        return _record(found, grant_form=form), 400
    length = form.length.data
    try:
        lock_person(found.id)
        if form.seen.data != str(newest_term_id(found.id)):
            raise Refusal("record_changed", _("The terms have changed since this page was opened. Look again."), 409)
        term = grant(
            found.id, get_tier(form.tier.data), because=form.because.data.replace("\0", ""), by=_by(), now=clock.now(),
            today=clock.today(), months=form.months.data if length == "months" else None,
            until=form.until.data if length == "until" else None, life=length == "life",
        )  # fmt: skip
        last = _("for life") if term.ends_on == FOR_LIFE else _("to %(day)s", day=day_long(term.ends_on))
        said = _("Granted from %(day)s %(last)s.", day=day_long(term.starts_on), last=last)
        db.session.commit()
    except Refusal as refusal:
        return _refused(number, refusal, grant_form=form)
    return _done(number, said)


@bp.post("/admin/people/<number>/document")
@access.admin
def see_document(number: str) -> ResponseReturnValue:
    """Note that the document a reduced fee asks for was seen."""
    found, form = _person(number), _document_form()
    if not form.validate_on_submit():
        return _record(found, document_form=form), 400
    try:
        tier = get_tier(form.tier.data)
        record_seen_document(found, tier, _by(), form.until.data, clock.now(), clock.today())
        said = _("Noted: %(tier)s may be sold to them.", tier=tier.name)
        db.session.commit()
    except Refusal as refusal:
        return _refused(number, refusal, document_form=form)
    return _done(number, said)


def _person(number: str) -> Person:
    return get_person(number_in(number) or 0)


def _by() -> str:
    return f"account:{current_account().id}"


def _done(number: str, said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for("portal.person", number=number), 303)


def _refused(number: str, refusal: Refusal, **forms: Any) -> ResponseReturnValue:
    db.session.rollback()
    return _record(_person(number), error=refusal.detail, **forms), refusal.status


def _grant_form() -> GrantForm:
    form = GrantForm(prefix="grant")
    form.tier.choices = [(tier.code, tier.name) for tier in list_tiers()]
    return form


def _document_form() -> DocumentForm:
    form = DocumentForm(prefix="document")
    form.tier.choices = [(tier.code, tier.name) for tier in list_tiers() if tier.condition == "document"]
    return form


def _record(
    found: Person, hold_form: HoldForm | None = None, grant_form: GrantForm | None = None,
    document_form: DocumentForm | None = None, error: str | None = None,
) -> str:  # fmt: skip
    """The record's page; a form that was refused is shown again as it was sent."""
    today = clock.today()
    if grant_form is None:
        grant_form, usual = _grant_form(), renewal_tier(found.id, today)
        grant_form.tier.data = usual.code if usual else None
    grant_form.seen.data = str(newest_term_id(found.id))
    return render_template(
        "portal/person.html", **record_of(found, clock.now(), today, today_for(request.args.get("as_of"))),
        hold_form=hold_form or HoldForm(prefix="hold"), grant_form=grant_form, error=error,
        document_form=document_form or _document_form(), form=FlaskForm(),
    )  # fmt: skip
