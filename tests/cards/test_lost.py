"""A lost phone or card: the old one dies at once, everywhere, once, and nothing else changes."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from app import clock
from app.accounts.models import AccountSession
from app.audit import AuditEntry
from app.cards.models import Card
from app.cards.replacing import replace_card
from app.cards.service import find_card
from app.extensions import db
from app.memberships.service import standing_of
from tests.cards.test_card_pages import codes_in
from tests.cast import Cast
from tests.verification.asking import ask, card_of, live, static
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def card_on(page: str) -> str:
    return re.search(r'name="card"[^>]*value="(\d+)"', page)[1]


def test_a_lost_card_dies_at_once_and_the_new_one_counts(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    old, on_screen, on_paper = card_of(cast.alice).id, live(cast.alice), static(cast.alice)
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    page = alice.get("/card/lost").get_data(as_text=True)
    assert card_on(page) == str(old)
    assert ask(app, cast.library_key, on_screen)["reason"] == "ok"  # looking changes nothing
    assert alice.post("/card/lost", {"card": card_on(page)}).headers["Location"] == "/card"
    db.session.expire_all()
    for code in (on_screen, on_paper):
        assert ask(app, cast.library_key, code)["reason"] == "replaced"
    assert "This is your new card." in alice.get("/card").get_data(as_text=True)
    for code in (live(cast.alice), static(cast.alice), *codes_in(alice.get("/card/live").json)[:1]):
        assert ask(app, cast.library_key, code)["valid"] is True
    new = card_of(cast.alice)
    assert new.id != old
    assert standing_of(cast.alice.id, cast.now, cast.today) == standing


def test_two_clicks_replace_one_card(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    lost = card_on(alice.get("/card/lost").get_data(as_text=True))
    for _click in range(3):
        assert alice.post("/card/lost", {"card": lost}).status_code == 303
    cards = db.session.query(Card).filter_by(person_id=cast.alice.id)
    assert cards.count() == 2
    actions = list(
        db.session.execute(
            sa.select(AuditEntry.action)
            .where(AuditEntry.subject.like("card:%"))
            .order_by(AuditEntry.id.desc())
            .limit(2)
        ).scalars()
    )
    assert actions == ["card_replaced", "card_issued"]


def test_the_lost_phone_is_signed_out_and_this_one_is_not(app: Flask, cast: Cast) -> None:
    lost_phone, here = Visitor(app, "alice@example.org"), Visitor(app, "alice@example.org")
    bob = Visitor(app, "bob@example.org")
    here.post("/card/lost", {"card": card_on(here.get("/card/lost").get_data(as_text=True))})
    assert lost_phone.get("/card/live", headers={"Accept": "application/json"}).status_code == 401
    assert here.get("/card/live").status_code == 200
    assert bob.get("/card/live").status_code == 200


@SQLITE
def test_nobody_replaces_the_card_of_somebody_else(app: Flask, cast: Cast) -> None:
    bobs, alices = card_of(cast.bob).id, card_of(cast.alice).id
    alice = Visitor(app, "alice@example.org")
    for card in (str(bobs), "0", "x", "", "9" * 30):
        assert alice.post("/card/lost", {"card": card}).status_code == 303
    db.session.expire_all()
    assert (card_of(cast.bob).id, card_of(cast.alice).id) == (bobs, alices)


@SQLITE
def test_without_a_card_there_is_none_to_lose(app: Flask, cast: Cast) -> None:
    for who in ("mallory", "scanner"):
        visitor = Visitor(app, f"{who}@example.org")
        assert visitor.get("/card/lost").status_code == 404
        assert visitor.post("/card/lost", {"card": "1"}).status_code == 404
    assert Visitor(app).get("/card/lost").status_code == 302


def test_staff_replace_a_card_from_the_persons_page(app: Flask, cast: Cast) -> None:
    admin, lost_phone = Visitor(app, "admin@example.org"), Visitor(app, "alice@example.org")
    code = live(cast.alice)
    record = admin.get(f"/admin/people/{cast.alice.member_number}").get_data(as_text=True)
    path = f"/admin/people/{cast.alice.member_number}/card"
    assert f'href="{path}"' in record
    lost = card_on(admin.get(path).get_data(as_text=True))
    for words in ("They have a new card.", "had been replaced already"):
        assert admin.post(path, {"card": lost}).status_code == 303
        assert words in admin.get(path).get_data(as_text=True)
    assert ask(app, cast.library_key, code)["reason"] == "replaced"
    assert lost_phone.get("/card").status_code == 302
    assert db.session.query(Card).filter_by(person_id=cast.alice.id).count() == 2
    entry = db.session.query(AuditEntry).filter_by(action="card_replaced").one()
    assert entry.actor == f"account:{cast.account('admin').id}"


@SQLITE
def test_replacing_is_for_administrators(app: Flask, cast: Cast) -> None:
    path, card = f"/admin/people/{cast.alice.member_number}/card", card_of(cast.alice).id
    for who in ("treasurer", "scanner", "alice", "bob"):
        assert Visitor(app, f"{who}@example.org").post(path, {"card": str(card)}).status_code == 403
    assert card_of(cast.alice).id == card


def test_a_member_in_a_lapse_keeps_no_live_copy_of_a_lost_card(app: Flask, cast: Cast) -> None:
    """Carol's card waits for her to come back: lost meanwhile, it is another one that will count."""
    old = card_of(cast.carol)
    assert replace_card(cast.carol.id, old.id, None, clock.now())
    db.session.commit()
    found = find_card(cast.carol.id)
    assert found is not None and found.id != old.id
    assert db.session.query(AccountSession).filter(AccountSession.revoked_at.is_not(None)).count() == 0
