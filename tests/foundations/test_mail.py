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
from jinja2 import UndefinedError

from app import clock, create_app, jobs, mail
from app.accounts.service import request_sign_in
from app.extensions import db
from app.jobs import Job
from app.mail import Attachment
from tests.databases import configuration
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


CODE = {"link": "http://127.0.0.1:8000/sign-in/x", "code": "1234 5678", "minutes": 15}


def test_a_mail_carries_files_and_further_headers(mailing: Flask, server: MailServer) -> None:
    receipt = Attachment("2026-000123.pdf", b"%PDF-1.4 \x00\xff", "application/pdf")
    headers = {"List-Unsubscribe": "<http://127.0.0.1:8000/stop>"}
    mail.send("alice@example.org", "sign_in", "en", "key", attachments=[receipt], headers=headers, **CODE)
    message = read(server.messages[0])
    assert message["List-Unsubscribe"] == headers["List-Unsubscribe"] and message["Auto-Submitted"] == "auto-generated"
    [part] = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == (receipt.name, receipt.mimetype)
    assert part.get_content() == receipt.content
    assert message.get_body(("plain",)) is not None and message.get_body(("html",)) is not None


def test_the_same_cause_makes_the_same_message_id_and_another_cause_another(mailing: Flask, server: MailServer) -> None:
    for key in ("receipt:1", "receipt:1", "receipt:2"):
        mail.send("alice@example.org", "sign_in", "en", key, **CODE)
    first, again, other = (read(content)["Message-ID"] for content in server.messages)
    assert first == again != other


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_letter_with_a_hole_in_it_is_not_written(app: Flask) -> None:
    with pytest.raises(UndefinedError, match="minutes"):
        mail.write("sign_in", "en", link="http://127.0.0.1:8000/", code="1234 5678")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_other_peoples_words_are_no_html(app: Flask) -> None:
    letter = mail.write("sign_in", "en", **{**CODE, "code": "<b>1234</b>"})
    assert "<b>" not in letter.html and "&lt;b&gt;1234&lt;/b&gt;" in letter.html
    assert "<b>1234</b>" in letter.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_letter_is_in_the_first_language_that_is_spoken_here(app: Flask) -> None:
    assert mail.language_of(None, "xx", "en") == "en"
    app.config["DEFAULT_LOCALE"] = "en"
    assert mail.language_of("xx", None) == "en"


def test_plain_lines_end_before_72_and_an_address_stays_whole() -> None:
    address = "http://127.0.0.1:8000/" + "x" * 80
    lines = mail.wrapped(f"{'word ' * 40}{address}\nnext 23\u00a0November\u00a02026").split("\n")
    assert all(len(line) <= 72 for line in lines if address not in line)
    assert address in lines and lines[-1] == "next 23\u00a0November\u00a02026"


def test_numbers_of_people_and_payments_do_not_break_at_their_dash() -> None:
    html = str(mail.unbroken("<of> P-2026-000123 and M-000001."))
    assert html.startswith("&lt;of&gt; <span ") and html.count("nowrap") == 2
    assert ">P-2026-000123</span> and " in html and html.endswith(">M-000001</span>.")
