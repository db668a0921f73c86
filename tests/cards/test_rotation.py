"""The drill of changing keys, from publishing a new one to retiring the old."""

from __future__ import annotations

import json
import os
import stat
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask

from app import clock, create_app
from app.audit import AuditEntry
from app.cards import service
from app.cards.keys import CardKeys, complete, generate
from app.cards.payload import LAST_EXPIRY
from app.cards.rotation import last_printed_expiry, rotate
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import end_terms_of_payment, terms_of
from tests.cards.opening import open_list
from tests.cast import Cast, pay
from tests.command import is_refused, run
from tests.databases import configuration
from tests.verification.asking import ask, live, set_clock, static
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
NEVER = date.min


@pytest.fixture
def keys_file(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The application's keys come from a file, as a service's secrets do."""
    path = tmp_path / "secrets" / "card_keys"
    path.parent.mkdir()
    path.write_text(complete(None, date(2020, 1, 1)).dump(), encoding="utf-8")
    monkeypatch.setitem(app.config, "CARD_KEYS_PATH", path)
    monkeypatch.setitem(app.extensions, "card_keys", CardKeys.load(path.read_text(encoding="utf-8")))
    return path


def restart(app: Flask, path: Path) -> None:
    """What starting the site anew does with its keys."""
    app.extensions["card_keys"] = CardKeys.load(path.read_text(encoding="utf-8"))


def published(app: Flask) -> list[str]:
    return sorted(key["kid"] for key in Visitor(app).get("/.well-known/jwks.json").json["keys"])


def rotate_key(app: Flask, path: Path, *options: str) -> list[str]:
    result = run(app, "cards", "rotate-key", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    restart(app, path)
    return result.stdout.splitlines()


def reason(app: Flask, cast: Cast, code: str) -> str:
    return str(ask(app, cast.library_key, code)["reason"])


@SQLITE
def test_the_whole_drill(app: Flask, cast: Cast, keys_file: Path) -> None:
    assert published(app) == ["card-1", "status-1"]
    today = clock.today()
    printed_before = static(cast.bob)
    first_use_on = today + 2 * DAY

    said = rotate_key(app, keys_file)  # published, not used yet
    assert said[0] == f"card-2 is new and signs from {first_use_on} on."
    assert published(app) == ["card-1", "card-2", "status-1"]
    assert service.card_keys().signing_key(clock.today()).kid == "card-1"

    set_clock(clock.day_start(first_use_on) - timedelta(seconds=1))
    assert service.card_keys().signing_key(clock.today()).kid == "card-1"
    of_the_last_evening = live(cast.alice)
    set_clock(clock.day_start(first_use_on) + timedelta(seconds=1))  # used
    assert service.card_keys().signing_key(clock.today()).kid == "card-2"
    assert reason(app, cast, of_the_last_evening) == "ok"
    assert reason(app, cast, printed_before) == "grace"
    assert reason(app, cast, static(cast.alice)) == reason(app, cast, live(cast.alice)) == "ok"

    last_on = max(term.sold_ends_on for who in (cast.alice, cast.dan) for term in terms_of(who.id)) + 30 * DAY
    set_clock(clock.day_end(last_on) - timedelta(minutes=10))  # the last code of the old key still stands
    said = rotate_key(app, keys_file)
    assert f"card-1 stays until {last_on}: a card it signed may be good until then." in said
    assert "card-1" in published(app)

    set_clock(clock.day_end(last_on) + timedelta(minutes=10))
    said = rotate_key(app, keys_file)
    assert "card-1 is retired: nothing it signed is good any more." in said
    assert "card-1" not in published(app)
    assert reason(app, cast, printed_before) == "unknown_card"


@SQLITE
def test_scanners_know_a_key_a_whole_day_before_its_first_card(app: Flask, cast: Cast, keys_file: Path) -> None:
    today = clock.today()
    for moment in (clock.day_start(today) + timedelta(seconds=5), clock.day_end(today) - timedelta(seconds=5)):
        set_clock(moment)
        result = run(app, "cards", "rotate-key")
        keys = CardKeys.load(keys_file.read_text(encoding="utf-8"))
        first = clock.day_start(keys.of("card")[-1].first_use_on)
        assert result.exit_code == 0
        assert first - clock.now() >= timedelta(hours=24)


@SQLITE
def test_the_key_of_the_list_changes_by_the_same_drill(app: Flask, cast: Cast, keys_file: Path) -> None:
    today = clock.today()
    said = rotate_key(app, keys_file, "--for", "status")
    assert said[:2] == [
        f"status-2 is new and signs from {today + 2 * DAY} on.",
        f"status-1 stays until at least {today + 3 * DAY}: a list it signed may be good until then.",
    ]
    kept = Visitor(app).get("/.well-known/jwks.json").json  # a scanner's, of the day of publication
    set_clock(clock.day_start(today + 2 * DAY) + timedelta(hours=1))
    token = Visitor(app).get("/api/v1/card-status").get_data(as_text=True)
    assert open_list(token, kept).set_indices
    set_clock(clock.day_start(today + 4 * DAY) + timedelta(hours=1))
    assert "status-1 is retired: nothing it signed is good any more." in rotate_key(app, keys_file, "--for", "status")
    assert published(app) == ["card-1", "status-2", "status-3"]


@SQLITE
def test_a_second_command_makes_no_second_key(app: Flask, cast: Cast, keys_file: Path) -> None:
    rotate_key(app, keys_file)
    before = keys_file.read_text(encoding="utf-8")
    said = rotate_key(app, keys_file)
    assert said[0] == f"card-2 is published already and signs from {clock.today() + 2 * DAY} on."
    assert keys_file.read_text(encoding="utf-8") == before


@SQLITE
def test_the_file_is_replaced_whole_for_its_owner_only_and_a_link_stays_a_link(
    app: Flask, cast: Cast, keys_file: Path, tmp_path: Path
) -> None:
    link = tmp_path / "card_keys"
    link.symlink_to(keys_file)
    app.config["CARD_KEYS_PATH"] = link
    keys_file.chmod(0o644)
    assert rotate_key(app, link)[-1] == f"Written to {link}. Restart the site and the worker today."
    assert link.is_symlink()
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    assert [path.name for path in keys_file.parent.iterdir()] == ["card_keys"]
    assert [key.kid for key in CardKeys.load(keys_file.read_text(encoding="utf-8")).of("card")] == ["card-1", "card-2"]


@SQLITE
def test_keys_from_the_environment_are_printed_with_what_to_do(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "CARD_KEYS_PATH", None)
    result = run(app, "cards", "rotate-key")
    assert result.exit_code == 0
    assert "Set CARD_KEYS to this, which is secret" in result.stderr
    (line,) = result.stdout.splitlines()
    keys = CardKeys.load(line)
    assert [key.kid for key in keys.of("card") + keys.of("status")] == ["card-1", "card-2", "status-1"]
    before = service.card_keys().of("card")[0]
    assert keys.of("card")[0].sign(b"x") == before.sign(b"x")


@SQLITE
def test_a_file_that_cannot_be_written_is_named_and_its_new_content_printed(
    app: Flask, cast: Cast, keys_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys_file.read_text(encoding="utf-8")

    def refuse(*_paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "replace", refuse)
    result = run(app, "cards", "rotate-key")
    assert f"{keys_file} cannot be written: Operation not permitted." in result.stderr
    assert len(CardKeys.load(result.stdout).of("card")) == 2
    assert keys_file.read_text(encoding="utf-8") == before
    assert [path.name for path in keys_file.parent.iterdir()] == ["card_keys"]


@SQLITE
def test_the_audit_log_names_keys_and_shows_none(app: Flask, cast: Cast, keys_file: Path) -> None:
    rotate_key(app, keys_file)
    entry = db.session.query(AuditEntry).filter_by(action="key_published").one()
    assert entry.subject == "key:card-2"
    secret = json.loads(keys_file.read_text(encoding="utf-8"))[-1]["private"]
    assert secret not in entry.facts and "private" not in entry.facts


@SQLITE
def test_when_all_ids_are_taken_the_command_says_so_and_changes_nothing(
    app: Flask, cast: Cast, keys_file: Path
) -> None:
    full = [generate(n, date(2020, 1, 1) + n * DAY) for n in range(256)]
    app.extensions["card_keys"] = CardKeys([*full, generate(1, date(2020, 1, 1), "status")])
    before = keys_file.read_text(encoding="utf-8")
    result = run(app, "cards", "rotate-key")
    assert is_refused(result) and "256 ids of card keys" in result.stderr
    assert keys_file.read_text(encoding="utf-8") == before


@SQLITE
def test_what_is_written_starts_production(app: Flask, cast: Cast, keys_file: Path, tmp_path: Path) -> None:
    rotate_key(app, keys_file)
    again = create_app(configuration(f"sqlite:///{tmp_path}/other.sqlite", tmp_path, CARD_KEYS_FILE=str(keys_file)))
    assert again.config["CARD_KEYS_PATH"] == keys_file
    assert [key.kid for key in again.extensions["card_keys"].of("card")] == ["card-1", "card-2"]


# --- until when an old key stays ---


def two_keys(superseded_on: date) -> CardKeys:
    old, new = generate(1, date(2020, 1, 1)), generate(2, superseded_on)
    return CardKeys([old, new, generate(1, date(2020, 1, 1), "status")])


@pytest.mark.parametrize(
    ("superseded", "last_expiry", "stays_until"),
    [
        (-1, NEVER, 0),  # a live code of the evening before yesterday is good until the first minute of today
        (-2, NEVER, None),
        (-100, TODAY - DAY, None),
        (-100, TODAY, 0),
        (-100, TODAY + DAY, 1),
        (-1, TODAY + 400 * DAY, 400),
    ],
)
def test_an_old_key_stays_through_the_last_day_of_what_it_signed(
    superseded: int, last_expiry: date, stays_until: int | None
) -> None:
    keys = two_keys(TODAY + superseded * DAY)
    rotation = rotate(keys, "card", TODAY + 2 * DAY, TODAY, lambda _day: last_expiry)
    staying = {key.key_id: day for key, day in rotation.staying}
    assert staying.get(1) == (None if stays_until is None else TODAY + stays_until * DAY)
    assert [key.key_id for key in rotation.retired] == ([1] if stays_until is None else [])
    assert rotation.keys.knows(1, TODAY) is (stays_until is not None)


def test_the_newest_key_never_retires_and_a_retired_one_is_left_alone() -> None:
    keys = two_keys(TODAY - 900 * DAY)
    once = rotate(keys, "card", TODAY + 2 * DAY, TODAY, lambda _day: NEVER)
    assert [key.key_id for key in once.retired] == [1]
    assert [key.key_id for key, _day in once.staying] == [2]
    later = TODAY + 500 * DAY
    again = rotate(once.keys, "card", later + 2 * DAY, later, lambda _day: NEVER)
    assert [key.key_id for key in again.retired] == [2]
    assert again.keys.signing_key(later).key_id == 3
    assert again.newest.key_id == 4


def test_a_key_stays_for_all_that_was_sold_while_it_signed_refunded_or_not(app: Flask, cast: Cast) -> None:
    sold_before = max(term.sold_ends_on for who in (cast.alice, cast.dan) for term in terms_of(who.id))
    assert last_printed_expiry(cast.today + DAY) == sold_before + 30 * DAY
    (term,) = terms_of(cast.dan.id)
    assert term.sold_ends_on == sold_before  # though it was refunded: a refund may fail, and its code be good again
    set_clock(clock.now() + 3 * DAY)
    payment = pay(cast.mallory, cast.plus, clock.today())
    end_terms_of_payment(payment.id, "refunded", clock.now(), clock.today())
    assert last_printed_expiry(cast.today + DAY) == sold_before + 30 * DAY  # sold when another key signed
    assert last_printed_expiry(clock.today() + DAY) == terms_of(cast.mallory.id)[0].sold_ends_on + 30 * DAY


@SQLITE
@pytest.mark.parametrize("ends_on", [date.max, date(2300, 1, 1), LAST_EXPIRY, LAST_EXPIRY - 29 * DAY])
def test_a_key_that_signed_a_card_for_life_stays_as_long_as_a_code_can_say(
    app: Flask, cast: Cast, keys_file: Path, ends_on: date
) -> None:
    term = db.session.query(Term).filter_by(person_id=cast.alice.id).one()
    term.ends_on = term.sold_ends_on = term.grace_ends_on = ends_on
    db.session.flush()
    assert last_printed_expiry(cast.today + DAY) == LAST_EXPIRY
    said = rotate_key(app, keys_file)
    assert f"stays until at least {LAST_EXPIRY}: the card of a membership for life may be good until then." in said[1]


@SQLITE
def test_where_nothing_was_sold_nothing_printed_is_good(app: Flask) -> None:
    assert last_printed_expiry(clock.today() + DAY) == NEVER
