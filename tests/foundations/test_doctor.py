"""`flask doctor` says of each part whether it is well, and what to do where it is not."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from app import clock, create_app, jobs
from app.cards.keys import CardKeys, complete, generate
from app.extensions import db
from tests.cards.wallets.authority import PASS_TYPE, Authority
from tests.command import run
from tests.databases import configuration
from tests.foundations.smtp import MailServer
from tests.verification.asking import set_clock

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def examined(app: Flask) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and by name what each check found: state and words with what to do."""
    result = run(app, "doctor")
    assert result.stderr == ""
    found: dict[str, tuple[str, str]] = {}
    name = ""
    for line in result.stdout.splitlines():
        if match := re.fullmatch(r"(well |note |wrong)  (.{14})  (.*)", line):
            name = match[2].strip()
            found[name] = (match[1].strip(), match[3])
        elif line.startswith(" " * 21 + "  → "):
            found[name] = (found[name][0], f"{found[name][1]} {line.strip()}")
    return result.exit_code, found


def test_all_is_well_where_a_worker_runs_and_wallets_are_only_a_note(app: Flask) -> None:
    jobs.tick(clock.now(), "test")
    code, found = examined(app)
    assert code == 0, found
    assert {name for name, (state, _says) in found.items() if state == "well"} == {
        "database", "assets", "worker", "card keys", "card code",
    }  # fmt: skip
    assert "migrated" in found["database"][1]
    assert found["Apple Wallet"][0] == found["Google Wallet"][0] == "note"
    assert "Set APPLE_PASS_CERTIFICATE, APPLE_PASS_KEY and APPLE_WWDR_CERTIFICATE" in found["Apple Wallet"][1]
    assert "Set GOOGLE_WALLET_ISSUER and GOOGLE_WALLET_KEY" in found["Google Wallet"][1]
    assert found["payments"][0] == found["mail"][0] == "note"


@SQLITE
def test_what_is_wrong_is_said_with_what_to_do(app: Flask) -> None:
    jobs.enqueue("nobody_handles_this", clock.now())
    for _ in range(jobs.MOST_ATTEMPTS):
        jobs.work_off(clock.now)
        db.session.execute(jobs.Job.__table__.update().values(run_at=clock.now()))
        db.session.commit()
    set_clock(clock.now().replace(year=2030))
    code, found = examined(app)
    assert code == 1
    assert found["worker"] == ("wrong", "none seen for two minutes → Start flask jobs work beside the web server.")
    assert found["jobs"][0] == "wrong" and "1 gave up" in found["jobs"][1] and "retry" in found["jobs"][1]
    assert found["clock"][0] == "note" and "flask clock reset" in found["clock"][1]


@SQLITE
def test_a_database_that_is_behind_or_away_is_named_and_ends_the_questions(
    database_url: str, instance: Path, tmp_path: Path
) -> None:
    for url, says in (
        (f"sqlite:///{tmp_path}/empty.sqlite", "Run flask db upgrade."),
        ("postgresql+psycopg://nobody:hidden@127.0.0.1:9/nothing", "Start it, or mend DATABASE_URL."),
    ):
        app = create_app(configuration(url, instance))
        result = app.test_cli_runner().invoke(args=["doctor"])
        assert result.exit_code == 1 and says in result.stdout
        assert "hidden" not in result.stdout and "worker" not in result.stdout
        assert "mail" in result.stdout and "assets" in result.stdout


@SQLITE
def test_mail_that_does_not_answer_is_wrong(database_url: str, instance: Path) -> None:
    with MailServer() as server:
        app = create_app(configuration(database_url, instance, MAIL_URL=server.url))
        with app.app_context():
            assert examined(app)[1]["mail"] == ("well", "127.0.0.1 answers")
    app = create_app(configuration(database_url, instance, MAIL_URL="smtp://127.0.0.1:9"))
    with app.app_context():
        assert examined(app)[1]["mail"] == ("wrong", "127.0.0.1 refuses: ConnectionRefusedError → Mend MAIL_URL.")


@SQLITE
def test_wallets_and_keys_that_are_set_up_are_looked_at(
    database_url: str, instance: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = Authority.make(tmp_path_factory.mktemp("authority"))
    settings = {
        **authority.apple(), **authority.google("https://oauth2.googleapis.com/token"),
        "CARD_BASE_URL": "https://a-card-address-that-is-far-too-long.example.org",
        "CARD_KEYS": complete(CardKeys([generate(1, date(2020, 1, 1))]), date(2020, 1, 1)).dump(),
    }  # fmt: skip
    app = create_app(configuration(database_url, instance, **settings))
    with app.app_context():
        jobs.tick(clock.now(), "test")
        code, found = examined(app)
        assert code == 0 and found["Apple Wallet"][0] == "well" and PASS_TYPE in found["Apple Wallet"][1]
        assert found["Google Wallet"][0] == "well"
        assert found["card code"][0] == "note" and "CARD_BASE_URL" in found["card code"][1]
        now = clock.now()
        for days, state in ((340, "note"), (366, "wrong")):
            set_clock(now.replace(microsecond=0) + (days * (clock.day_end(now.date()) - clock.day_start(now.date()))))
            assert examined(app)[1]["Apple Wallet"][0] == state, days
        db.session.remove()
        db.engine.dispose()
