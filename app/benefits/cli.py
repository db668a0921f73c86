"""flask benefits ..."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import click
from flask.cli import AppGroup

from app import clock
from app.benefits import service
from app.benefits.models import Benefit
from app.benefits.words import how_often, takes_off_words
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import get_tier
from app.money import parse_amount, plain_amount

commands = AppGroup("benefits", help="What a membership entitles to.")

NOTHING = "none"  # takes away what may be missing
AMOUNTS = {"value": "value_cents", "cost": "cost_cents", "takes_off": "discount_cents"}
NUMBERS = {"percent": "discount_percent", "limit": "limit_count"}
DAYS = {"first_day": "available_from", "last_day": "available_until"}
SWITCHES = {"grace": "in_grace", "offline": "offline_ok", "codes": "by_code"}
OPTIONS = (
    click.option("--description", help="how to use it, in a sentence"),
    click.option("--kind", help="campus or partner"),
    click.option("--tier", "tiers", multiple=True, help="once for each tier that has it"),
    click.option("--grace/--no-grace", default=None, help="also in the days of grace"),
    click.option("--from", "first_day", metavar="DAY", help="the first day"),
    click.option("--until", "last_day", metavar="DAY", help="the last day"),
    click.option("--limit", metavar="NUMBER", help="how often, with --per"),
    click.option("--per", "limit_period", help="day, month or term (a year of membership)"),
    click.option("--value", help="what one use is worth to a member, such as 2.50"),
    click.option("--cost", help="what one use costs the association, such as 1.00"),
    click.option("--percent", metavar="NUMBER", help="what it takes off a price"),
    click.option("--takes-off", help="the same as an amount, such as 60.00"),
    click.option("--offline/--no-offline", default=None, help="desks count it without signal too"),
    click.option("--codes/--no-codes", default=None, help="members draw single-use codes for it"),
)


def _described(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@commands.command("add")
@click.argument("code")
@click.option("--name", required=True)
@_described
def add(code: str, name: str, tiers: tuple[str, ...], **given: Any) -> None:
    """Name something members get, such as wifi."""
    if not tiers:
        raise Refusal("no_tier", "Say which tiers have it: --tier, once for each.")
    facts = _facts(given)
    in_grace = facts.pop("in_grace", True)
    service.add_benefit(code, name, [get_tier(tier) for tier in tiers], in_grace, clock.now(), **facts)
    db.session.commit()
    click.echo(f"{name} belongs to {', '.join(tiers)}.")


@commands.command("edit")
@click.argument("code")
@click.option("--name")
@_described
def edit(code: str, name: str | None, tiers: tuple[str, ...], **given: Any) -> None:
    """Change what is given; the rest stays. "none" takes an amount, a day or a limit away."""
    benefit = service.get_benefit(code)
    facts = _facts(given) | ({"name": name} if name is not None else {})
    if not facts and not tiers:
        raise Refusal("nothing_to_change", "Say what to change, such as --limit 10 --per term.")
    service.change_benefit(benefit, clock.now(), [get_tier(tier) for tier in tiers] if tiers else None, **facts)
    db.session.commit()
    click.echo(_line(benefit))


@commands.command("close")
@click.argument("code")
def close(code: str) -> None:
    """Offer it to nobody from now on; what was used stays."""
    benefit = service.get_benefit(code)
    service.close_benefit(benefit, clock.now())
    db.session.commit()
    click.echo(f"{benefit.name} is no longer offered.")


@commands.command("reopen")
@click.argument("code")
def reopen(code: str) -> None:
    """Offer a closed one again."""
    benefit = service.get_benefit(code)
    service.reopen_benefit(benefit, clock.now())
    db.session.commit()
    click.echo(f"{benefit.name} is offered again.")


@commands.command("list")
@click.option("--all", "everything", is_flag=True, help="Those closed too.")
@click.option("--json", "as_json", is_flag=True)
def list_all(everything: bool, as_json: bool) -> None:
    """The catalogue."""
    found = [it for it in service.list_benefits() if everything or it.closed_at is None]
    if as_json:
        click.echo(json.dumps([_plain(it) for it in found], ensure_ascii=False))
        return
    for benefit in found:
        click.echo(_line(benefit))


def _facts(given: dict[str, Any]) -> dict[str, Any]:
    """What was said on the command line, by column."""
    facts: dict[str, Any] = {}
    for option, text in given.items():
        if text is None:
            continue
        column = {**AMOUNTS, **NUMBERS, **DAYS, **SWITCHES}.get(option, option)
        facts[column] = None if text == NOTHING and option not in ("description", "kind") else _read(option, text)
    if "limit_count" in facts and facts["limit_count"] is None:
        facts["limit_period"] = None
    return facts


def _read(option: str, text: Any) -> Any:
    try:
        if option in AMOUNTS:
            return parse_amount(text)
        if option in NUMBERS:
            return int(text)
        return date.fromisoformat(text) if option in DAYS else text
    except ValueError:
        wanted = "a whole number" if option in NUMBERS else "a day such as 2027-01-31"
        raise Refusal("bad_option", f"{text!r} is not {wanted}.") from None


def _line(it: Benefit) -> str:
    facts = [how_often(it), takes_off_words(it), "closed" if it.closed_at else None]
    said = ", ".join([*(tier.code for tier in it.tiers), *(fact for fact in facts if fact)])
    return f"{it.code}\t{it.name}\t{said}".replace("\u00a0", " ")


def _plain(it: Benefit) -> dict[str, Any]:
    facts = {name: getattr(it, name) for name in service.CHANGEABLE}
    amounts = {
        name.removesuffix("_cents"): None if facts.pop(name) is None else plain_amount(getattr(it, name))
        for name in AMOUNTS.values()
    }
    days = {name: day.isoformat() if (day := facts.pop(name)) else None for name in DAYS.values()}
    state = {"currency": it.currency, "closed": it.closed_at is not None, "tiers": [tier.code for tier in it.tiers]}
    return {"code": it.code, **facts, **amounts, **days, **state}
