"""How a person reads and uses the paying pages: plain words, forms as they were shown, several clicks at once."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable
from datetime import timedelta

import requests

from app import clock
from app.association import get_association
from app.extensions import db
from app.formats import day_long
from app.memberships.service import get_tier
from app.payments import manual
from app.payments.models import Payment
from app.people.service import add_person, get_person
from tests.payments.shop import Browser, Shop

IBAN = "ES9121000418450200051332"


def words(response: requests.Response) -> str:
    """What is read on a page, in one line with plain spaces."""
    main = re.sub(r"(?s)^.*<main[^>]*>", "", response.text).partition("</main>")[0]
    text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())
    return re.sub(r" ([.,;:])", r"\1", text)


def long(day: object) -> str:
    """A day as members read it; inside shop.books()."""
    return day_long(day).replace("\u00a0", " ")  # type: ignore[arg-type]


def fields(page: requests.Response, name: str) -> list[str]:
    """The values of the inputs of that name, as a browser would send them back."""
    return re.findall(rf'name="{name}" value="([^"]*)"', html.unescape(page.text))


def at_once(*acts: Callable[[], requests.Response]) -> list[requests.Response]:
    """Everybody waits for the last one and then acts; answers in the order of the acts."""
    barrier = threading.Barrier(len(acts))
    answers: dict[int, requests.Response] = {}

    def act_of(n: int, act: Callable[[], requests.Response]) -> None:
        barrier.wait(10)
        answers[n] = act()

    threads = [threading.Thread(target=act_of, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[n] for n in range(len(acts))]


def clicks(
    browser: Browser, path: str, form: dict[str, str], page: str | None = None
) -> Callable[[], requests.Response]:
    """A press of the button of a page that is open already: the same token each time, on a line of its own."""
    token = fields(browser.get(page or path), "csrf_token") or fields(browser.get("/account"), "csrf_token")

    def click() -> requests.Response:
        data = {"csrf_token": token[0], **form}
        cookies = dict(browser.session.cookies)
        return requests.post(f"{browser.url}{path}", data, cookies=cookies, allow_redirects=False, timeout=60)

    return click


def member(shop: Shop, name: str, tier: str = "basic", days_ago: int = 350) -> int:
    """Somebody who paid in cash that long ago; their id."""
    with shop.books():
        known = add_person(name.capitalize(), "Pons", f"{name}@example.org", clock.now())
        value_on = clock.today() - timedelta(days=days_ago)
        fee = get_tier(tier).prices[0].fee_cents
        manual.record_payment(known, get_tier(tier), fee, "cash", value_on, "test", "en", clock.now(), clock.today())
        db.session.commit()
        return known.id


def take_transfers(shop: Shop) -> None:
    with shop.books():
        get_association(for_update=True).iban = IBAN
        db.session.commit()


def newest_payment(shop: Shop, person_id: int) -> str:
    with shop.books():
        found = db.session.query(Payment).filter_by(person_id=person_id).order_by(Payment.id.desc()).first()
        assert found is not None
        return found.number


def given_name(shop: Shop, person_id: int) -> str:
    with shop.books():
        return get_person(person_id).given_name
