"""Services are told of what changes, whatever changed it, once, and of nobody they have not met."""

from __future__ import annotations

import json
import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import delete, select

from app import clock, jobs
from app.benefits.service import change_benefit, set_partner
from app.cards.replacing import replace_card
from app.cards.service import find_card
from app.extensions import db
from app.jobs import Job
from app.memberships.models import Suspension, Term
from app.memberships.service import TermDates, grant_term, hold_person, release_person, standing_of
from app.people.models import Person
from app.services import hook_subjects, hooks
from app.services.hook_models import WebhookMessage, WebhookSubject
from app.services.models import Service
from app.services.service import add_service, subject_for
from app.verification import announcing
from app.verification.models import Verification
from tests.cast import Cast, pay
from tests.verification.asking import ask, live

DAY = timedelta(days=1)
PEOPLE = ("alice", "bob", "carol", "dan", "mallory")


@pytest.fixture
def told(cast: Cast) -> Cast:
    """The library has an endpoint and has met everybody; all that was true before has been announced."""
    look(cast.now)
    listen(cast.library)
    hook_subjects.note_met([(cast.library.id, getattr(cast, name).id) for name in PEOPLE])
    db.session.commit()
    return cast


def listen(service: Service) -> None:
    """An endpoint for which everything is written down and nothing is sent."""
    endpoint, _secret = hooks.add_endpoint(service.id, "https://service.example.org/", hooks.EVENTS, clock.now())
    hooks.disable_endpoint(endpoint, "administrator", clock.now())


def look(at: datetime) -> None:
    """What a worker does every ten minutes and whenever a membership changed, without the letters and cards."""
    jobs.enqueue("announce_to_services", at)
    db.session.flush()
    db.session.execute(delete(Job).where(Job.name.not_in(["announce_to_services"])))
    db.session.commit()
    jobs.work_off(lambda: at)


def noon(day: date) -> datetime:
    return clock.day_start(day) + timedelta(hours=12)


def messages(service: Service | None = None) -> list[tuple[str, dict[str, Any]]]:
    """(type, data), in the order in which they were written down."""
    query = select(WebhookMessage).order_by(WebhookMessage.created_at, WebhookMessage.sequence)
    if service is not None:
        query = query.where(WebhookMessage.service_id == service.id)
    return [(it.type, json.loads(it.body)["data"]) for it in db.session.execute(query).scalars()]


def statuses(person: Person, service: Service) -> list[str]:
    subject = subject_for(service.id, person.id)
    return [it["status"] for kind, it in messages() if it["subject"] == subject and kind == "membership.changed"]


def test_nothing_changed_is_nothing_said(told: Cast) -> None:
    look(told.now)
    assert messages() == []


def test_a_hold_is_announced_once_with_what_the_interface_would_answer(told: Cast, app: Flask) -> None:
    hold_person(told.alice, "test", "account:1", told.now)
    db.session.commit()
    jobs.work_off(clock.now)  # the job that the hold left behind
    look(clock.now())
    kinds = [kind for kind, _data in messages()]
    assert sorted(kinds) == ["card.revoked", "entitlement.changed", "membership.changed"]
    release_person(told.alice, "account:1", clock.now())
    look(clock.now())
    said = messages()
    answer = ask(app, told.library_key, live(told.alice))
    shared = ("subject", "status", "tier", "valid_until", "grace_until")
    assert {name: said[-1][1][name] for name in shared} == {name: answer[name] for name in shared}
    assert [data["sequence"] for _kind, data in said] == sorted({data["sequence"] for _kind, data in said})
    assert said[-1][1]["benefits"] == ["sports", "wifi"] and said[0][1]["benefits"] == []


def test_a_message_names_nobody(told: Cast) -> None:
    hold_person(told.alice, "test", "account:1", told.now)
    look(clock.now())
    card = find_card(told.alice.id)
    assert card is not None
    bodies = " ".join(db.session.execute(select(WebhookMessage.body)).scalars())
    for secret in ("Soler", "alice@", told.alice.member_number, str(card.number)):
        assert bodies and secret not in bodies


