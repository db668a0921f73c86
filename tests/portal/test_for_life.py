"""Membership for life has no last day: nobody and no machine ever reads the one that the database keeps."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from app import clock
from app.cards.service import ensure_card
from app.extensions import db
from app.memberships import renewal_links
from app.memberships.service import FOR_LIFE, TermDates, grant, grant_term, hold_person, release_person
from app.payments import renewal_letters
from app.payments.renewing import switch_off, switch_on
from app.payments.service import GiftTo, Wanted, outcome_path
from app.payments.settling import close_payment
from app.people.models import Person
from tests.cast import Cast, pay
from tests.command import run
from tests.payments.bought import give_back
from tests.payments.bought import pay as pay_online
from tests.payments.mailbox import Mailbox, text_of
from tests.portal.test_states import read
from tests.verification.asking import ask, live, static
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = timedelta(days=1)
LAST_DAY_THERE_IS = re.compile(r"(?<!\d)9999(?!\d)")
OWN = ("/", "/card", "/account", "/account/why", "/account/payments", "/gift")


def honoured(person: Person, cast: Cast) -> None:
    """Days for life, after those that there are."""
    grant(person.id, cast.plus, because="fifty years", by="the board", now=cast.now, today=cast.today, life=True)
    ensure_card(person.id, cast.now)
    db.session.commit()


def shown(visitor: Visitor, path: str) -> str:
    response = visitor.get(path)
    assert response.status_code == 200, path
    assert not LAST_DAY_THERE_IS.search(response.get_data(as_text=True)), path
    return read(visitor, path)


def test_ones_own_pages_say_for_life(app: Flask, cast: Cast) -> None:
    honoured(cast.mallory, cast)
    honoured(cast.alice, cast)  # after the year she has paid
    for who in ("mallory", "alice"):
        visitor = Visitor(app, f"{who}@example.org")
        pages = {path: shown(visitor, path) for path in OWN}
        assert "A member for life" in pages["/"] and "nothing to renew" in pages["/account"]
        assert "Valid for life" in pages["/card"] and "for life" in pages["/account/why"]
        for path in ("/join", "/renew"):
            assert visitor.get(path).headers["Location"] == "/"


def test_on_hold_or_yet_to_come_it_is_for_life_all_the_same(app: Flask, cast: Cast) -> None:
    first = cast.today + 10 * DAY
    grant_term(cast.mallory.id, cast.plus, TermDates(first, first, FOR_LIFE, FOR_LIFE), "test", "a prize", cast.now)
    mallory = Visitor(app, "mallory@example.org")
    assert "You start on" in shown(mallory, "/") and "A member for life" in shown(mallory, "/")
    honoured(cast.alice, cast)
    hold_person(cast.alice, "test", "test", cast.now)
    alice = Visitor(app, "alice@example.org")
    for visitor in (mallory, alice):
        for path in OWN:
            shown(visitor, path)
    assert alice.get("/renew").headers["Location"] == "/"


def test_staff_read_for_life_on_the_list_and_on_the_record(app: Flask, cast: Cast) -> None:
    honoured(cast.mallory, cast)
    admin = Visitor(app, "admin@example.org")
    assert re.search(r"Mallory Camps .* Plus for life", shown(admin, "/admin/people?text=mallory"))
    record = f"/admin/people/{cast.mallory.member_number}"
    assert "for life" in shown(admin, record) and "for life" in shown(admin, f"{record}?as_of={cast.today + 900 * DAY}")
    hold_person(cast.mallory, "test", "test", cast.now)
    release_person(cast.mallory, "test", clock.now() + DAY)
    shown(admin, record)


def test_the_commands_know_no_last_day(app: Flask, cast: Cast, tmp_path: Path) -> None:
    honoured(cast.alice, cast)
    honoured(cast.mallory, cast)
    said = run(app, "memberships", "explain", "alice@example.org").stdout
    assert "for life  plus" in said and not LAST_DAY_THERE_IS.search(said)
    answer = json.loads(run(app, "memberships", "explain", "alice@example.org", "--json").stdout)
    assert (answer["valid_until"], answer["known_then"]["valid_until"], answer["status"]) == (None, None, "active")
    assert [term["ends_on"] is None for term in answer["terms"]] == [False, True]
    file = tmp_path / "life.csv"
    file.write_text(f"person,tier,ends_on\n{cast.mallory.member_number},basic,{cast.today + DAY}\n")
    refused = run(app, "memberships", "import", str(file))
    assert "for life already" in refused.stderr and not LAST_DAY_THERE_IS.search(refused.stderr)


def test_the_api_answers_null_and_the_desk_reads_for_life(app: Flask, cast: Cast) -> None:
    honoured(cast.mallory, cast)
    for code in (live(cast.mallory), static(cast.mallory)):
        answer = ask(app, cast.library_key, code)
        assert (answer["valid"], answer["valid_until"], answer["grace_until"]) == (True, None, None)
    desk = Visitor(app, "scanner@example.org")
    body = {"desk": cast.desk.id, "credential": live(cast.mallory), "nonce": "n"}
    response = desk.post_json("/scan/verifications", body, **{"X-CSRFToken": desk.token()})
    assert "for life" in response.get_data(as_text=True)
    assert not LAST_DAY_THERE_IS.search(response.get_data(as_text=True))
    code = live(cast.mallory).rpartition("/")[2]
    assert "Valid" in shown(Visitor(app), f"/C/{code}")


def test_what_became_of_a_payment_reads_for_life(app: Flask, cast: Cast) -> None:
    own = pay_online(cast.mallory, Wanted(cast.basic.id))
    honoured(cast.mallory, cast)
    taken_back = pay_online(cast.mallory, Wanted(cast.basic.id, gift=GiftTo("bob@example.org", "Bob", "")))
    give_back(taken_back)
    again = pay_online(cast.mallory, Wanted(cast.basic.id, gift=GiftTo("bob@example.org", "Bob", "")))
    again.paid_at = again.paid_on = None
    close_payment(again, "failed", cast.now)
    db.session.commit()
    visitor = Visitor(app, "mallory@example.org")
    assert "You’re a member for life." in shown(visitor, outcome_path(own))
    assert "You are still a member for life." in shown(visitor, outcome_path(taken_back))
    shown(visitor, outcome_path(again))
    shown(visitor, "/account/payments")


def test_renewing_by_itself_ends_without_a_last_day(app: Flask, cast: Cast) -> None:
    pay(cast.mallory, cast.basic, cast.today)
    renewal = switch_on(cast.mallory.id, "cus_1", "pm_1", "en", None, cast.now)
    assert renewal is not None
    honoured(cast.mallory, cast)
    link = f"/auto-renewal/off/{renewal_links.make('off', cast.mallory.id, cast.now)}"
    assert "Switched off, nothing is taken." in shown(Visitor(app), link)
    switch_off(renewal, "nothing_to_renew", cast.now)
    db.session.commit()
    assert "You are a member for life." in shown(Visitor(app), link)
    mailbox = Mailbox()
    mailbox.empty()
    renewal_letters.mail_renewal_stopped(cast.now, renewal.id)
    [letter] = mailbox.all()
    assert "Paid until" not in text_of(letter) and not LAST_DAY_THERE_IS.search(text_of(letter))
