"""The card on the phone and on paper: the right person's, true to the day, readable by any scanner."""

from __future__ import annotations

import base64
import json
import posixpath
import re
from datetime import timedelta
from typing import Any

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask

from app import clock
from app.accounts import access
from app.cards.payload import parse_code, write_code
from app.cards.photos import upload_photo
from app.cards.replacing import replace_card
from app.extensions import db
from app.memberships.models import Suspension
from app.memberships.service import standing_of
from tests.cards.pictures import a_picture
from tests.cards.test_qr import draw
from tests.cast import Cast, pay
from tests.verification.asking import ask, card_of, set_clock
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOBREAK = "\u00a0"


def day(value: Any) -> str:
    return f"{value.day}{NOBREAK}{value:%b}{NOBREAK}{value.year}"


def codes_in(batch: dict[str, Any]) -> list[str]:
    """The codes of /card/live as card.js puts them together."""
    header, signatures = base64.b64decode(batch["header"]), base64.b64decode(batch["signatures"])
    windows = range(batch["first_window"], batch["first_window"] + len(signatures) // 64)
    return [
        batch["prefix"] + str(int.from_bytes(b"\1" + header + w.to_bytes(4, "big") + signatures[i : i + 64], "big"))
        for w, i in zip(windows, range(0, len(signatures), 64), strict=True)
    ]


def read_picture(svg: str) -> Any:
    (found,) = zxingcpp.read_barcodes(draw(svg)[0])
    return found


def test_the_card_shows_its_holder_and_a_code_that_counts(app: Flask, cast: Cast) -> None:
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    page = Visitor(app, "alice@example.org").get("/card").get_data(as_text=True)
    for text in ("Alice Soler", cast.alice.member_number, "Plus", day(standing.valid_until)):
        assert text in page
    assert day(cast.today - timedelta(days=100)) in page  # member since
    found = read_picture(re.search(r'<svg class="qr".*?</svg>', page, re.DOTALL)[0])
    assert (found.extra["Version"], found.extra["ECLevel"]) == ("6", "M")
    answer = ask(app, cast.library_key, found.text)
    assert (answer["reason"], answer["check_identity"]) == ("ok", False)


def test_each_card_is_its_holders_own(app: Flask, cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        batch = Visitor(app, person.email).get("/card/live").json
        contents = parse_code(codes_in(batch)[0], app.config["CARD_BASE_URL"]).contents
        assert contents.card_id == card_of(person).number


def test_a_card_in_grace_says_until_when(app: Flask, cast: Cast) -> None:
    standing = standing_of(cast.bob.id, cast.now, cast.today)
    page = Visitor(app, "bob@example.org").get("/card").get_data(as_text=True)
    assert "In grace until" in page
    assert day(standing.grace_until) in page and day(standing.valid_until) in page


@SQLITE
@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("carol", "No card at the moment"), ("dan", "No card at the moment"), ("mallory", "No card yet"),
        ("scanner", "No card yet"),
    ],
)  # fmt: skip
def test_without_membership_the_page_explains_and_draws_no_code(app: Flask, cast: Cast, who: str, words: str) -> None:
    visitor = Visitor(app, f"{who}@example.org")
    page = visitor.get("/card")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert words in text
    assert 'class="qr"' not in text
    for path in ("/card/live", "/card.svg"):
        assert visitor.get(path).status_code == 404


@SQLITE
def test_a_membership_on_hold_has_no_card_meanwhile(app: Flask, cast: Cast) -> None:
    db.session.add(Suspension(person_id=cast.alice.id, cause="dispute", from_at=clock.now()))
    visitor = Visitor(app, "alice@example.org")
    text = visitor.get("/card").get_data(as_text=True)
    assert "on hold" in text and 'class="qr"' not in text
    assert [visitor.get(path).status_code for path in ("/card/live", "/card.svg")] == [404, 404]


@SQLITE
def test_a_withdrawn_card_is_no_longer_drawn(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "alice@example.org")
    assert visitor.get("/card.svg").status_code == 200
    card = card_of(cast.alice)
    card.revoked_at, card.revoked_because = clock.now(), "lost"
    assert [visitor.get(path).status_code for path in ("/card/live", "/card.svg")] == [404, 404]


