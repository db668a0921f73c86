"""Staff and cards: the photos that wait, and one person's photo and card."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app import clock
from app.accounts import access
from app.cards import photos
from app.cards.forms import RefusePhotoForm, ReplaceCardForm
from app.cards.photo_views import picture
from app.cards.replacing import replace_card
from app.cards.service import find_card
from app.extensions import db
from app.people.models import Person
from app.people.service import get_person, number_in

bp = Blueprint("card_office", __name__, url_prefix="/admin")


@bp.get("/photos")
@access.admin
def waiting() -> ResponseReturnValue:
    """The photos that would replace another, beside the one they would replace."""
    return _waiting_page(RefusePhotoForm())


@bp.get("/photos/<int:photo_id>.jpg")
@access.admin
def photo(photo_id: int) -> ResponseReturnValue:
    return picture(photos.get_photo(photo_id))


@bp.post("/photos/<int:photo_id>/approve")
@access.admin
def approve(photo_id: int) -> ResponseReturnValue:
    is_done = photos.approve_photo(photo_id, clock.now())
    db.session.commit()
    return _looked_at(_("The new photo is on the card.") if is_done else None)


@bp.post("/photos/<int:photo_id>/refuse")
@access.admin
def refuse(photo_id: int) -> ResponseReturnValue:
    form = RefusePhotoForm()
    if not form.validate_on_submit():
        return _waiting_page(form, photo_id), 400
    is_done = photos.refuse_photo(photo_id, form.reason.data, clock.now())
    db.session.commit()
    return _looked_at(_("Refused. They are told by mail.") if is_done else None)


@bp.get("/people/<number>/card")
@access.admin
def card(number: str) -> ResponseReturnValue:
    """One person's photo and card."""
    return _card_page(_person(number), RefusePhotoForm())


@bp.post("/people/<number>/card")
@access.admin
def replace(number: str) -> ResponseReturnValue:
    """A new card for somebody who lost theirs."""
    person, form = _person(number), ReplaceCardForm()
    named = form.card.data or ""
    if not form.validate_on_submit() or not named.isdecimal() or len(named) > 9:
        return _card_page(person, RefusePhotoForm()), 400
    is_done = replace_card(person.id, int(named), current_user.row.id, clock.now())
    db.session.commit()
    if is_done:
        flash(_("They have a new card. The old one is no longer valid."), "ok")
    else:
        flash(_("That card had been replaced already."), "wait")
    return redirect(url_for("card_office.card", number=number), 303)


@bp.post("/people/<number>/photo/remove")
@access.admin
def take_down(number: str) -> ResponseReturnValue:
    """Delete the photo that is shown."""
    person, form = _person(number), RefusePhotoForm()
    shown = photos.photo_of(person.id)
    if not form.validate_on_submit():
        return _card_page(person, form), 400
    if shown is not None:
        photos.take_down_photo(shown.id, form.reason.data, clock.now())
        db.session.commit()
        flash(_("The photo is deleted. They are told by mail."), "ok")
    return redirect(url_for("card_office.card", number=number), 303)


def _waiting_page(form: RefusePhotoForm, refused_id: int | None = None) -> str:
    rows = [(it, photos.photo_of(it.person_id)) for it in photos.waiting_photos()]
    return render_template("cards/photos.html", rows=rows, form=form, refused_id=refused_id)


def _card_page(person: Person, form: RefusePhotoForm) -> str:
    found = find_card(person.id)
    return render_template(
        "cards/office.html", person=person, card=found, issued_on=clock.day_of(found.issued_at) if found else None,
        shown=photos.photo_of(person.id), waiting=photos.waiting_photo_of(person.id), form=form,
    )  # fmt: skip


def _looked_at(said: str | None) -> ResponseReturnValue:
    flash(said or _("That photo waits no more: its owner or a colleague was quicker."), "ok" if said else "wait")
    return redirect(url_for("card_office.waiting"), 303)


def _person(number: str) -> Person:
    return get_person(number_in(number) or 0)
