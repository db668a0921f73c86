"""Where the association has no certificates nothing offers a wallet, and whoever asks is told plainly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app import jobs
from app.cards.facts import facts_of
from app.cards.service import find_card
from app.cards.wallets.passes import keep_pass
from app.extensions import db
from app.jobs import Job
from tests.cards.wallets.authority import PASS_TYPE
from tests.cards.wallets.phone import Phone
from tests.cast import Cast
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    app = make_app()
    with app.app_context():
        yield app
        db.session.remove()


def test_routes_say_so_and_the_card_page_offers_paper_only(app: Flask, cast: Cast) -> None:
    alice, phone = Visitor(app, "alice@example.org"), Phone(app)
    for response, words in (
        (alice.get("/card.pkpass"), "Apple Wallet is not set up here."),
        (alice.post("/card/google"), "Google Wallet is not set up here."),
        (phone.send("POST", phone.registration("1"), "x"), "Apple Wallet is not set up here."),
        (phone.send("GET", f"/devices/d/registrations/{PASS_TYPE}"), "Apple Wallet is not set up here."),
        (phone.send("GET", f"/passes/{PASS_TYPE}/1", "x"), "Apple Wallet is not set up here."),
        (phone.send("POST", "/log", json={"logs": []}), "Apple Wallet is not set up here."),
    ):
        assert response.status_code == 404 and words in response.get_data(as_text=True)
    page = alice.get("/card").get_data(as_text=True)
    assert "/card.pdf" in page and "/card/print" in page and "/card.png" in page
    assert "Wallet" not in page


def test_jobs_left_over_from_when_it_was_set_up_do_no_harm(app: Flask, cast: Cast) -> None:
    card = find_card(cast.alice.id)
    assert card is not None
    for wallet in ("apple", "google"):
        row = keep_pass(card, wallet, facts_of(card, cast.now, cast.today), cast.now)
        jobs.enqueue("tell_wallet", cast.now, pass_id=row.id)
    db.session.commit()
    jobs.work_off(lambda: cast.now)
    assert {job.state for job in db.session.query(Job).filter_by(name="tell_wallet")} == {"done"}
