"""flask services ..."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import clock
from app.benefits.service import get_benefit
from app.extensions import db
from app.services import service

commands = AppGroup("services", help="Campus services that ask about members.")


@commands.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help=", ".join(service.SCOPES))
@click.option("--benefit", help="the benefit meant when a request names none")
def add(name: str, scopes: tuple[str, ...], benefit: str | None) -> None:
    """Let a service ask; prints its key, once."""
    _service, key = service.add_service(name, scopes, get_benefit(benefit) if benefit else None, clock.now())
    db.session.commit()
    click.echo(key)
