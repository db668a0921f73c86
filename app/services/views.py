"""The administrator's pages of services: what each may ask, its keys, and its own people."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.benefits.service import find_benefit, list_benefits
from app.errors import Refusal
from app.extensions import db
from app.services import keys, people
from app.services.forms import MEMBERSHIP, KeyForm, NewServiceForm, ServiceForm, ServicePersonForm
from app.services.models import Service
from app.services.service import SCOPES, add_service, change_service, list_services
from app.services.words import scope_words

bp = Blueprint("services", __name__, url_prefix="/admin/services")

Form = TypeVar("Form", bound=ServiceForm)


@bp.get("")
@access.admin
def index() -> ResponseReturnValue:
    form = _with_choices(NewServiceForm())
    form.scopes.data, form.benefit.data = ["verify"], MEMBERSHIP
    return _index_page(form)


@bp.post("")
@access.admin
def add() -> ResponseReturnValue:
    """The key is shown this once."""
    form = _with_choices(NewServiceForm())
    if not form.validate_on_submit():
        return _index_page(form), 400
    benefit = find_benefit(form.benefit.data)  # none for MEMBERSHIP, which is no benefit's code
    try:
        service, secret = add_service(form.name.data, form.scopes.data, benefit, clock.now())
    except Refusal as refusal:
        db.session.rollback()
        return _index_page(_with_error(form, refusal)), refusal.status
    db.session.commit()
    return _key_page(service, secret)


@bp.get("/<service_id>")
@access.admin
def service(service_id: str) -> ResponseReturnValue:
    return _service_page(_service(service_id))


@bp.post("/<service_id>")
@access.admin
def change(service_id: str) -> ResponseReturnValue:
    found, form = _service(service_id), _with_choices(ServiceForm())
    if not form.validate_on_submit():
        return _service_page(found, form=form), 400
    try:
        change_service(found, form.scopes.data, find_benefit(form.benefit.data), clock.now())
    except Refusal as refusal:
        db.session.rollback()
        return _service_page(_service(service_id), form=_with_error(form, refusal)), refusal.status
    return _done(service_id, _("Kept."))


@bp.post("/<service_id>/keys")
@access.admin
def add_key(service_id: str) -> ResponseReturnValue:
    """The key is shown this once."""
    found, form = _service(service_id), KeyForm()
    if not form.validate_on_submit():
        return _service_page(found, key_form=form), 400
    _key, secret = keys.add_key(found, form.label.data or "", clock.now())
    db.session.commit()
    return _key_page(found, secret)


@bp.post("/<service_id>/keys/<key_id>/revoke")
@access.admin
def revoke_key(service_id: str, key_id: str) -> ResponseReturnValue:
    keys.revoke_key(_service(service_id), _whole(key_id), clock.now())
    return _done(service_id, _("That key is refused from now on, everywhere within 15 seconds."))


@bp.post("/<service_id>/people")
@access.admin
def add_person(service_id: str) -> ResponseReturnValue:
    found, form = _service(service_id), ServicePersonForm()
    if not form.validate_on_submit():
        return _service_page(found, person_form=form), 400
    try:
        account = people.add_person(found, form.email.data, clock.now())
    except Refusal as refusal:
        db.session.rollback()
        form.email.errors = [refusal.detail]
        return _service_page(_service(service_id), person_form=form), refusal.status
    return _done(service_id, _("%(email)s sees this service’s own things after signing in.", email=account.email))


@bp.post("/<service_id>/people/<account_id>/remove")
@access.admin
def remove_person(service_id: str, account_id: str) -> ResponseReturnValue:
    people.remove_person(_service(service_id), _whole(account_id), clock.now())
    return _done(service_id, _("They see nothing of this service any more."))


def _done(service_id: str, text: str) -> ResponseReturnValue:
    db.session.commit()
    flash(text, "ok")
    return redirect(url_for("services.service", service_id=service_id), 303)


def _service(service_id: str) -> Service:
    found = db.session.get(Service, _whole(service_id))
    if found is None:
        raise Refusal("unknown_service", _("There is no such service."), 404)
    return found


def _whole(text: str) -> int:
    """A row's id out of an address; 0, which is nobody's, for anything else."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0


def _with_choices(form: Form) -> Form:
    form.scopes.choices = [(scope, scope_words(scope)) for scope in SCOPES]
    form.benefit.choices = [(MEMBERSHIP, _("membership alone")), *((it.code, it.name) for it in list_benefits())]
    return form


def _with_error(form: Form, refusal: Refusal) -> Form:
    form.form_errors.append(refusal.detail)
    return form


def _index_page(form: NewServiceForm) -> str:
    shown = []
    for it in list_services():
        live = [key for key in keys.keys_of(it.id) if key.slot]
        used = [key.last_used_at for key in live if key.last_used_at]
        shown.append(
            SimpleNamespace(
                id=it.id, name=it.name, scopes=it.scopes.split(","), keys=len(live), benefit=it.benefit,
                last_used_at=max(used, default=None),
            )
        )  # fmt: skip
    return render_template("services/list.html", services=shown, form=form)


def _service_page(
    found: Service,
    form: ServiceForm | None = None,
    key_form: KeyForm | None = None,
    person_form: ServicePersonForm | None = None,
) -> str:
    if form is None:
        form = _with_choices(ServiceForm(formdata=None))
        form.scopes.data = found.scopes.split(",")
        form.benefit.data = found.benefit.code if found.benefit else MEMBERSHIP
    all_keys = keys.keys_of(found.id)
    return render_template(
        "services/service.html", service=found, form=form, key_form=key_form or KeyForm(formdata=None),
        person_form=person_form or ServicePersonForm(formdata=None), csrf=FlaskForm(),
        keys=[key for key in all_keys if key.slot], old_keys=[key for key in all_keys if not key.slot],
        people=people.people_of(found), most_keys=len(keys.SLOTS),
    )  # fmt: skip


def _key_page(found: Service, secret: str) -> str:
    return render_template("services/key.html", service=found, secret=secret)
