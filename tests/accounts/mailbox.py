"""Reading the sign-in mails an application has sent into its folder, and finding whose account they open."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from app import clock, jobs
from app.accounts.models import Account
from app.extensions import db


@dataclass
class Letter:
    to: str
    link: str
    code: str


def letters(app: Flask) -> list[Letter]:
    """Every sign-in mail sent so far, oldest first; what waits is sent before looking."""
    jobs.work_off(clock.now)
    folder = Path(app.config["MAIL_FILE_PATH"])
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns) if folder.exists() else []
    return [_read(path.read_bytes()) for path in files]


def _read(content: bytes) -> Letter:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    link, code = re.search(r"(/sign-in/\S+)", text), re.search(r"\b(\d{4} \d{4})\b", text)
    assert link and code
    return Letter(message["To"], link[1], code[1])


def find_account(address: str) -> Account | None:
    return db.session.execute(select(Account).where(Account.email == address)).scalar_one_or_none()
