"""flask benefits partner (lives here because it reads services too)."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import clock
from app.benefits.service import get_benefit, set_partner
from app.extensions import db
from app.services.service import get_service

ITSELF = "none"


@click.command("partner")
@click.argument("code")
@click.argument("service")
def partner(code: str, service: str) -> None:
    """Say which SERVICE provides a benefit and alone redeems it; "none": the association itself."""
    benefit = get_benefit(code)
    provider = None if service == ITSELF else get_service(service)
    set_partner(benefit, provider.id if provider else None, clock.now())
    db.session.commit()
    click.echo(f"{benefit.name} is provided by {provider.name if provider else 'the association'}.")


def add_to(commands: AppGroup) -> None:
    commands.add_command(partner)
