"""A member's photo: the first is shown at once, a later one after staff have looked at it."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select

from app import audit, jobs
from app.cards.models import Photo
from app.cards.pictures import square_jpeg
from app.errors import Refusal
from app.extensions import db
from app.people.models import Person

SHOWN = Photo.approved_at.is_not(None) & Photo.removed_at.is_(None)
WAITING = Photo.approved_at.is_(None) & Photo.removed_at.is_(None)
LARGEST_ID = 2**31 - 1
REASONS = ("face", "somebody_else", "no_photo", "unfit")  # in words: forms.py, templates/mail/photo_refused.txt


def photo_of(person_id: int) -> Photo | None:
    """The photo shown on the person's card; its `jpeg` is read when asked for."""
    return _find(Photo.person_id == person_id, SHOWN)


def waiting_photo_of(person_id: int) -> Photo | None:
    """The photo that the person would like to have in its place."""
    return _find(Photo.person_id == person_id, WAITING)


def waiting_photos() -> list[Photo]:
    """What staff have to look at, oldest first."""
    return list(db.session.execute(select(Photo).where(WAITING).order_by(Photo.id)).scalars())


def count_waiting_photos() -> int:
    return db.session.execute(select(func.count()).select_from(Photo).where(WAITING)).scalar_one()


def get_photo(photo_id: int) -> Photo:
    """A photo that is shown or waits. Raises Refusal 404."""
    found = _find(Photo.id == photo_id, Photo.removed_at.is_(None)) if photo_id <= LARGEST_ID else None
    if found is None:
        raise Refusal("unknown_photo", _("There is no such photo."), 404)
    return found


def upload_photo(person_id: int, content: bytes, position: int, now: datetime) -> Photo:
    """Keep what the person uploaded: shown when it is their first, else waiting, in the place of one that waits.

    Who removes a photo and uploads another replaces it too. Raises Refusal as `square_jpeg` does.
    """
    jpeg = square_jpeg(content, position)
    _lock(person_id)
    is_first = _find(Photo.person_id == person_id) is None
    waiting = waiting_photo_of(person_id)
    if waiting is not None:
        _take_away(waiting, now)
    photo = Photo(person_id=person_id, jpeg=jpeg, uploaded_at=now, approved_at=now if is_first else None)
    db.session.add(photo)
    db.session.flush()
    audit.record("photo_added" if is_first else "photo_offered", f"photo:{photo.id}", now, person=person_id)
    return photo


def approve_photo(photo_id: int, now: datetime) -> bool:
    """Show a waiting photo instead of the one before; False when it waits no more."""
    photo = _lock_waiting(photo_id)
    if photo is None:
        return False
    shown = photo_of(photo.person_id)
    if shown is not None:
        _take_away(shown, now)
    photo.approved_at = now
    db.session.flush()
    audit.record("photo_approved", f"photo:{photo.id}", now, person=photo.person_id)
    return True


def refuse_photo(photo_id: int, reason: str, now: datetime) -> bool:
    """Delete a waiting photo and write to its owner; False when it waits no more."""
    photo = _lock_waiting(photo_id)
    if photo is None:
        return False
    _dismiss(photo, "photo_refused", reason, now)
    return True


def take_down_photo(photo_id: int, reason: str, now: datetime) -> bool:
    """Staff delete the photo that is shown and write to its owner; False when it is shown no more."""
    photo = _find(Photo.id == photo_id, SHOWN)
    if photo is None:
        return False
    _lock(photo.person_id)
    _dismiss(photo, "photo_taken_down", reason, now)
    return True


def remove_photo(person_id: int, photo_id: int, now: datetime) -> bool:
    """The person deletes a photo of their own, shown or waiting; False when it is gone already."""
    _lock(person_id)
    photo = _find(Photo.person_id == person_id, Photo.id == photo_id, Photo.removed_at.is_(None))
    if photo is None:
        return False
    _take_away(photo, now)
    audit.record("photo_removed", f"photo:{photo.id}", now, person=person_id)
    return True


def _dismiss(photo: Photo, action: str, reason: str, now: datetime) -> None:
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no reason to refuse a photo")
    _take_away(photo, now)
    audit.record(action, f"photo:{photo.id}", now, person=photo.person_id, reason=reason)
    jobs.enqueue("mail_photo_refused", now, key=f"photo-refused:{photo.id}", photo_id=photo.id, reason=reason)


def _take_away(photo: Photo, now: datetime) -> None:
    photo.jpeg, photo.removed_at = None, now
    db.session.flush()


def _lock_waiting(photo_id: int) -> Photo | None:
    photo = _find(Photo.id == photo_id, WAITING) if photo_id <= LARGEST_ID else None
    if photo is None:
        return None
    _lock(photo.person_id)
    return _find(Photo.id == photo_id, WAITING)


def _lock(person_id: int) -> None:
    """Whoever changes a person's photos queues here."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


def _find(*conditions: ColumnElement[bool]) -> Photo | None:
    query = select(Photo).where(*conditions).order_by(Photo.id).limit(1).execution_options(populate_existing=True)
    return db.session.execute(query).scalar_one_or_none()
