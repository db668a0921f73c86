"""A member gets one card, once, whoever asks and however often."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from flask import Flask

from app import clock, jobs
from app.audit import AuditEntry
from app.cards import service
from app.cards.models import Card
from app.cards.service import ensure_card, find_card
from app.extensions import db
from app.memberships.service import TermDates, grant_term
from tests.cast import Cast
from tests.verification.asking import set_clock
from tests.visitor import Visitor


def cards_of(person_id: int) -> list[Card]:
    db.session.expire_all()
    return list(db.session.query(Card).filter_by(person_id=person_id))


def test_asking_again_finds_the_same_card(app: Flask, cast: Cast) -> None:
    first = find_card(cast.alice.id)
    assert first is not None
    assert ensure_card(cast.alice.id, clock.now()) is first
    assert len(cards_of(cast.alice.id)) == 1
    db.session.commit()
    issued = db.session.query(AuditEntry).filter_by(action="card_issued", subject=f"card:{first.id}").count()
    assert issued == 1


def test_four_at_once_issue_one_card(app: Flask, cast: Cast) -> None:
    person_id = cast.mallory.id
    db.session.commit()
    start, numbers = threading.Barrier(4), []

    def issue() -> None:
        with app.app_context():
            start.wait(10)
            numbers.append(ensure_card(person_id, clock.now()).number)
            db.session.commit()

    threads = [threading.Thread(target=issue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (card,) = cards_of(person_id)
    assert numbers == [card.number] * 4


def test_a_number_another_card_has_is_drawn_again(app: Flask, cast: Cast, monkeypatch: Any) -> None:
    taken = find_card(cast.alice.id)
    assert taken is not None
    numbers, places = iter([taken.number, 6, 7]), iter([5, taken.status_index, 8])
    monkeypatch.setattr(service.secrets, "randbits", lambda _bits: next(numbers))
    monkeypatch.setattr(service.secrets, "randbelow", lambda _size: next(places))
    card = ensure_card(cast.mallory.id, clock.now())
    assert (card.number, card.status_index) == (7, 8)


def test_a_withdrawn_card_is_followed_by_a_new_one_with_new_numbers(app: Flask, cast: Cast) -> None:
    old = find_card(cast.alice.id)
    assert old is not None
    old.revoked_at, old.revoked_because = clock.now(), "replaced"
    new = ensure_card(cast.alice.id, clock.now())
    assert new.number != old.number and new.status_index != old.status_index
    assert len(cards_of(cast.alice.id)) == 2


def grant(cast: Cast, starts_in: int, days: int) -> None:
    starts_on = cast.today + timedelta(days=starts_in)
    ends_on = starts_on + timedelta(days=days - 1)
    dates = TermDates(starts_on, starts_on, ends_on, ends_on + timedelta(days=30))
    grant_term(cast.mallory.id, cast.basic, dates, "test", "a prize", clock.now())
    db.session.commit()
    jobs.work_off(clock.now)


def test_a_granted_membership_comes_with_a_card(app: Flask, cast: Cast) -> None:
    grant(cast, starts_in=0, days=365)
    assert find_card(cast.mallory.id) is not None


def test_a_granted_membership_that_is_over_comes_without_one(app: Flask, cast: Cast) -> None:
    grant(cast, starts_in=-400, days=365)
    assert find_card(cast.mallory.id) is None


def test_the_card_of_a_coming_membership_appears_on_its_first_day_by_itself(app: Flask, cast: Cast) -> None:
    grant(cast, starts_in=10, days=365)
    mallory = Visitor(app, "mallory@example.org")
    assert 'id="card-code"' not in mallory.get("/card").get_data(as_text=True)
    set_clock(clock.now() + timedelta(days=10))
    assert 'id="card-code"' in mallory.get("/card").get_data(as_text=True)
