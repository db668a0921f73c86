"""The twelve kinds of card that come to a door, and what a desk answers to each, with signal and without."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import current_app

from app import clock
from app.cards import codes
from app.cards.keys import CardKeys, generate
from app.cards.models import Card
from app.cards.payload import window_at
from app.cards.replacing import replace_card
from app.cards.service import card_keys, ensure_card
from app.extensions import db
from app.memberships.models import Suspension
from app.people.models import Person
from app.people.service import add_person
from tests.cast import Cast, pay
from tests.verification.asking import card_of, live, static


@dataclass(frozen=True)
class Shown:
    """A code, and (reason, panel) of its verdict. Without signal a desk knows signature, dates and list, not why."""

    kind: str
    text: str
    alone: tuple[str, str]
    asked: tuple[str, str]


def code(card: Card, days: int | None = None, window: int = 0, keys: CardKeys | None = None, tier: int = 1) -> str:
    """A static code that ends in `days`, or a live one `window` windows from now, signed by `keys` (ours)."""
    today = clock.today()
    facts = {
        "card_id": card.number, "status_index": card.status_index, "tier": tier, "today": today,
        "card_base_url": current_app.config["CARD_BASE_URL"],
    }  # fmt: skip
    keys = keys or card_keys()
    if days is None:
        return codes.live_code(keys, window=window_at(clock.now()) + window, **facts)
    return codes.static_code(keys, expires_on=today + timedelta(days=days), **facts)


def newcomer(cast: Cast, name: str) -> Person:
    person = add_person(name, "Mas", f"{name.lower()}@example.org", cast.now)
    pay(person, cast.plus, cast.today)
    ensure_card(person.id, cast.now)
    return person


def set_facts(cast: Cast) -> dict[str, Card]:
    """What has to be true before the desk fetches its list: a suspension and a replaced card, beside the cast."""
    now = clock.now()
    held, lost = newcomer(cast, "Hanna"), newcomer(cast, "Jordi")
    db.session.add(Suspension(person_id=held.id, cause="test", from_at=now))
    old = card_of(lost)
    replace_card(lost.id, old.id, None, now)
    for person in (cast.carol, cast.dan):
        ensure_card(person.id, now)
    db.session.commit()
    return {"held": card_of(held), "old": old, "carol": card_of(cast.carol), "dan": card_of(cast.dan)}


def twelve(cast: Cast, cards: dict[str, Card]) -> list[Shown]:
    """Made now: the live ones are of this half minute."""
    alice, today = card_of(cast.alice), clock.today()
    own = card_keys().signing_key(today).key_id
    plus = cast.plus.id
    no = "no"
    shown = [
        Shown("valid live", live(cast.alice), ("ok", "ok"), ("ok", "ok")),
        Shown("valid static", static(cast.alice), ("ok", "check"), ("ok", "check")),
        Shown("grace", live(cast.bob), ("ok", "ok"), ("grace", "ok")),
        Shown("lapsed", code(cards["carol"], days=-30), ("expired_card", no), ("expired_card", no)),
        Shown("refunded", code(cards["dan"], days=300), ("revoked", no), ("lapsed", no)),
        Shown("suspended", code(cards["held"], tier=plus), ("revoked", no), ("suspended", no)),
        Shown("replaced", code(cards["old"], days=300, tier=plus), ("revoked", no), ("replaced", no)),
        Shown("forged", code(alice, keys=CardKeys([generate(own, today)])), ("forged", no), ("forged", no)),
        Shown("expired", code(alice, days=-1, tier=plus), ("expired_card", no), ("expired_card", no)),
        Shown("stale live", code(alice, window=-2, tier=plus), ("stale_code", no), ("stale_code", no)),
        Shown("unknown key", code(alice, keys=CardKeys([generate(200, today)])), ("unknown_card", no),
              ("unknown_card", no)),
        Shown("foreign QR", "https://example.com/menu?table=12", ("forged", no), ("forged", no)),
    ]  # fmt: skip
    db.session.commit()  # the application, in its own threads, may write again
    return shown
