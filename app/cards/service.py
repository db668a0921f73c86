"""Cards' front door: issuing, revoking, and the codes of the member's card."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from flask import current_app
from sqlalchemy import Select, func, select

from app import audit, clock
from app.cards import codes
from app.cards.keys import CardKeys
from app.cards.models import Card
from app.cards.payload import window_at
from app.cards.reading import read_code
from app.cards.status_list import list_size, sign_list
from app.cards.withdrawn import withdrawn_places
from app.extensions import db, insert_once
from app.memberships.service import Standing
from app.people.models import Person

LIVE_WINDOWS = 20  # ten minutes ahead
STATUS_PATH = "/api/v1/card-status"


@dataclass(frozen=True)
class ReadCard:
    """What a scanned code means to the register: a reason, and the card where one is known."""

    reason: Literal["forged", "unknown_card", "stale_code", "expired_card", "revoked", "replaced", "ok"]
    card: Card | None = None
    is_live: bool = False
    window: int | None = None  # of a live code


def card_keys() -> CardKeys:
    """The keys of CARD_KEYS, read when the application started."""
    keys: CardKeys = current_app.extensions["card_keys"]
    return keys


def ensure_card(person_id: int, now: datetime) -> Card:
    """The person's live card, issued when there is none."""
    # Two at once queue here, so that the second finds the first's card rather than failing on it.
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    card = find_card(person_id)
    if card is not None:
        return card
    places = _list_size()
    while not insert_once(
        Card, person_id=person_id, number=secrets.randbits(40), status_index=secrets.randbelow(places), issued_at=now
    ):
        pass  # another card has one of these numbers: draw again
    card = db.session.execute(_live_card(person_id)).scalar_one()
    audit.record("card_issued", f"card:{card.id}", now, person=person_id)
    return card


def find_card(person_id: int) -> Card | None:
    """The person's live card."""
    return db.session.execute(_live_card(person_id)).scalar_one_or_none()


def static_code(card: Card, standing: Standing, today: date) -> str:
    """The code for paper: good until the last day of grace."""
    if standing.tier_id is None or standing.grace_until is None:
        raise ValueError("a card's code needs a term")
    return codes.static_code(
        card_keys(), card_id=card.number, status_index=card.status_index, tier=standing.tier_id,
        expires_on=standing.grace_until, card_base_url=current_app.config["CARD_BASE_URL"], today=today,
    )  # fmt: skip


def live_code(card: Card, standing: Standing, now: datetime, today: date) -> str:
    """The code of this half minute, for the page as it is first drawn."""
    return codes.live_code(
        card_keys(), card_id=card.number, status_index=card.status_index, tier=standing.tier_id or 0,
        window=window_at(now), card_base_url=current_app.config["CARD_BASE_URL"], today=today,
    )  # fmt: skip


def live_codes(
    card: Card, standing: Standing, now: datetime, today: date, windows: int = LIVE_WINDOWS
) -> codes.LiveBatch:
    """The next `windows` codes for the screen, ten minutes of them by default, none after the last day of grace."""
    if standing.tier_id is None or standing.grace_until is None:
        raise ValueError("a card's code needs a term")
    endless = standing.grace_until == date.max
    return codes.live_batch(
        card_keys(), card_id=card.number, status_index=card.status_index, tier=standing.tier_id, now=now,
        windows=windows, ends_at=None if endless else clock.day_end(standing.grace_until),
        card_base_url=current_app.config["CARD_BASE_URL"], today=today,
    )  # fmt: skip


def read_card(text: str, now: datetime, today: date) -> ReadCard:
    """Judge a scanned code by itself, then by the register's cards."""
    reading = read_code(text, current_app.config["CARD_BASE_URL"], card_keys(), now, today)
    if reading.contents is None:
        return ReadCard(reading.reason)
    card = db.session.execute(select(Card).where(Card.number == reading.contents.card_id)).scalar_one_or_none()
    is_live, window = reading.contents.is_live, reading.contents.window
    if card is None or card.status_index != reading.contents.status_index:
        return ReadCard("unknown_card", None, is_live, window)
    if reading.reason != "ok":
        return ReadCard(reading.reason, card, is_live, window)
    if card.revoked_at is not None:
        return ReadCard("replaced" if card.revoked_because == "replaced" else "revoked", card, is_live, window)
    return ReadCard("ok", card, is_live, window)


def status_list(now: datetime, today: date) -> bytes:
    """The signed list of cards withdrawn, of the facts as they are: the same bytes while nothing changes in an hour."""
    url = current_app.config["BASE_URL"] + STATUS_PATH
    return sign_list(card_keys().signing_key(today, "status"), url, _list_size(), withdrawn_places(now, today), now)


def _list_size() -> int:
    cards, highest = db.session.execute(select(func.count(Card.id), func.max(Card.status_index))).one()
    return list_size(cards, -1 if highest is None else highest)


def _live_card(person_id: int) -> Select[Card]:
    return select(Card).where(Card.person_id == person_id, Card.revoked_at.is_(None))
