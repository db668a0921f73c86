"""flask benefits ..."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.benefits import service
from app.extensions import db
from app.memberships.service import get_tier

commands = AppGroup("benefits", help="What a membership entitles to.")


@commands.command("add")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--tier", "tiers", multiple=True, required=True, help="once for each tier that has it")
@click.option("--no-grace", is_flag=True, help="not in the days of grace")
def add(code: str, name: str, tiers: tuple[str, ...], no_grace: bool) -> None:
    """Name something members get, such as wifi."""
    service.add_benefit(code, name, [get_tier(tier) for tier in tiers], in_grace=not no_grace)
    db.session.commit()
    click.echo(f"{name} belongs to {', '.join(tiers)}.")
