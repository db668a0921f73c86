"""Reminders: one of each kind per term, to whom they are of use, with the price, the day and a way to stop them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app import clock, jobs
from app.extensions import db
from app.jobs import Job
from app.memberships.models import Reminder, Term
from app.memberships.service import find_term_of_payment, offer_for, stop_reminders
from app.payments.models import AutoRenewal
from app.payments.reminding import mail_reminder, remind
from app.payments.service import Wanted, add_payment, offer_of
from app.people.models import Person
from app.people.service import add_person
from tests.cast import Cast, pay
from tests.command import run
from tests.payments.mailbox import Mailbox, day, html_of, text_of
from tests.visitor import Visitor

YEAR = timedelta(days=365)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ending(cast: Cast, days: int, person: Person | None = None) -> Term:
    """A term of somebody, sold long ago, that ends in so many days (negative: ended)."""
    person = person or cast.mallory
    term = find_term_of_payment(pay(person, cast.basic, cast.today).id)
    assert term is not None
    term.ends_on = term.sold_ends_on = cast.today + timedelta(days=days)
    term.anchor_on = term.starts_on = term.ends_on - YEAR + timedelta(days=1)
    term.grace_ends_on = term.ends_on + timedelta(days=30)
    term.created_at = cast.now - YEAR
    db.session.commit()
    return term


def ordered(cast: Cast) -> list[tuple[int, int]]:
    """What reminding orders now, of mallory's and whom a test adds: (person, kind)."""
    found = [(it.person_id, it.kind) for it in remind(cast.now, cast.today) if it.person_id == cast.mallory.id]
    db.session.commit()
    return found


def letters(cast: Cast) -> list[str]:
    """Mail all that is ordered; the subjects of mallory's letters."""
    jobs.work_off(clock.now)
    return [str(it["Subject"]) for it in Mailbox().all() if it["To"] == "mallory@example.org"]


def test_a_reminder_is_ordered_and_sent_once_however_often_one_looks(cast: Cast) -> None:
    term = ending(cast, 30)
    box = Mailbox()
    jobs.work_off(clock.now)
    box.empty()
    assert ordered(cast) == [(cast.mallory.id, -30)]
    assert ordered(cast) == []
    assert letters(cast) == [f"Your membership ends on {day(term.ends_on)}"]
    assert ordered(cast) == []


@pytest.mark.parametrize(
    "days, subject, heading",
    [
        (7, "Your membership ends on {end}", "7 days left, Mallory"),
        (1, "Your membership ends on {end}", "1 day left, Mallory"),
        (0, "Your membership ends today", "Last day today, Mallory"),
        (-15, "Your membership ended on {end}", "In grace until {grace}"),
    ],
)
@SQLITE
def test_a_reminder_says_the_days_that_are_left_the_price_and_the_day_it_buys(
    cast: Cast, days: int, subject: str, heading: str
) -> None:
    term = ending(cast, days)
    dates = {"end": day(term.ends_on), "grace": day(term.grace_ends_on)}
    letter = Mailbox().only("mail_reminder", term_id=term.id, kind=days)
    offered = offer_for(cast.mallory.id, cast.basic, cast.now, cast.today)
    assert letter["Subject"] == subject.format(**dates)
    text = text_of(letter)
    assert text.startswith(heading.format(**dates))
    assert f"Tier Basic New last day {day(offered.offer.dates.ends_on)} Price €30.00" in text
    assert "Renew for €30.00: http://127.0.0.1:8000/renew/link/" in text


