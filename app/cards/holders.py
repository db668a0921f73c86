"""Whose card, and which, may be kept on a device: marks that tell one from another and say nothing of either."""

from __future__ import annotations

import hashlib
import hmac

from flask import current_app

from app.cards.models import Card
from app.people.models import Person

LENGTH = 22  # hexadecimal digits


def holder_of(person: Person | None) -> str:
    """The mark on every page of whoever is signed in; "" for nobody. What a device kept for another mark is deleted."""
    return _mark(f"card-holder:{person.id}") if person is not None else ""


def mark_of(card: Card) -> str:
    """The mark of one issued card: codes kept for the one before it are never shown again."""
    return _mark(f"card:{card.id}")


def _mark(of: str) -> str:
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, of.encode(), hashlib.sha256).hexdigest()[:LENGTH]