def test_a_lapse_at_midnight_is_announced_and_each_step_once(told: Cast) -> None:
    standing = standing_of(told.alice.id, told.now, told.today)
    assert standing.valid_until and standing.grace_until
    for day in (standing.valid_until, standing.valid_until + DAY, standing.grace_until, standing.grace_until + DAY):
        look(clock.day_start(day))
        look(clock.day_end(day) - timedelta(seconds=1))
    assert statuses(told.alice, told.library) == ["grace", "lapsed"]


def test_after_days_without_a_worker_the_last_state_is_announced_and_no_other(told: Cast) -> None:
    standing = standing_of(told.alice.id, told.now, told.today)
    assert standing.grace_until
    look(noon(standing.grace_until + 3 * DAY))
    assert statuses(told.alice, told.library) == ["lapsed"]


def test_a_term_that_begins_is_announced_on_its_first_day(told: Cast) -> None:
    begins = told.today + 5 * DAY
    dates = TermDates(begins, begins, begins + 364 * DAY, begins + 394 * DAY)
    grant_term(told.mallory.id, told.basic, dates, "account:1", "test", told.now)
    look(clock.day_start(begins) - timedelta(seconds=1))
    assert statuses(told.mallory, told.library) == []
    look(clock.day_start(begins))
    assert statuses(told.mallory, told.library) == ["active"]


def test_a_hold_that_ends_by_itself_is_announced_when_it_ends(told: Cast) -> None:
    until = told.now + timedelta(hours=3)
    db.session.add(Suspension(person_id=told.alice.id, cause="test", from_at=told.now, until_at=until))
    look(told.now)
    look(until - timedelta(seconds=1))
    assert statuses(told.alice, told.library) == ["suspended"]
    look(until)
    assert statuses(told.alice, told.library) == ["suspended", "active"]


def test_money_that_moves_the_last_day_is_announced_by_the_job_it_left(told: Cast) -> None:
    db.session.execute(delete(Job))
    pay(told.carol, told.basic, told.today)
    db.session.commit()
    jobs.work_off(clock.now)
    assert statuses(told.carol, told.library) == ["active"]


def test_a_change_of_the_catalogue_is_announced_to_whom_it_concerns(told: Cast) -> None:
    change_benefit(told.sports, told.now, tiers=[told.basic, told.plus], in_grace=True)
    look(told.now)
    ((kind, data),) = messages()  # of bob, in grace; alice had it before
    assert (kind, data["subject"]) == ("entitlement.changed", subject_for(told.library.id, told.bob.id))
    assert (data["benefits"], data["status"]) == (["sports", "wifi"], "grace")


def test_a_benefit_whose_day_has_come_is_announced(told: Cast) -> None:
    change_benefit(told.sports, told.now, available_from=told.today + DAY)
    look(told.now)
    look(clock.day_end(told.today))
    assert [data["benefits"] for _kind, data in messages()] == [["wifi"], ["sports", "wifi"]]


def test_another_partners_benefit_is_nobody_elses_business(told: Cast) -> None:
    shop, _key = add_service("Shop", ["verify"], None, told.now)
    listen(shop)
    hook_subjects.note_met([(shop.id, told.alice.id)])
    set_partner(told.sports, shop.id, told.now)
    hold_person(told.alice, "test", "account:1", told.now)
    look(told.now)
    release_person(told.alice, "account:1", clock.now())
    look(clock.now())
    last = {service.id: messages(service)[-1][1]["benefits"] for service in (told.library, shop)}
    assert last == {told.library.id: ["wifi"], shop.id: ["sports", "wifi"]}


def test_a_card_that_is_replaced_is_announced_and_so_is_the_next(told: Cast) -> None:
    for _time in (1, 2):
        card = find_card(told.alice.id)
        assert card is not None
        replace_card(told.alice.id, card.id, None, clock.now())
        look(clock.now())
    look(clock.now())
    assert [(kind, data["reason"], data["status"]) for kind, data in messages()] == [
        ("card.revoked", "replaced", "active")
    ] * 2