@SQLITE
def test_a_reminder_can_be_stopped_from_the_mail_program_and_from_its_page(app: Flask, cast: Cast) -> None:
    term = ending(cast, 7)
    letter = Mailbox().only("mail_reminder", term_id=term.id, kind=-7)
    link = letter["List-Unsubscribe"].strip(" <>")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f'href="{link}"' in html_of(letter)
    stranger = Visitor(app)
    path = urlsplit(link).path
    page = stranger.get(path)
    assert page.status_code == 200 and "Stop reminders?" in page.get_data(as_text=True)
    assert ordered(cast) == [(cast.mallory.id, -7)]  # looking stops nothing: mail scanners look
    for _ in range(2):
        done = stranger.post_without_token(path, {"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200 and "No more reminders" in done.get_data(as_text=True)
    assert "No more reminders" in stranger.get(path).get_data(as_text=True)
    assert Mailbox().after("mail_reminder", term_id=term.id, kind=-7) == []
    assert stranger.get("/reminders/stop/no-such-token").status_code == 404
    assert stranger.post_without_token("/reminders/stop/no-such-token").status_code == 404


def auto_renewal(cast: Cast, person: Person) -> None:
    db.session.add(
        AutoRenewal(
            person_id=person.id,
            tier_id=cast.basic.id,
            fee_cents=3000,
            currency="EUR",
            locale="en",
            charge_on=cast.today + timedelta(days=8),
            stripe_payment_method_id="pm_1",
            on_at=cast.now,
        )  # fmt: skip
    )


def pending(cast: Cast, person: Person) -> None:
    wanted = Wanted(cast.basic.id)
    offered = offer_of(person.id, wanted, cast.now, cast.today)
    payment = add_payment(person.id, wanted, offered, "online", "test", "en", cast.now, cast.today)
    payment.completed_at = cast.now


def no_address(cast: Cast, person: Person) -> None:
    person.email = None


@pytest.mark.parametrize("reason", [auto_renewal, pending, no_address])
def test_who_needs_no_reminder_gets_none(cast: Cast, reason: Callable[[Cast, Person], None]) -> None:
    term = ending(cast, 7)
    reason(cast, cast.mallory)
    db.session.commit()
    assert ordered(cast) == []
    state = db.session.query(Reminder.state).filter_by(term_id=term.id, kind=-7).scalar()
    assert state == "skipped"


@SQLITE
@pytest.mark.parametrize("reason", [auto_renewal, pending, no_address])
def test_what_was_ordered_is_not_sent_when_it_is_no_longer_of_use(
    cast: Cast, reason: Callable[[Cast, Person], None]
) -> None:
    term = ending(cast, 7)
    assert ordered(cast) == [(cast.mallory.id, -7)]
    reason(cast, cast.mallory)
    db.session.commit()
    Mailbox().empty()
    mail_reminder(cast.now, term.id, -7)
    assert Mailbox().all() == []


@SQLITE
def test_a_renewal_or_a_stop_cancels_what_was_ordered(cast: Cast) -> None:
    term = ending(cast, 7)
    pay(cast.mallory, cast.plus, cast.today)
    assert Mailbox().after("mail_reminder", term_id=term.id, kind=-7) == []
    nora = add_person("Nora", "Vila", "nora@example.org", cast.now)
    other = ending(cast, 7, nora)
    stop_reminders(nora.id, cast.now)
    assert Mailbox().after("mail_reminder", term_id=other.id, kind=-7) == []


def test_a_worker_killed_before_it_committed_has_done_nothing_and_is_done_again(cast: Cast) -> None:
    ending(cast, 7)
    assert [it.kind for it in remind(cast.now, cast.today) if it.person_id == cast.mallory.id] == [-7]
    db.session.rollback()
    assert db.session.query(Job).filter_by(name="mail_reminder").count() == 0
    assert ordered(cast) == [(cast.mallory.id, -7)]


def test_two_workers_at_once_order_one_reminder(app: Flask, cast: Cast) -> None:
    term_id = ending(cast, 7).id
    db.session.rollback()  # nobody holds the database
    start = threading.Barrier(2)
    problems: list[BaseException] = []

    def look() -> None:
        try:
            with app.app_context():
                start.wait()
                jobs._handlers["remind"][0](now=clock.now())
                db.session.remove()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert db.session.query(Job).filter_by(key=f"reminder:{term_id}:-7").count() == 1
    assert db.session.query(Reminder).filter_by(term_id=term_id, kind=-7).count() == 1


@SQLITE
def test_after_three_idle_days_what_is_still_true_is_said_once_with_todays_figures(cast: Cast) -> None:
    term = ending(cast, 4)  # the letter of a week before was due three days ago
    assert ordered(cast) == [(cast.mallory.id, -7)]
    assert db.session.query(Reminder.state).filter_by(term_id=term.id, kind=-30).scalar() == "skipped"
    Mailbox().empty()
    jobs.work_off(clock.now)
    [letter] = [it for it in Mailbox().all() if it["List-Unsubscribe"]]
    assert text_of(letter).startswith("4 days left, Mallory")


@SQLITE
def test_the_command_says_whom_and_a_dry_run_writes_to_nobody(app: Flask, cast: Cast) -> None:
    ending(cast, 7)
    number = cast.mallory.member_number
    for _ in range(2):
        dry = run(app, "memberships", "remind", "--dry-run")
        assert f"{number}\t-7 days" in dry.output and dry.exit_code == 0
    assert db.session.query(Job).filter_by(name="mail_reminder").count() == 0
    assert f"{number}\t-7 days" in run(app, "memberships", "remind").output
    assert "0 reminders." in run(app, "memberships", "remind").output
    assert db.session.query(Job).filter_by(name="mail_reminder").count() == 1


def test_the_worker_looks_every_hour_by_itself(app: Flask) -> None:
    jobs.tick(clock.now(), "worker")
    assert db.session.query(Job).filter_by(name="remind").count() == 1
