"""What leaves by mail, as whoever gets it reads it."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from flask import current_app

from app import clock, jobs
from app.extensions import db


class Mailbox:
    """The folder that an application without a mail server writes to."""

    def __init__(self) -> None:
        self.folder = Path(current_app.config["MAIL_FILE_PATH"])

    def all(self) -> list[EmailMessage]:
        found = []
        for file in sorted(self.folder.glob("*.eml")):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found

    def empty(self) -> None:
        for file in self.folder.glob("*.eml"):
            file.unlink()

    def after(self, job: str, **arguments: object) -> list[EmailMessage]:
        """What `job` sends, done twice: the worker died before it could say that it had done it."""
        db.session.commit()
        db.session.query(jobs.Job).delete()  # what else was ordered is not asked about
        self.empty()
        for _ in range(2):
            jobs.enqueue(job, clock.now(), **arguments)
            db.session.commit()
            assert jobs.work_off(clock.now) == 1
        waiting = db.session.query(jobs.Job).filter(jobs.Job.name == job, jobs.Job.state != "done").all()
        assert waiting == [], waiting[0].last_error
        return self.all()

    def only(self, job: str, **arguments: object) -> EmailMessage:
        [letter] = self.after(job, **arguments)
        return letter


def text_of(letter: EmailMessage) -> str:
    """The plain words with single spaces, so that where a line breaks does not matter."""
    body = letter.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def html_of(letter: EmailMessage) -> str:
    body = letter.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def files_of(letter: EmailMessage) -> dict[str, bytes]:
    return {str(part.get_filename()): part.get_content() for part in letter.iter_attachments()}


def day(value: object) -> str:
    """The day as letters write it in English, with plain spaces."""
    return f"{value.day} {value:%B %Y}"  # type: ignore[attr-defined]
