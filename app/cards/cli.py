"""flask cards ..."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from app import audit, clock
from app.cards import service
from app.cards.keys import InvalidCardKeys
from app.cards.payload import LAST_EXPIRY
from app.cards.rotation import DAY, Rotation, last_printed_expiry, rotate
from app.errors import Refusal
from app.extensions import db
from config import replace_secret

commands = AppGroup("cards", help="Member cards.")


@commands.command("rotate-key")
@click.option("--for", "signs", type=click.Choice(["cards", "status"]), default="cards", show_default=True)
def rotate_key(signs: str) -> None:
    """Publish a new key; retire the old.

    The new one signs from the day after tomorrow on, so that every scanner knows it a whole day before. An old one
    retires when nothing it signed is good any more.
    """
    now, today = clock.now(), clock.today()
    keys = service.card_keys()
    try:
        if signs == "cards":
            rotation = rotate(keys, "card", today + 2 * DAY, today, last_printed_expiry)
        else:
            rotation = rotate(keys, "status", today + 2 * DAY, today, lambda _day: date.min)
    except InvalidCardKeys as error:
        raise Refusal("no_key_id", f"{error}.") from None
    changed = [*([rotation.newest] if rotation.is_new else []), *rotation.retired]
    path: Path | None = current_app.config["CARD_KEYS_PATH"]
    is_printed = bool(changed) and not (path and _write(path, rotation.keys.dump()))
    for line in _said(rotation, today):
        click.echo(line, err=is_printed)
    if not changed:
        return
    for key in changed:
        audit.record(
            "key_retired" if key.retired_on else "key_published", f"key:{key.kid}", now,
            first_use_on=key.first_use_on, retired_on=key.retired_on,
        )  # fmt: skip
    db.session.commit()
    if is_printed:
        click.echo("Set CARD_KEYS to this, which is secret, and restart the site and the worker today:", err=True)
        click.echo(rotation.keys.dump().replace("\n", ""))
    else:
        click.echo(f"Written to {path}. Restart the site and the worker today.")


def _said(rotation: Rotation, today: date) -> Iterator[str]:
    newest, is_new = rotation.newest, rotation.is_new
    yield f"{newest.kid} is {'new' if is_new else 'published already'} and signs from {newest.first_use_on} on."
    for key in rotation.retired:
        yield f"{key.kid} is retired: nothing it signed is good any more."
    for key, last_on in rotation.staying:
        why = "a card it signed" if key.use == "card" else "a list it signed"
        if last_on == LAST_EXPIRY:
            why = "the card of a membership for life"
        at_least = "at least " if key == rotation.keys.signing_key(today, key.use) else ""
        yield f"{key.kid} stays until {at_least}{last_on}: {why} may be good until then."


def _write(path: Path, text: str) -> bool:
    try:
        replace_secret(path, text)
    except OSError as error:
        click.echo(f"{path} cannot be written: {error.strerror}.", err=True)
        return False
    return True
