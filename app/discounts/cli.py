"""flask openid ..."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from app import audit, clock
from app.discounts import keys, rules, service
from app.discounts.claims import issuer
from app.extensions import db
from app.services.service import get_service
from config import replace_secret

commands = AppGroup("openid", help="Signing in to a partner's site with a membership.")
_SCOPES = f"what it may learn: {', '.join(rules.SCOPES[1:])}"


@commands.command("add-client")
@click.argument("name", metavar="SERVICE")
@click.option("--redirect-uri", "redirect_uris", multiple=True, required=True, help="where people go back to, exactly")
@click.option("--scope", "scopes", multiple=True, default=["membership"], show_default=True, help=_SCOPES)
def add_client(name: str, redirect_uris: tuple[str, ...], scopes: tuple[str, ...]) -> None:
    """Let members sign in to a service; prints its secret, once."""
    client, secret = service.add_client(get_service(name), redirect_uris, scopes, clock.now())
    client_id = client.client_id
    db.session.commit()
    click.echo(f"Issuer  {issuer()}")
    click.echo(f"Client  {client_id}")
    click.echo(f"Secret  {secret}")


@commands.command("change-client")
@click.argument("name", metavar="SERVICE")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="all of them, in place of those before")
@click.option("--scope", "scopes", multiple=True, help=_SCOPES)
def change_client(name: str, redirect_uris: tuple[str, ...], scopes: tuple[str, ...]) -> None:
    """Other addresses or scopes for a service."""
    client = service.change_client(service.get_client_of(name), redirect_uris, scopes, clock.now())
    said = f"{name} may send people back to {client.redirect_uris} and learn {client.scopes}."
    db.session.commit()
    click.echo(said)


@commands.command("rotate-secret")
@click.argument("name", metavar="SERVICE")
@click.option("--at-once", is_flag=True, help="the one before ends now, not in a day")
def rotate_secret(name: str, at_once: bool) -> None:
    """A new secret for a service, printed once."""
    secret = service.rotate_secret(service.get_client_of(name), clock.now(), at_once)
    db.session.commit()
    click.echo(secret)


@commands.command("end-client")
@click.argument("name", metavar="SERVICE")
def end_client(name: str) -> None:
    """Nobody signs in there any more."""
    service.end_client(service.get_client_of(name), clock.now())
    db.session.commit()
    click.echo(f"Nobody signs in to {name} any more.")


@commands.command("list")
def list_clients() -> None:
    """Where members may sign in."""
    for it in service.list_clients():
        ended = "\tended" if it.ended_at else ""
        click.echo(f"{it.service.name}\t{it.client_id}\t{it.scopes}\t{it.redirect_uris}{ended}")


@commands.command("rotate-key")
def rotate_key() -> None:
    """Publish a new signing key, used from the day after tomorrow on; drop those no longer needed."""
    now, today = clock.now(), clock.today()
    before = keys.openid_keys()
    after = before.rotated(today)
    path: Path | None = current_app.config["OIDC_KEYS_PATH"]
    newest, gone = after.all[-1], [key.kid for key in before.all if key not in after.all]
    if newest in before.all and not gone:
        click.echo(f"{newest.kid} is published already and signs from {newest.first_use_on} on.")
        return
    is_written = path is not None and _write(path, after.dump())
    audit.record("openid_key_rotated", f"key:{newest.kid}", now, first_use_on=newest.first_use_on, gone=",".join(gone))
    db.session.commit()
    click.echo(f"{newest.kid} signs from {newest.first_use_on} on.", err=not is_written)
    if is_written:
        click.echo(f"Written to {path}. Restart the site today.")
    else:
        click.echo("Set OIDC_KEYS to this, which is secret, and restart the site today:", err=True)
        click.echo(after.dump())


def _write(path: Path, text: str) -> bool:
    try:
        replace_secret(path, text)
    except OSError as error:
        click.echo(f"{path} cannot be written: {error.strerror}.", err=True)
        return False
    return True
