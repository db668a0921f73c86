"""Asking the verification API as a campus service does, and the codes people show it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.association import get_association
from app.cards import service as cards
from app.extensions import db
from app.memberships.service import standing_of
from app.people.models import Person
from tests.visitor import Visitor

PATH = "/api/v1/verifications"


def send(app: Flask, key: str, credential: str, **fields: Any) -> TestResponse:
    question = {"credential": credential, **fields}
    return Visitor(app).post_json(PATH, question, Authorization=f"Bearer {key}")


def ask(app: Flask, key: str, credential: str, **fields: Any) -> dict[str, Any]:
    response = send(app, key, credential, **fields)
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.json
    return answer


def live(person: Person) -> str:
    """The code on the person's phone now."""
    now, today = clock.now(), clock.today()
    return cards.live_code(card_of(person), standing_of(person.id, now, today), now, today)


def static(person: Person) -> str:
    """The code the person would print today."""
    now, today = clock.now(), clock.today()
    return cards.static_code(card_of(person), standing_of(person.id, now, today), today)


def card_of(person: Person) -> Any:
    card = cards.find_card(person.id)
    assert card is not None, f"{person.full_name} has no card"
    return card


def set_clock(instant: datetime) -> None:
    """Move the rehearsal clock so that it is `instant` now; it goes on from there."""
    get_association().clock_offset_seconds = round((instant - datetime.now(UTC)).total_seconds())
    db.session.commit()
    clock.forget()
