"""The sample course shop before the running application: a member price appears, is bought once, and is given back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from flask import Flask

from app import clock
from app.association import get_association
from app.benefits.codes import draw_code
from app.benefits.models import Benefit, Redemption
from app.benefits.redeeming import limit_remaining
from app.benefits.service import add_benefit, find_benefit
from app.extensions import db
from app.memberships.service import get_tier
from app.people.models import Person
from app.people.service import find_persons_by_email
from demo.course_shop.connecting import FILE, Secrets, connect
from demo.course_shop.server import CourseShop
from tests.discounts.browser import SECONDS, TOKEN, Browser
from tests.discounts.conftest import live as live

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NUMBER = re.compile(r'name="number" value="([0-9a-f]+)"')
BREAD = "/courses/bread"  # 180.00 EUR, 120.00 for a member


@dataclass
class Shop:
    """The running shop, and somebody at a browser in front of it."""

    app: Flask
    url: str
    given: Secrets
    courses: Benefit

    def visitor(self, name: str) -> Visitor:
        return Visitor(self, Browser(self.app, f"{name}@example.org"))


@dataclass
class Visitor:
    shop: Shop
    browser: Browser

    @property
    def person(self) -> Person:
        return find_persons_by_email(self.browser.email)[0]

    def sign_in(self) -> str:
        return self.browser.open(f"{self.shop.url}/sign-in").text

    def see(self, path: str = "/") -> str:
        return self.browser.session.get(self.shop.url + path, timeout=SECONDS).text

    def press(self, page: str, path: str, **fields: str) -> requests.Response:
        """A button of `page`, with what its form holds."""
        token, number = TOKEN.search(page), NUMBER.search(page)
        if token is None:
            raise AssertionError(page)
        sent = {"csrf_token": token[1], **({"number": number[1]} if number else {}), **fields}
        return self.browser.session.post(self.shop.url + path, data=sent, timeout=SECONDS)

    def draw(self, benefit: Benefit | None = None) -> str:
        code = draw_code(benefit or self.shop.courses, self.person.id, clock.now(), clock.today())
        db.session.commit()
        return code

    def hold(self, code: str) -> requests.Response:
        return self.press(self.see(BREAD), BREAD, price="member", code=code)

    def then(self, order: requests.Response, what: str) -> requests.Response:
        return self.press(order.text, f"{order.url.removeprefix(self.shop.url)}/{what}")

    def left(self) -> int | None:
        left = limit_remaining(self.shop.courses, self.person.id, clock.now(), clock.today())
        db.session.rollback()  # or SQLite lets nobody else write
        return left


@pytest.fixture
def shop(live: Flask, tmp_path: Path) -> Iterator[Shop]:
    courses = add_benefit(
        "courses", "Further courses", [get_tier("basic"), get_tier("plus")], False, clock.now(), discount_cents=6000,
        limit_count=1, limit_period="term", by_code=True,
    )  # fmt: skip
    given = connect("http://127.0.0.1:9", tmp_path, clock.now())
    running = CourseShop(0, given)
    connect(running.url, tmp_path, clock.now())
    yield Shop(live, running.url, given, courses)
    running.stop()


def words(page: str) -> str:
    """As it reads."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_member_signs_in_sees_the_member_price_and_buys(shop: Shop) -> None:
    alice = shop.visitor("alice")
    assert "€120.00" not in words(alice.see())
    page = words(alice.sign_in())
    assert "You are a member" in page and "Full price €180.00 €120.00 member price" in page
    held = alice.hold(alice.draw())
    assert "Held for 15 minutes" in words(held.text) and "You pay €120.00" in words(held.text)
    assert alice.left() == 0
    assert "You have a place" in words(alice.then(held, "buy").text)
    use = db.session.query(Redemption).one()
    assert (use.state, use.value_cents, use.person_id) == ("confirmed", 6000, alice.person.id)
    assert "is taken already" in words(alice.see())  # the one of this year


@pytest.mark.parametrize(
    ("name", "why"),
    [("bob", "waits to be renewed"), ("carol", "renew and it is yours again"), ("mallory", "not a member yet")],
)
def test_who_is_no_member_today_is_told_why_and_sees_the_full_price_alone(shop: Shop, name: str, why: str) -> None:
    visitor = shop.visitor(name)
    for page in (words(visitor.sign_in()), words(visitor.see(BREAD))):
        assert why in page and "€120.00" not in page
    bought = visitor.press(visitor.see(BREAD), BREAD, price="full")
    assert "You pay €180.00" in words(bought.text)


