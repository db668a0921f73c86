"""Links in mails that do one thing each without a sign-in: see and pay a renewal, stop reminders or
renewing by itself, accept a gift, read how a payment ended.

A token is signed with SECRET_KEY under a salt of its purpose, so that one is no good for another's. It carries an id
and the instant it ends, by our own clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from app.errors import Refusal

Purpose = Literal["renew", "stop", "gift", "off", "outcome"]
LIVES: dict[Purpose, timedelta] = {
    "renew": timedelta(days=60),  # as long as what the first reminder offers can be taken
    "stop": timedelta(days=730),
    "gift": timedelta(days=365),
    "off": timedelta(days=90),
    "outcome": timedelta(days=2),  # longer than a payment page is open
}


def make(purpose: Purpose, subject_id: int, now: datetime) -> str:
    """A token, safe in a URL: of a person, for a gift and an outcome of the payment."""
    return str(_serializer(purpose).dumps([subject_id, int((now + LIVES[purpose]).timestamp())]))


def read(purpose: Purpose, token: str, now: datetime) -> int:
    """The id in a token. Raises Refusal 404 for one not made for this purpose, 410 for one too old."""
    try:
        subject_id, ends_at = _serializer(purpose).loads(token)
    except BadSignature:
        raise Refusal("bad_link", _("This link is not whole. Open it from the mail again."), 404) from None
    if now >= datetime.fromtimestamp(ends_at, UTC):
        raise Refusal("link_too_old", _("This link is too old. Sign in to go on."), 410)
    return int(subject_id)


def _serializer(purpose: Purpose) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"carnet.{purpose}")
