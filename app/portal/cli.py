"""flask memberships explain (lives here because it reads payments too) and flask association."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app import audit, clock
from app.association import get_association
from app.errors import Refusal
from app.extensions import db
from app.people.service import is_email, resolve_person
from app.portal.explaining import explain, today_for

association = AppGroup("association", help="The association itself.")


@association.command("set")
@click.option("--name", help="such as Universitat de Montjuïc")
@click.option("--kind", help="such as Alumni")
@click.option("--contact-email", help="where members write to, and who mails come from")
def set_association(name: str | None, kind: str | None, contact_email: str | None) -> None:
    """Name the association as members read it; what is left out stays."""
    given = {"name": name, "kind": kind, "contact_email": contact_email}
    changes = {field: value.strip() for field, value in given.items() if value is not None}
    if not changes or not all(changes.values()):
        raise Refusal("nothing_to_set", "Say what to set: --name, --kind or --contact-email, none of them blank.")
    if "contact_email" in changes and not is_email(changes["contact_email"]):
        raise Refusal("bad_email", f"{changes['contact_email']!r} is not an address.")
    row = get_association(for_update=True)
    for field, value in changes.items():
        setattr(row, field, value)
    audit.record("association_changed", "association:1", clock.now(), fields=sorted(changes))
    db.session.commit()
    click.echo(f"{row.name} {row.kind}, {row.contact_email}")


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
