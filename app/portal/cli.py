"""flask memberships explain: lives here because it reads payments too."""

from __future__ import annotations

import json

import click

from app import clock
from app.people.service import resolve_person
from app.portal.explaining import explain, today_for


@click.command("explain")
@click.argument("person")
@click.option("--as-of", metavar="DAY", help="another day than today")
@click.option("--json", "as_json", is_flag=True)
def explain_person(person: str, as_of: str | None, as_json: bool) -> None:
    """Why PERSON is a member on a day, or is not."""
    answer = explain(resolve_person(person), clock.now(), today_for(as_of))
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    line = f"{answer['person']} on {answer['as_of']}: {answer['status']}. {answer['because']}."
    click.echo(line.replace("\u00a0", " "))
    for term in answer["terms"]:
        source = term["payment"] or f"granted by {term['granted_by']}"
        click.echo(f"  {term['starts_on']} – {term['ends_on']}  {term['tier']}  {source}")


def add_to(commands: click.Group) -> None:
    """Make it `flask memberships explain`, where people look for it."""
    commands.add_command(explain_person)