def test_a_code_is_good_once_for_somebody_who_did_not_sign_in(shop: Shop) -> None:
    alice, stranger = shop.visitor("alice"), shop.visitor("stranger")
    code = alice.draw()
    held = stranger.hold(code.lower().replace("-", " "))
    assert "You pay €120.00" in words(held.text)
    assert "used, or another order holds it" in words(alice.hold(code).text)
    assert "You have a place" in words(stranger.then(held, "buy").text)
    refused = alice.hold(code)
    assert refused.status_code == 409 and "used, or another order holds it" in words(refused.text)


@pytest.mark.parametrize("is_bought", [False, True])
def test_cancelling_gives_the_use_and_the_code_back(shop: Shop, is_bought: bool) -> None:
    alice = shop.visitor("alice")
    code = alice.draw()
    order = alice.hold(code)
    if is_bought:
        order = alice.then(order, "buy")
    assert alice.left() == 0
    assert "the code works again" in words(alice.then(order, "cancel").text)
    assert alice.left() == 1
    assert "Held for 15 minutes" in words(alice.hold(code).text)


def test_pressing_twice_holds_and_counts_one_use(shop: Shop) -> None:
    alice = shop.visitor("alice")
    page, code = alice.see(BREAD), alice.draw()
    orders = [alice.press(page, BREAD, price="member", code=code) for _time in range(2)]
    assert orders[0].url == orders[1].url
    assert all("You have a place" in words(alice.then(orders[0], "buy").text) for _time in range(2))
    assert db.session.query(Redemption).count() == 1


def test_a_reservation_not_bought_in_time_is_over(shop: Shop) -> None:
    alice = shop.visitor("alice")
    order = alice.hold(alice.draw())
    get_association(for_update=True).clock_offset_seconds = 16 * 60
    db.session.commit()
    clock.forget()
    assert "The 15 minutes were over" in words(alice.then(order, "buy").text)
    assert "The 15 minutes are over" in words(alice.see(order.url.removeprefix(shop.url)))


def test_what_is_wrong_with_a_code_is_said_in_plain_words(shop: Shop) -> None:
    alice, now = shop.visitor("alice"), clock.now()
    coffee = add_benefit("cafe", "Coffee", [get_tier("plus")], True, now, by_code=True, discount_percent=20)
    old = draw_code(shop.courses, alice.person.id, now - timedelta(hours=25), clock.today())
    first, second = alice.draw(), alice.draw()
    alice.then(alice.hold(first), "buy")
    for code, status, why in (
        ("", 400, "Type the code you drew"),
        ("ABCD-EFGH-JKMN", 404, "There is no such code"),
        (alice.draw(coffee), 409, "for another benefit"),
        (old, 410, "codes last a day"),
        (second, 409, "This year’s course at the member price is taken"),
    ):
        answer = alice.hold(code)
        assert (answer.status_code, why in words(answer.text)) == (status, True), words(answer.text)


def test_an_answer_that_this_browser_did_not_ask_for_signs_nobody_in(shop: Shop) -> None:
    alice = shop.visitor("alice")
    answer = alice.browser.session.get(f"{shop.url}/back?code=abc&state=made-up", timeout=SECONDS)
    assert answer.status_code == 403 and "You were not signed in" in words(answer.text)


def test_who_does_not_allow_it_comes_back_signed_out(shop: Shop) -> None:
    alice = shop.visitor("alice")
    alice.browser.sign_in()
    asked = alice.browser.session.get(f"{shop.url}/sign-in", timeout=SECONDS)
    back = alice.browser.press(asked, "reject")
    assert "You were not signed in" in words(back.text) and "€120.00" not in words(back.text)


def test_the_shops_pages_run_and_load_nothing_of_others(shop: Shop) -> None:
    for path in ("/", BREAD, "/orders/none"):
        answer = shop.visitor("alice").browser.session.get(shop.url + path, timeout=SECONDS)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert not re.search(r"style=|<script|<style|\son\w+=", answer.text)


def test_connecting_again_changes_nothing_and_lost_secrets_are_made_anew(shop: Shop, tmp_path: Path) -> None:
    assert connect(shop.url, tmp_path, clock.now()) == shop.given
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    found = find_benefit("courses")
    assert found is not None and found.partner_id is not None
    (tmp_path / FILE).unlink()
    anew = connect(shop.url, tmp_path, clock.now())
    assert anew.client_id == shop.given.client_id
    assert anew.key != shop.given.key and anew.client_secret != shop.given.client_secret
    assert connect(shop.url, tmp_path, clock.now()) == anew
