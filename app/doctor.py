"""`flask doctor`: is everything there that this installation needs, and if not, what to do.

Packages add checks of their own with `register`. A check reads only.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from app import clock, jobs
from app.association import get_association
from app.extensions import db, is_migrated, only_read
from app.mail import mail

ASSETS = ("bootstrap.min.css", "icons.svg", "zxing_reader.wasm", "fonts/commissioner-regular.ttf")


@dataclass(frozen=True)
class Finding:
    """`todo` says what to do about it: always when something is wrong, sometimes with a note."""

    what: str
    state: Literal["well", "note", "wrong"]
    says: str
    todo: str = ""


Check = Callable[[datetime], Iterator[Finding]]
_checks: list[Check] = []


def register(check: Check) -> None:
    """`check(now)` answers findings; it runs only where the database answers and is migrated."""
    if check not in _checks:
        _checks.append(check)


def examine() -> Iterator[Finding]:
    """Everything that can be asked, in the order in which it is mended."""
    database = _database()
    yield database
    yield _mail()
    yield _payments()
    yield _assets()
    if database.state == "wrong":
        return
    now = clock.now()
    yield from _work(now)
    yield from _clock()
    for check in _checks:
        yield from check(now)


def _database() -> Finding:
    try:
        name = db.engine.dialect.name
        if is_migrated():
            return Finding("database", "well", f"{name}, migrated")
    except SQLAlchemyError as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())[:160]
        return Finding("database", "wrong", f"does not answer: {said}", "Start it, or mend DATABASE_URL.")
    return Finding("database", "wrong", f"{name}, behind the code", "Run flask db upgrade.")


def _work(now: datetime) -> Iterator[Finding]:
    if jobs.is_worker_alive(now):
        yield Finding("worker", "well", f"seen, {jobs.count_waiting()} jobs waiting")
    else:
        yield Finding("worker", "wrong", "none seen for two minutes", "Start flask jobs work beside the web server.")
    dead = len(jobs.find_dead())
    if dead:
        todo = "Look at flask jobs list, mend the cause, then flask jobs retry ID."
        yield Finding("jobs", "wrong", f"{dead} gave up", todo)


def _clock() -> Iterator[Finding]:
    offset = get_association().clock_offset_seconds
    if offset:
        yield Finding("clock", "note", f"moved by {offset} seconds for a rehearsal", "flask clock reset ends it.")


def _mail() -> Finding:
    url = urlsplit(current_app.config["MAIL_URL"])
    if url.scheme == "file":
        todo = "Set MAIL_URL to smtp:// or smtps:// so that it leaves."
        return Finding("mail", "note", "kept as files, nobody receives it", todo)
    try:
        connection = mail.get_connection()
        connection.open()
        connection.close()
    except (OSError, smtplib.SMTPException) as error:
        return Finding("mail", "wrong", f"{url.hostname} refuses: {type(error).__name__}", "Mend MAIL_URL.")
    return Finding("mail", "well", f"{url.hostname} answers")


def _payments() -> Finding:
    key = str(current_app.config["STRIPE_SECRET_KEY"])
    if not key:
        return Finding("payments", "note", "paying online is not set up", "Set STRIPE_SECRET_KEY to have it.")
    if key.startswith(("sk_live_", "rk_live_")):
        return Finding("payments", "well", "Stripe, live")
    return Finding("payments", "note", "Stripe in test mode: no real money moves")


def _assets() -> Finding:
    vendor = Path(current_app.static_folder or "") / "vendor"
    missing = [name for name in ASSETS if not (vendor / name).is_file()]
    if missing:
        return Finding("assets", "wrong", f"missing: {', '.join(missing)}", "Run make assets.")
    return Finding("assets", "well", "the browser's files are there")


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Check this installation. Exit 0 when all is well (notes allowed), 1 when something is wrong."""
    only_read()
    found = list(examine())
    for finding in found:
        click.echo(f"{finding.state:5}  {finding.what:14}  {finding.says}")
        if finding.todo:
            click.echo(f"{'':21}  → {finding.todo}")
    wrong = sum(finding.state == "wrong" for finding in found)
    if wrong:
        click.echo(f"{wrong} to mend.")
        raise SystemExit(1)
    click.echo("All well.")
