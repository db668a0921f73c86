"""Mail leaves by jobs, is tried again when the server refuses, and never holds the database."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import clock, create_app, jobs
from app.accounts.service import request_sign_in
from app.extensions import db
from app.jobs import Job
from tests.conftest import configuration
from tests.foundations.smtp import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def mailing(app: Flask, server: MailServer, database_url: str, instance: Path) -> Iterator[Flask]:
    """The application with that server as its own."""
    mailing = create_app(configuration(database_url, instance, MAIL_URL=server.url))
    db.session.remove()
    with mailing.app_context():
        yield mailing
        db.session.remove()
        db.engine.dispose()


def ask(address: str = "alice@example.org") -> Job:
    request_sign_in(address, "browser", "/", "en", clock.now())
    db.session.commit()
    return db.session.execute(sa.select(Job)).scalar_one()


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_mail_waits_for_the_worker_and_is_sent_once(mailing: Flask, server: MailServer) -> None:
    job = ask()
    assert server.messages == []
    assert jobs.work_off(clock.now) == 1
    assert jobs.work_off(clock.now) == 0
    assert len(server.messages) == 1 and job.state == "done"
    message = read(server.messages[0])
    assert message["To"] == "alice@example.org"
    assert message["From"] == "Universitat de Montjuïc Alumni <alumni@example.org>"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None and html is not None
    for body in (plain, html):
        assert "http://127.0.0.1:8000/sign-in/" in body.get_content()


def test_a_server_that_refuses_is_asked_again_later_and_nothing_is_lost(mailing: Flask, server: MailServer) -> None:
    server.refusing = True
    job = ask()
    jobs.work_off(clock.now)
    assert (job.state, job.attempts, server.tries, server.messages) == ("waiting", 1, 1, [])
    assert job.run_at > clock.now()
    assert jobs.work_off(clock.now) == 0  # not before its time
    server.refusing = False
    job.run_at = clock.now()
    db.session.commit()
    jobs.work_off(clock.now)
    assert (job.state, len(server.messages)) == ("done", 1)


def test_what_is_kept_of_a_refusal_names_nobody(mailing: Flask, server: MailServer) -> None:
    server.refusing = True
    job = ask("canary@example.org")
    jobs.work_off(clock.now)
    assert job.last_error is not None and job.last_error.startswith("SMTPRecipientsRefused in app/mail.py:")
    assert "canary" not in job.last_error


def test_a_server_that_is_down_is_tried_again(mailing: Flask, server: MailServer) -> None:
    server.__exit__(None, None, None)
    job = ask()
    jobs.work_off(clock.now)
    assert (job.state, job.attempts) == ("waiting", 1)


def test_a_slow_mail_server_does_not_hold_the_database(mailing: Flask, server: MailServer, database_url: str) -> None:
    others: list[str] = []

    def write_meanwhile() -> None:
        engine = sa.create_engine(database_url, connect_args={"timeout": 1} if "sqlite" in database_url else {})
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE association SET kind = 'Alumnae'"))
            if engine.dialect.name == "postgresql":
                idle = (
                    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"
                )
                assert connection.execute(sa.text(idle)).scalar_one() == 0
        engine.dispose()
        others.append("wrote")

    server.on_message = write_meanwhile
    ask()
    jobs.work_off(clock.now)
    assert others == ["wrote"]


def test_a_mail_repeated_after_a_crash_is_recognised_as_the_same(mailing: Flask, server: MailServer) -> None:
    job = ask()
    jobs.work_off(clock.now)
    job.state, job.done_at = "waiting", None
    db.session.commit()
    jobs.work_off(clock.now)
    first, second = (read(content)["Message-ID"] for content in server.messages)
    assert first == second


def test_without_a_server_each_mail_becomes_one_file(app: Flask, tmp_path: Path) -> None:
    ask()
    jobs.work_off(clock.now)
    kept = list((tmp_path / "mail").iterdir())
    assert len(kept) == 1 and kept[0].suffix == ".eml"
    assert read(kept[0].read_bytes())["To"] == "alice@example.org"
