"""What the owner of a photo is told when staff refuse it or take it down."""

from __future__ import annotations

from datetime import datetime

from flask import current_app

from app import mail
from app.cards.models import Photo
from app.cards.photos import photo_of
from app.extensions import db


def mail_photo_refused(now: datetime, photo_id: int, reason: str) -> None:
    """To the address on file; nobody without one is written to."""
    photo = db.session.get_one(Photo, photo_id)
    person = photo.person
    if not person.email:
        return
    mail.send(
        person.email, "photo_refused", mail.language_of(person.language), f"photo-refused:{photo_id}", person=person,
        reason=reason, keeps_old=photo_of(person.id) is not None, was_shown=photo.approved_at is not None,
        photo_url=f"{current_app.config['BASE_URL']}/card/photo",
    )  # fmt: skip
