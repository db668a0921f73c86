"""flask memberships ... (explain lives in portal, which may read payments)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.memberships import service
from app.memberships.importing import CarriedOver, import_terms, read_terms
from app.memberships.rules import FOR_LIFE
from app.money import parse_amount
from app.people.service import resolve_person

commands = AppGroup("memberships", help="Tiers and terms.")
BY = "command"


@commands.command("add-tier")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--fee", required=True, help="such as 30.00")
@click.option("--months", type=int, default=12, show_default=True)
@click.option("--grace-days", type=int, default=30, show_default=True)
@click.option("--fixed-start", metavar="MM-DD", help="first day of a year that is the same for everybody")
@click.option("--bonus-days", type=int, default=0, help="who joins this close to the next year gets it too")
@click.option("--graduated-within", type=int, metavar="YEARS", help="only for those who graduated so recently")
@click.option("--needs-document", is_flag=True, help="only for those whose document was seen (seen-document)")
@click.option("--reminders", default="-30,-7,0,15", show_default=True, help="days from a term's last day")
@click.option("--vat", "vat_code", default="exempt", show_default=True, help="exempt, 0, 4, 10 or 21")
def add_tier(
    code: str, name: str, fee: str, months: int, grace_days: int, fixed_start: str | None, bonus_days: int,
    graduated_within: int | None, needs_document: bool, reminders: str, vat_code: str,
) -> None:  # fmt: skip
    """Offer a new fixed plan."""
    tier = service.add_tier(
        code, name, parse_amount(fee), clock.now(),
        months=months, grace_days=grace_days, fixed_start=fixed_start, bonus_days=bonus_days,
        graduated_within=graduated_within, needs_document=needs_document, reminders=reminders, vat_code=vat_code,
    )  # fmt: skip
    db.session.commit()
    click.echo(f"Tier {tier.code} ({tier.name}) is on offer for {fee} EUR.")


@commands.command("set-price")
@click.argument("tier_code", metavar="TIER")
@click.option("--fee", required=True, help="such as 35.00")
@click.option("--from", "from_day", required=True, metavar="DAY", help="the first day it is asked")
def set_price(tier_code: str, fee: str, from_day: str) -> None:
    """Ask another fee from a day on; offers made before keep theirs."""
    tier = service.get_tier(tier_code)
    price = service.set_price(tier, parse_amount(fee), _day(from_day), clock.now(), clock.today())
    db.session.commit()
    click.echo(f"Tier {tier.code} costs {fee} {price.currency} from {price.from_on} on.")


@commands.command("close-tier")
@click.argument("tier_code", metavar="TIER")
@click.option("--on", "on_day", required=True, metavar="DAY", help="the first day it is no longer sold")
@click.option("--successor", metavar="TIER", help="what its holders renew into")
def close_tier(tier_code: str, on_day: str, successor: str | None) -> None:
    """Sell a tier no more from a day on."""
    tier = service.get_tier(tier_code)
    after = service.get_tier(successor) if successor else None
    service.close_tier(tier, _day(on_day), after, clock.now(), clock.today())
    db.session.commit()
    then = f"its holders renew into {after.code}" if after else "its holders choose another when they renew"
    click.echo(f"Tier {tier.code} is sold no more from {tier.closed_on} on; {then}.")


@commands.command("seen-document")
@click.argument("person")
@click.argument("tier_code", metavar="TIER")
@click.option("--until", metavar="DAY", help="the last day it proves anything")
def seen_document(person: str, tier_code: str, until: str | None) -> None:
    """Note that the document a reduced fee asks for was seen."""
    found, tier = resolve_person(person), service.get_tier(tier_code)
    seen = service.record_seen_document(
        found, tier, BY, _day(until) if until else None, clock.now(), clock.today()
    )  # fmt: skip
    db.session.commit()
    until_when = f" until {seen.valid_until}" if seen.valid_until else ""
    click.echo(f"{found.member_number} may have {tier.code}{until_when}.")


@commands.command("grant")
@click.argument("person")
@click.option("--tier", "tier_code", required=True, metavar="TIER")
@click.option("--months", type=int)
@click.option("--until", metavar="DAY", help="the last day")
@click.option("--life", is_flag=True)
@click.option("--because", required=True, metavar="WHY", help="as the member will read it")
def grant(person: str, tier_code: str, months: int | None, until: str | None, life: bool, because: str) -> None:
    """Give days that nobody pays for, after those that were paid for."""
    found = resolve_person(person)
    term = service.grant(
        found.id, service.get_tier(tier_code), because=because, by=BY, now=clock.now(), today=clock.today(),
        months=months, until=_day(until) if until else None, life=life,
    )  # fmt: skip
    db.session.commit()
    last = "for life" if term.ends_on == FOR_LIFE else f"to {term.ends_on}"
    click.echo(f"{found.member_number} has {tier_code} from {term.starts_on} {last}.")


@commands.command("hold")
@click.argument("person")
@click.option("--because", required=True, metavar="WHY")
def hold(person: str, because: str) -> None:
    """Suspend somebody's membership until they are released."""
    found = resolve_person(person)
    if not because.strip():
        raise Refusal("bad_hold", "Say why.")
    is_new = service.hold_person(found, because.strip(), BY, clock.now())
    db.session.commit()
    click.echo(f"{found.member_number} is on hold{'' if is_new else ' already'}.")


@commands.command("release")
@click.argument("person")
def release(person: str) -> None:
    """End the hold on somebody; holds on the days of a disputed payment stay."""
    found = resolve_person(person)
    was_held = service.release_person(found, BY, clock.now())
    db.session.commit()
    click.echo(f"{found.member_number} is {'released' if was_held else 'not on hold'}.")


@commands.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and count; change nothing.")
def import_memberships(file: Path, dry_run: bool) -> None:
    """Carry running memberships over from an older system: everything or, when a line is wrong, nothing (exit 2).

    Columns: person (member number, email or student id), tier, ends_on (a day, or life), starts_on (may be left out).
    """
    outcome = import_terms(read_terms(file), BY, clock.now(), clock.today(), _watched)
    if outcome.refused:
        db.session.rollback()
        for line, reason in outcome.refused[:20]:
            click.echo(f"line {line}: {reason}", err=True)
        detail = f"Nothing was imported: {len(outcome.refused)} problems in {outcome.rows} rows."
        raise Refusal("import_refused", detail)
    if dry_run:
        db.session.rollback()
    else:
        db.session.commit()
    verb = "would be" if dry_run else "were"
    click.echo(f"{outcome.added} {verb} carried over, {outcome.unchanged} left as they were.")


def _watched(rows: list[CarriedOver]) -> Iterator[CarriedOver]:
    """A progress bar for somebody at a terminal, nothing for a script."""
    if not sys.stderr.isatty():
        yield from rows
        return
    with click.progressbar(rows, label="Reading memberships", file=sys.stderr) as bar:
        yield from bar


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("bad_day", f"{text!r} is not a day such as 2026-11-23.") from None
