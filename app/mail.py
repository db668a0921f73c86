"""Mail leaves by jobs only; this module writes a letter and hands it to the server of MAIL_URL.

`smtp://user:password@host:port` (a user name is told to the server over STARTTLS only), `smtps://`, or
`file:///dir`, which keeps each message as an .eml file.

What a letter says stands once, in templates/mail/<name>.txt; frames/letter.html and .txt lay it out.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app
from flask_babel import force_locale
from flask_mailman import EmailMultiAlternatives, Mail
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from app.association import get_association
from app.extensions import db

mail = Mail()
LINE = 72
PARTS = ("subject", "heading", "text", "why")
MORE_PARTS = ("code", "quote", "rows", "button", "url", "after", "stop_url")  # what a letter may leave out


@dataclass(frozen=True)
class Letter:
    """What leaves: the subject and the same words twice."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes
    mimetype: str


def init_mail(app: Flask) -> None:
    """Translate MAIL_URL for Flask-Mailman."""
    url = urlsplit(app.config["MAIL_URL"])
    if url.scheme == "file":
        app.config["MAIL_FILE_PATH"] = unquote(url.path)
    else:
        app.config.update(
            MAIL_SERVER=url.hostname or "localhost",
            MAIL_PORT=url.port or (465 if url.scheme == "smtps" else 25),
            MAIL_USE_SSL=url.scheme == "smtps",
            MAIL_USE_TLS=url.scheme == "smtp" and bool(url.username),
            MAIL_USERNAME=unquote(url.username or "") or None,
            MAIL_PASSWORD=unquote(url.password or "") or None,
            MAIL_TIMEOUT=20,
        )
    mail.init_app(app)
    # A letter with a hole in it must not leave: its job fails instead, and people see that.
    app.extensions["letters"] = app.jinja_env.overlay(undefined=StrictUndefined)
    app.jinja_env.filters.update(wrapped=wrapped, grouped=grouped, unbroken=unbroken)


def wrapped(text: str) -> str:
    """Lines of at most 72 characters, each paragraph by itself; no-break spaces hold."""
    return "\n".join(
        textwrap.fill(line, LINE, break_long_words=False, break_on_hyphens=False) for line in text.splitlines()
    )


def grouped(code: str) -> str:
    """An IBAN or a reference in fours, as banks print them."""
    return " ".join(code[i : i + 4] for i in range(0, len(code), 4))


def unbroken(text: str) -> Markup:
    """HTML in which no member's or payment's number breaks at its dash."""
    whole = Markup('<span style="white-space:nowrap">{}</span>')
    parts = re.split(r"(\b[MP]-[\d-]+)", text)
    return Markup("").join(whole.format(part) if index % 2 else part for index, part in enumerate(parts))


def language_of(*wishes: str | None) -> str:
    """The first of these languages that letters are written in; else the association's own."""
    spoken = current_app.extensions["languages"]
    known = (wish for wish in wishes if wish is not None and wish in spoken)
    return next(known, str(current_app.config["DEFAULT_LOCALE"]))


def write(name: str, locale: str, **facts: Any) -> Letter:
    """The letter templates/mail/<name>.txt in `locale`. A fact it asks for and is not given is an error."""
    letters: Environment = current_app.extensions["letters"]
    given = {**facts, "association": get_association(), "lang": locale}
    with force_locale(locale):
        said = vars(letters.get_template(f"mail/{name}.txt").make_module(given))
        parts = {part: said[part] for part in PARTS} | {part: said.get(part) for part in MORE_PARTS}
        text = letters.get_template("mail/frames/letter.txt").render(given | parts)
        html = letters.get_template("mail/frames/letter.html").render(given | parts)
    return Letter(" ".join(parts["subject"].split()), re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", html)


def send(
    to: str, name: str, locale: str, key: str, *, attachments: Sequence[Attachment] = (),
    headers: Mapping[str, str] | None = None, **facts: Any,
) -> None:  # fmt: skip
    """Write the letter `name` in `locale` and send it. Called by jobs only.

    `key` names the cause; it makes the Message-ID, so a repeated job repeats the same message rather
    than making another. Raises what the server's refusal raises; the job is tried again.
    """
    letter = write(name, locale, **facts)
    association = get_association()
    sender = f"{association.name} {association.kind} <{association.contact_email}>"
    db.session.rollback()  # everything is read: a slow mail server must not hold the database
    host = urlsplit(current_app.config["BASE_URL"]).hostname
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=sender,
        to=[to],
        headers={"Message-ID": f"<{digest}@{host}>", "Auto-Submitted": "auto-generated", **(headers or {})},
    )
    message.attach_alternative(letter.html, "text/html")
    for attachment in attachments:
        message.attach(attachment.name, attachment.content, attachment.mimetype)
    folder = current_app.config.get("MAIL_FILE_PATH")
    if folder:
        _keep(Path(folder), digest, message.message().as_bytes())
    else:
        with mail.get_connection() as connection:
            connection.send_messages([message])


def _keep(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}"
    draft.write_bytes(content)
    draft.replace(folder / f"{name}.eml")
