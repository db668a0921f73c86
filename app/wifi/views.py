"""A member's devices on the Wi-Fi: whether they may, adding one, its secret once, taking one off, their sessions."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from flask_login import current_user
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.benefits.refusing import why_not_words
from app.benefits.service import find_benefit, why_not
from app.cards.qr import qr_svg
from app.errors import Refusal
from app.extensions import db, limiter
from app.memberships.service import Membership, membership_of, standing_of
from app.people.models import Person
from app.wifi import profiles, service
from app.wifi.accounting import DAYS_KEPT
from app.wifi.forms import DeviceForm
from app.wifi.models import MOST_DEVICES, WifiCredential
from app.wifi.network import find_network, get_network
from app.wifi.systems import SYSTEMS, label_for, system_of
from app.wifi.usage import wrong_secrets

bp = Blueprint("wifi", __name__)
SESSIONS_SHOWN = 20


def who_asks() -> str:
    """Limits count by session: a campus network has one address for everybody on it."""
    return str(current_user.get_id() or get_remote_address())


@bp.get("/wifi")
@access.signed_in
def devices() -> ResponseReturnValue:
    person = current_person()
    if person is None:
        return redirect(url_for("payments.join"))
    return _page(person)


@bp.post("/wifi")
@access.signed_in
@limiter.limit("30 per hour", key_func=who_asks)
def add() -> ResponseReturnValue:
    """The secret of the new device is shown this once, with how to use it."""
    network, person, form, now = get_network(), get_person(), DeviceForm(), clock.now()
    if isinstance(service.entitlement_of_person(person.id, now, clock.today()), str):
        raise Refusal("not_entitled", _("You may not use the Wi-Fi at the moment. The page Wi-Fi says why."), 409)
    if not form.validate_on_submit():
        return _page(person, form), 400
    try:
        credential, secret = service.create_credential(person.id, form.label.data, now)
        db.session.commit()
    except Refusal as refusal:
        db.session.rollback()
        form.label.errors = [*form.label.errors, refusal.detail]
        return _page(get_person(), form), refusal.status
    return render_template(
        "wifi/secret.html", device=credential, secret=secret, network=network, systems=SYSTEMS,
        own_system=system_of(request.user_agent.string), code_svg=qr_svg(secret, _("The secret, as text")),
        **profiles.terminal_texts(network, credential.username),
    )  # fmt: skip


@bp.post("/wifi/<credential_id>/revoke")
@access.signed_in
def revoke(credential_id: str) -> ResponseReturnValue:
    """From now on the device is refused; revoked twice, it stays so."""
    device = service.revoke_credential(get_person().id, whole(credential_id), clock.now(), "member")
    label = device.label
    db.session.commit()
    flash(_("%(device)s may not join any more.", device=label), "ok")
    return redirect(url_for("wifi.devices"), 303)


def get_person() -> Person:
    """Raises Refusal 404 for staff who are nobody in the register."""
    person = current_person()
    if person is None:
        raise Refusal("nobody", _("Wi-Fi is for members."), 404)
    return person


def get_device(credential_id: str) -> WifiCredential:
    """A live device of whoever asks. Raises Refusal 404."""
    for device in service.credentials_of(get_person().id):
        if str(device.id) == credential_id:
            return device
    raise Refusal("unknown_device", _("There is no such device."), 404)


def whole(text: str) -> int:
    """A row's id out of an address; 0, which is nobody's, for anything else."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0


def _page(person: Person, form: DeviceForm | None = None) -> str:
    now, today = clock.now(), clock.today()
    shown, membership = service.credentials_of(person.id), membership_of(person.id, now, today)
    if form is None:
        form = DeviceForm(formdata=None, label=label_for(request.user_agent.string, [it.label for it in shown]))
    code, words = _why_not(person, now, today)
    return render_template(
        "wifi/devices.html", network=find_network(), reason=code, why=words, membership=membership,
        until=_until(membership), devices=shown, most=MOST_DEVICES, form=form, csrf=FlaskForm(),
        sessions=service.sessions_of(person.id, SESSIONS_SHOWN), own_system=system_of(request.user_agent.string),
        wrong=wrong_secrets(shown), days_kept=DAYS_KEPT,
    )  # fmt: skip


def _why_not(person: Person, now: datetime, today: date) -> tuple[str | None, str]:
    """Why they may not join, as a code of benefits and in words; (None, "") when they may."""
    if isinstance(service.entitlement_of_person(person.id, now, today), int):
        return None, ""
    benefit, standing = find_benefit(service.BENEFIT), standing_of(person.id, now, today)
    code = why_not(benefit, standing, now, today) if benefit else None
    if benefit is None or code is None:
        return "closed", _("The association does not offer it at the moment.")
    return code, why_not_words(code, benefit, standing)


def _until(membership: Membership) -> date | None:
    """The last day that is certain today, without what a renewal or days of grace would add."""
    benefit = find_benefit(service.BENEFIT)
    days = [membership.grace_until or membership.valid_until, benefit.available_until if benefit else None]
    return min((day for day in days if day), default=None)
