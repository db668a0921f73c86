"""Mail leaves by jobs only; this module hands one finished message to the server of MAIL_URL.

`smtp://user:password@host:port` (a user name is told to the server over STARTTLS only), `smtps://`, or
`file:///dir`, which keeps each message as an .eml file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app, render_template
from flask_babel import force_locale
from flask_babel.speaklater import LazyString
from flask_mailman import EmailMultiAlternatives, Mail

from app.association import get_association
from app.extensions import db

mail = Mail()


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


def send(to: str, subject: LazyString | str, template: str, locale: str, key: str, **context: object) -> None:
    """Render mail/<template>.html and .txt in `locale` and send them. Called by jobs only.

    `key` names the cause; it makes the Message-ID, so a repeated job repeats the same message rather
    than making another. Raises what the server's refusal raises; the job is tried again.
    """
    association = get_association()
    with force_locale(locale):
        heading = str(subject)
        text = render_template(f"mail/{template}.txt", subject=heading, **context)
        html = render_template(f"mail/{template}.html", subject=heading, **context)
    sender = f"{association.name} {association.kind} <{association.contact_email}>"
    db.session.rollback()  # everything is read: a slow mail server must not hold the database
    host = urlsplit(current_app.config["BASE_URL"]).hostname
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    message = EmailMultiAlternatives(
        subject=heading,
        body=text,
        from_email=sender,
        to=[to],
        headers={"Message-ID": f"<{digest}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
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