def test_money_back_takes_the_card_and_a_mere_lapse_does_not(told: Cast) -> None:
    term = db.session.execute(select(Term).where(Term.person_id == told.alice.id)).scalar_one()
    term.ends_on = term.grace_ends_on = told.today - DAY
    term.ended_because = "refunded"
    look(told.now)
    assert [data["reason"] for kind, data in messages() if kind == "card.revoked"] == ["not_valid"]
    standing = standing_of(told.bob.id, told.now, told.today)
    assert standing.grace_until
    look(noon(standing.grace_until + DAY))
    subject = subject_for(told.library.id, told.bob.id)
    assert [kind for kind, data in messages() if data["subject"] == subject] == [
        "membership.changed", "entitlement.changed"
    ]  # fmt: skip


def test_a_service_hears_of_those_it_has_asked_about(cast: Cast, app: Flask) -> None:
    listen(cast.library)
    look(cast.now)
    ask(app, cast.library_key, live(cast.alice))
    for person in (cast.alice, cast.bob):
        hold_person(person, "test", "account:1", clock.now())
    look(clock.now())
    assert {data["subject"] for _kind, data in messages()} == {subject_for(cast.library.id, cast.alice.id)}


def test_whom_a_service_asked_about_is_known_after_the_log_is_erased(cast: Cast, app: Flask) -> None:
    listen(cast.library)
    look(cast.now)
    ask(app, cast.library_key, live(cast.alice))
    jobs.enqueue("note_met_by_services", clock.now())
    db.session.execute(delete(Job).where(Job.name != "note_met_by_services"))
    db.session.commit()
    jobs.work_off(clock.now)
    db.session.execute(delete(Verification))
    hold_person(cast.alice, "test", "account:1", clock.now())
    look(clock.now())
    assert statuses(cast.alice, cast.library) == ["suspended"]


def test_a_service_that_may_ask_for_all_members_hears_of_all(cast: Cast) -> None:
    everyone, _key = add_service("Register of the campus", ["verify"], None, cast.now)
    everyone.scopes = "members,verify"
    listen(everyone)
    look(cast.now)
    hold_person(cast.bob, "test", "account:1", clock.now())
    look(clock.now())
    assert statuses(cast.bob, everyone)[-1] == "suspended"


def test_whoever_takes_back_their_consent_is_heard_of_no_more(told: Cast) -> None:
    hook_subjects.forget_met(told.library.id, told.alice.id)
    hold_person(told.alice, "test", "account:1", told.now)
    look(told.now)
    assert messages() == []
    assert len(db.session.execute(select(WebhookSubject)).all()) == len(PEOPLE) - 1


def test_two_workers_at_once_announce_it_once(told: Cast, app: Flask) -> None:
    hold_person(told.alice, "test", "account:1", told.now)
    person_id, at, ready = told.alice.id, clock.now(), threading.Barrier(4)
    db.session.commit()

    def announce() -> None:
        with app.app_context():
            ready.wait(10)
            announcing.announce([person_id], at, clock.day_of(at))
            db.session.commit()
            db.session.remove()

    workers = [threading.Thread(target=announce) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    db.session.rollback()
    assert statuses(told.alice, told.library) == ["suspended"] and len(messages()) == 3


def test_looking_at_many_asks_the_database_no_oftener_than_at_one(told: Cast) -> None:
    asked: list[str] = []
    everybody, alone = [getattr(told, name).id for name in PEOPLE], [told.alice.id]

    def listen_in(*said: object) -> None:
        asked.append(str(said[2]))

    def count(people: list[int]) -> int:
        db.session.rollback()
        asked.clear()
        announcing.announce(people, told.now, told.today)
        return len(asked)

    announcing.announce(everybody, told.now, told.today)  # mallory is heard of for the first time
    db.session.commit()
    sa.event.listen(db.engine, "before_cursor_execute", listen_in)
    try:
        assert 0 < count(everybody) <= count(alone)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listen_in)