@SQLITE
def test_a_stranger_is_sent_to_sign_in(app: Flask, cast: Cast) -> None:
    for path in ("/card", "/card/live", "/card.svg"):
        response = Visitor(app).get(path)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/sign-in?next=")


def test_ten_minutes_of_codes_are_signed_ahead(app: Flask, cast: Cast) -> None:
    batch = Visitor(app, "alice@example.org").get("/card/live").json
    codes = codes_in(batch)
    assert len(codes) == 20
    now = clock.now()
    set_clock(now - timedelta(seconds=now.timestamp() % 30) + timedelta(minutes=9, seconds=40))
    assert ask(app, cast.library_key, codes[-1])["reason"] == "ok"
    assert ask(app, cast.library_key, codes[0])["reason"] == "stale_code"


@SQLITE
@pytest.mark.parametrize("hours", ["1", "24"])
def test_a_member_may_fetch_the_codes_of_some_hours(app: Flask, cast: Cast, hours: str) -> None:
    answer = Visitor(app, "alice@example.org").get(f"/card/live?hours={hours}")
    batch = answer.json
    codes = codes_in(batch)
    assert len(codes) == int(hours) * 120
    now = clock.now()
    set_clock(now + timedelta(hours=int(hours), minutes=-1))
    assert ask(app, cast.library_key, codes[-2])["reason"] == "ok"


@SQLITE
def test_a_day_of_codes_travels_in_a_quarter_of_a_megabyte(app: Flask, cast: Cast) -> None:
    answer = Visitor(app, "alice@example.org").get("/card/live?hours=24")
    assert len(codes_in(answer.json)) == 2880
    assert len(answer.data) <= 246_500  # header once, signatures in base64: 2,880 * 64 * 4 / 3 and the rest
    assert len(str(codes_in(answer.json))) > 500_000  # what digits would take


@SQLITE
@pytest.mark.parametrize("hours", ["0", "25", "-1", "x", "", "1.5", "٣", "9" * 30])
def test_no_codes_are_signed_for_longer_than_a_day(app: Flask, cast: Cast, hours: str) -> None:
    alice = Visitor(app, "alice@example.org")
    answer = alice.get("/card/live", query_string={"hours": hours}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["code"]) == (400, "bad_hours")


@SQLITE
def test_a_day_of_codes_ends_with_the_last_day_of_grace(app: Flask, cast: Cast) -> None:
    standing = standing_of(cast.bob.id, cast.now, cast.today)
    end = clock.day_end(standing.grace_until)
    set_clock(end - timedelta(hours=2))
    batch = Visitor(app, "bob@example.org").get("/card/live?hours=24").json
    assert len(codes_in(batch)) in (240, 241)
    assert batch["until"] == end.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@SQLITE
