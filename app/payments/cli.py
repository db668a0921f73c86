"""flask payments ..."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click
from flask import current_app
from flask.cli import AppGroup

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.memberships.service import get_tier
from app.money import parse_amount, plain_amount
from app.payments import gateway, hearing, ledger, manual
from app.people.service import resolve_person

commands = AppGroup("payments", help="Fees.")


@commands.command("record")
@click.option("--person", required=True, help="member number, email or id")
@click.option("--tier", "tier_code", required=True)
@click.option("--amount", required=True, help="such as 30.00")
@click.option("--method", required=True, help="transfer or cash")
@click.option("--value-date", "value_date", required=True, metavar="DAY", help="such as 2026-11-23")
@click.option("--again", is_flag=True, help="a second payment, not the same one typed twice")
def record(person: str, tier_code: str, amount: str, method: str, value_date: str, again: bool) -> None:
    """Book a fee that came by bank transfer or in cash."""
    try:
        value_on = date.fromisoformat(value_date)
    except ValueError:
        raise Refusal("bad_day", f"{value_date!r} is not a day such as 2026-11-23.") from None
    payment = manual.record_payment(
        resolve_person(person), get_tier(tier_code), parse_amount(amount), method, value_on, "command",
        current_app.config["DEFAULT_LOCALE"], clock.now(), clock.today(), again,
    )  # fmt: skip
    db.session.commit()
    free = ledger.balance_of(payment.id).unallocated_cents
    note = f" {plain_amount(free)} {payment.currency} of it is for the treasurer to decide." if free else ""
    click.echo(f"{payment.number} recorded.{note}")


@commands.command("sync")
@click.option("--since", metavar="INSTANT", help="such as 2026-11-23T10:00:00+00:00")
def sync(since: str | None) -> None:
    """Catch up with the payment provider: events missed, payments still open."""
    start: datetime | None = None
    if since:
        try:
            start = datetime.fromisoformat(since)
        except ValueError:
            raise Refusal("bad_instant", f"{since!r} is not an instant such as 2026-11-23T10:00:00+00:00.") from None
        start = start.replace(tzinfo=start.tzinfo or UTC)
    try:
        heard, looked_at = hearing.sweep(start)
    except gateway.ProviderTrouble as trouble:
        raise Refusal("provider_trouble", f"The payment provider does not answer ({trouble}). Try again.") from None
    click.echo(f"{heard} events heard, {looked_at} open payments looked at.")
