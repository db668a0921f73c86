"""flask memberships explain (lives here because it reads payments too) and flask association."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.people.service import resolve_person
from app.portal.explaining import explain, today_for
from app.portal.papers import change_association

association = AppGroup("association", help="The association itself.")


@association.command("set")
@click.option("--name", help="such as Universitat de Montjuïc")
@click.option("--kind", help="such as Alumni")
@click.option("--contact-email", help="where members write to, and who mails come from")
@click.option("--legal-name", help="as registered, for receipts and transfers")
@click.option("--tax-id", help="the NIF")
@click.option("--address", help="the postal address")
@click.option("--iban", help="where transfers go")
@click.option("--bic", help="of that bank")
@click.option("--withdrawal-days", help="after paying online, in which a buyer may take it back")
@click.option("--renewal-notice-days", help="before an automatic renewal, when it is announced")
@click.option("--scan-days", help="after which who was checked where is erased; totals stay")
def set_association(**given: str | None) -> None:
    """Say who the association is; what is left out stays, a blank takes away what may be missing."""
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise Refusal("nothing_to_set", "Say what to set, such as --name or --iban.")
    row = change_association(changes, clock.now())
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
    known = answer["known_then"]
    if known != {field: answer[field] for field in known}:
        until = f"until {known['valid_until']}" if known["valid_until"] or known["tier"] is None else "for life"
        click.echo(f"  as it was known then: {known['status']}, tier {known['tier']}, {until}")
    for term in answer["terms"]:
        source = term["payment"] or f"granted by {term['granted_by']}"
        ended = f"  ({term['ended_because']})" if term["ended_because"] else ""
        last = f"– {term['ends_on']}" if term["ends_on"] else "for life"
        click.echo(f"  {term['starts_on']} {last}  {term['tier']}  {source}{ended}")


def add_to(commands: click.Group) -> None:
    """Make it `flask memberships explain`, where people look for it."""
    commands.add_command(explain_person)