def test_the_codes_of_a_day_are_not_fetched_without_end(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    answers = [alice.get("/card/live?hours=1").status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]
    assert alice.get("/card/live").status_code == 200
    assert Visitor(app, "bob@example.org").get("/card/live?hours=1").status_code == 200


@SQLITE
def test_the_page_a_phone_keeps_has_the_facts_and_no_code(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    upload_photo(cast.alice.id, a_picture(), 50, clock.now())
    page = alice.get("/card/kept").get_data(as_text=True)
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    for words in (
        "Alice Soler",
        cast.alice.member_number,
        "Plus",
        day(standing.valid_until),
        "data:image/jpeg;base64,",
    ):
        assert words in page
    assert 'class="qr"' not in page and "csrf" not in page and '<form method="post' not in page


@SQLITE
def test_the_marks_of_holder_and_card_tell_one_from_another_and_nothing_else(app: Flask, cast: Cast) -> None:
    alice, bob = Visitor(app, "alice@example.org"), Visitor(app, "bob@example.org")
    seen = {}
    for who, visitor in (("alice", alice), ("bob", bob), ("stranger", Visitor(app))):
        (seen[who],) = re.findall(r'<html[^>]* data-holder="(\w*)"', visitor.get("/privacy").get_data(as_text=True))
    assert seen["stranger"] == "" and seen["alice"] != seen["bob"] and len(seen["alice"]) == len(seen["bob"]) == 22
    batch = alice.get("/card/live").json
    assert batch["holder"] == seen["alice"]
    assert f'data-card="{batch["card"]}"' in alice.get("/card").get_data(as_text=True)
    assert replace_card(cast.alice.id, card_of(cast.alice).id, None, clock.now())
    again = Visitor(app, "alice@example.org").get("/card/live").json
    assert again["holder"] == seen["alice"] and again["card"] != batch["card"]


@SQLITE
def test_a_page_that_broke_does_not_say_whose_it_is(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a hiccup of ours would delete what a phone keeps."""

    @access.public
    def broken() -> str:
        raise RuntimeError("broken")

    alice = Visitor(app, "alice@example.org")
    monkeypatch.setitem(app.view_functions, "portal.privacy", broken)
    answer = alice.get("/privacy")
    assert answer.status_code == 500 and "data-holder" not in answer.get_data(as_text=True)


@SQLITE
def test_the_worker_knows_every_file_of_the_kept_page_and_may_serve_the_card(app: Flask, cast: Cast) -> None:
    answer = Visitor(app).get("/card/worker.js")
    assert (answer.mimetype, answer.headers["Service-Worker-Allowed"]) == ("text/javascript", "/card")
    known = json.loads(re.match(r"const FILES = (.*);\n", answer.get_data(as_text=True))[1])
    page = Visitor(app, "alice@example.org").get("/card/kept").get_data(as_text=True)
    wanted = {address.partition("#")[0] for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page)}
    for script in [address for address in known if "/card/" in address and ".js" in address]:
        for module in re.findall(r'from "(\.[^"]+)"', Visitor(app).get(script).get_data(as_text=True)):
            wanted.add(posixpath.normpath(posixpath.join(posixpath.dirname(script), module)))
    assert wanted <= set(known)
    assert all(Visitor(app).get(address).status_code == 200 for address in known)


@SQLITE
def test_signing_out_asks_the_browser_to_delete_nothing_of_a_scanner(app: Flask, cast: Cast) -> None:
    assert "Clear-Site-Data" not in Visitor(app, "alice@example.org").post("/sign-out").headers


@SQLITE
def test_none_is_signed_past_the_last_day_of_grace(app: Flask, cast: Cast) -> None:
    standing = standing_of(cast.bob.id, cast.now, cast.today)
    assert standing.grace_until is not None
    end = clock.day_end(standing.grace_until)
    set_clock(end - timedelta(seconds=100))
    bob = Visitor(app, "bob@example.org")
    batch = bob.get("/card/live").json
    assert 3 <= len(codes_in(batch)) <= 4
    assert batch["until"] == end.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    set_clock(end + timedelta(seconds=1))
    assert bob.get("/card/live").status_code == 404
    assert "No card at the moment" in bob.get("/card").get_data(as_text=True)


def test_the_printed_code_decodes_and_counts_until_the_last_day_of_grace(app: Flask, cast: Cast) -> None:
    response = Visitor(app, "alice@example.org").get("/card.svg")
    assert response.mimetype == "image/svg+xml"
    assert "attachment" not in response.headers["Content-Disposition"]
    found = read_picture(response.get_data(as_text=True))
    assert (found.extra["Version"], found.extra["ECLevel"]) == ("6", "M")
    standing = standing_of(cast.alice.id, cast.now, cast.today)
    code = parse_code(found.text, app.config["CARD_BASE_URL"])
    assert code.contents.expires_on == standing.grace_until
    answer = ask(app, cast.library_key, found.text)
    assert (answer["reason"], answer["check_identity"]) == ("ok", True)


def test_a_renewal_keeps_the_card(app: Flask, cast: Cast) -> None:
    before = card_of(cast.alice).number
    pay(cast.alice, cast.plus, cast.today)
    assert card_of(cast.alice).number == before


@SQLITE
def test_published_keys_verify_a_code_without_us(app: Flask, cast: Cast) -> None:
    response = Visitor(app).get("/.well-known/jwks.json")
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert all(set(key) == {"kty", "crv", "kid", "alg", "use", "x"} for key in response.json["keys"])
    code = codes_in(Visitor(app, "alice@example.org").get("/card/live").json)[0]
    signed = parse_code(code, app.config["CARD_BASE_URL"])
    (key,) = [k for k in response.json["keys"] if k["kid"] == f"card-{signed.contents.key_id}"]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(signed.signature, b"carnet-card-v1\0" + signed.body)
    assert write_code(signed.body, signed.signature, app.config["CARD_BASE_URL"]) == code
