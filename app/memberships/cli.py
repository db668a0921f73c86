"""flask memberships ... (explain lives in portal, which may read payments)."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import clock
from app.extensions import db
from app.memberships import service
from app.money import parse_amount

commands = AppGroup("memberships", help="Tiers and terms.")


@commands.command("add-tier")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--fee", required=True, help="such as 30.00")
@click.option("--months", type=int, default=12, show_default=True)
@click.option("--grace-days", type=int, default=30, show_default=True)
@click.option("--fixed-start", metavar="MM-DD", help="first day of a year that is the same for everybody")
@click.option("--bonus-days", type=int, default=0, help="who joins this close to the next year gets it too")
def add_tier(
    code: str, name: str, fee: str, months: int, grace_days: int, fixed_start: str | None, bonus_days: int
) -> None:
    """Offer a new fixed plan."""
    tier = service.add_tier(
        code, name, parse_amount(fee), clock.now(),
        months=months, grace_days=grace_days, fixed_start=fixed_start, bonus_days=bonus_days,
    )  # fmt: skip
    db.session.commit()
    click.echo(f"Tier {tier.code} ({tier.name}) is on offer for {fee} EUR.")
