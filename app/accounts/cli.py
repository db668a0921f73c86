"""flask accounts ..."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from app import clock
from app.accounts import service
from app.extensions import db

commands = AppGroup("accounts", help="Sign-ins and roles.")


@commands.command("invite")
@click.argument("email")
@click.option("--role", required=True, help="admin, treasurer, scanner or member")
def invite(email: str, role: str) -> None:
    """Open an account, give it a role and print a sign-in link that works once within seven days."""
    token = service.invite(email, role, clock.now())
    db.session.commit()
    click.echo(f"{current_app.config['BASE_URL']}/sign-in/{token}")
