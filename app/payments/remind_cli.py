"""flask memberships remind (lives here because whom to remind is read from payments too)."""

from __future__ import annotations

import click
from flask_babel import ngettext

from app import clock
from app.extensions import db
from app.payments.reminding import remind
from app.people.service import get_person


@click.command("remind")
@click.option("--dry-run", is_flag=True, help="Say who would be written to, and write to nobody.")
def remind_members(dry_run: bool) -> None:
    """Order the reminders that are due; the worker sends them. It does this by itself every hour."""
    ordered = remind(clock.now(), clock.today(), dry_run)
    for it in ordered:
        click.echo(f"{get_person(it.person_id).member_number}\t{it.kind:+d} days")
    db.session.commit()
    click.echo(ngettext("%(num)s reminder.", "%(num)s reminders.", len(ordered)))


def add_to(commands: click.Group) -> None:
    """Make it `flask memberships remind`, where people look for it."""
    commands.add_command(remind_members)
