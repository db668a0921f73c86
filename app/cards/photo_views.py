"""The member's photo: seen, chosen, taken back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.cards import photos
from app.cards.forms import PhotoForm, PhotoIdForm
from app.cards.models import Photo
from app.cards.pictures import MOST_BYTES, too_large
from app.cards.views import who_asks
from app.errors import Refusal
from app.extensions import db, limiter
from app.people.models import Person

bp = Blueprint("photos", __name__, url_prefix="/card/photo")
ROOM_FOR_THE_FORM = 100_000  # bytes


@bp.url_value_preprocessor
def _allow_a_photo(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything reads the form, as the check of its token does: a photo is larger than any other form."""
    request.max_content_length = MOST_BYTES + ROOM_FOR_THE_FORM
    if (request.content_length or 0) > request.max_content_length:
        raise Refusal("photo_too_large", too_large(), 413)


@bp.get("")
@access.signed_in
def photo() -> ResponseReturnValue:
    return _page(_me(), PhotoForm())


@bp.post("")
@access.signed_in
@limiter.limit("30 per hour", key_func=who_asks)
def upload() -> ResponseReturnValue:
    person, form = _me(), PhotoForm()
    if not form.validate_on_submit():
        return _page(person, form), 400
    try:
        kept = photos.upload_photo(person.id, form.picture.data.read(), form.position.data, clock.now())
    except Refusal as refusal:
        db.session.rollback()
        form.picture.errors = [refusal.detail]
        return _page(_me(), form), refusal.status
    said = _("Your photo waits for the association to look at it.")
    if kept.approved_at is not None:
        said = _("Your photo is on your card.")
    db.session.commit()
    flash(said, "ok")
    return redirect(url_for("photos.photo"), 303)


@bp.post("/remove")
@access.signed_in
def remove() -> ResponseReturnValue:
    form = PhotoIdForm()
    if form.validate_on_submit() and form.photo.data.isdecimal() and len(form.photo.data) < 10:
        photos.remove_photo(_me().id, int(form.photo.data), clock.now())
        db.session.commit()
        flash(_("The photo is deleted."), "ok")
    return redirect(url_for("photos.photo"), 303)


@bp.get("/<int:photo_id>.jpg")
@access.signed_in
def own_picture(photo_id: int) -> ResponseReturnValue:
    """A photo of the person's own, shown or waiting."""
    found = photos.get_photo(photo_id)
    if found.person_id != _me().id:
        raise Refusal("unknown_photo", _("There is no such photo."), 404)
    return picture(found)


def picture(photo: Photo) -> Response:
    """The JPEG itself; nothing keeps it on the way (no-store, as every personal page)."""
    return Response(photo.jpeg or b"", mimetype="image/jpeg")


def _me() -> Person:
    person = current_person()
    if person is None:
        raise Refusal("no_person", _("This account stands for nobody in the register."), 404)
    return person


def _page(person: Person, form: PhotoForm) -> str:
    return render_template(
        "cards/photo.html", form=form, shown=photos.photo_of(person.id), waiting=photos.waiting_photo_of(person.id),
        most_mb=MOST_BYTES // 1_000_000,
    )  # fmt: skip
