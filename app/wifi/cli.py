"""flask wifi ..."""

from __future__ import annotations

import secrets

import click
from flask.cli import AppGroup

from app.extensions import db
from app.wifi.reading_role import grant_role

commands = AppGroup("wifi", help="Campus Wi-Fi for members.")


@commands.command("grant-role")
@click.argument("name")
def grant(name: str) -> None:
    """Let a PostgreSQL role read the two views of FreeRADIUS and nothing else; prints a new role's password, once."""
    password = secrets.token_urlsafe(24)
    is_new = grant_role(name, password)
    db.session.commit()
    click.echo(password if is_new else f"{name} may read radius.radcheck and radius.radreply.")
