"""flask webhooks ..."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.services import hook_log, hook_messages, hooks
from app.services.hook_models import WebhookDelivery
from app.services.models import Service

commands = AppGroup("webhooks", help="Where services are told of changes.")
NUMBER = click.IntRange(1, hooks.LARGEST_ID)


@commands.command("add")
@click.argument("service")
@click.argument("url")
@click.option("--event", "events", multiple=True, help=f"{', '.join(hooks.EVENTS)}; all when left out")
def add(service: str, url: str, events: tuple[str, ...]) -> None:
    """Tell SERVICE at URL; prints the secret that signs, once."""
    found = db.session.execute(select(Service).where(Service.name == service)).scalar_one_or_none()
    if found is None:
        raise Refusal("unknown_service", f"There is no service {service!r}.")
    _endpoint, secret = hooks.add_endpoint(found.id, url, events or hooks.EVENTS, clock.now())
    db.session.commit()
    click.echo(secret)


@commands.command("list")
def list_endpoints() -> None:
    """Every endpoint and how much waits or failed."""
    counts = hook_log.count_by_state()
    for it in hooks.list_endpoints():
        own = counts.get(it.id, {})
        state = f"disabled ({it.disabled_because})" if it.disabled_at else "failing" if it.failing_from_at else "well"
        said = f"{own.get('waiting', 0)} waiting, {own.get('failed', 0)} failed, {own.get('delivered', 0)} delivered"
        click.echo(f"{it.id}\t{it.service.name}\t{it.url}\t{it.events}\t{state}\t{said}")


@commands.command("log")
@click.argument("endpoint_id", type=NUMBER)
@click.option("--state", type=click.Choice(["waiting", "delivered", "failed"]))
@click.option("--last", default=20, type=click.IntRange(1, 1000))
def log(endpoint_id: int, state: str | None, last: int) -> None:
    """The last deliveries of an endpoint, the newest first, each with its last try."""
    rows, _has_more = hook_log.deliveries_to(hooks.get_endpoint(endpoint_id).id, state, 0, last)
    attempts = hook_log.attempts_of([row.id for row in rows])
    for row in rows:
        tried = attempts[row.id][-1:]
        how = "not tried yet"
        for it in tried:
            how = f"{it.at:%Y-%m-%d %H:%M:%S}Z {it.reason} {it.status or ''}"
        click.echo(f"{row.id}\t{row.message.type}\t{row.message_id}\t{row.state}\t{row.attempts} tries\t{how}".rstrip())


@commands.command("resend")
@click.argument("delivery_ids", type=NUMBER, nargs=-1)
@click.option("--failed-of", "endpoint_id", type=NUMBER, help="everything of this endpoint that failed")
def resend(delivery_ids: tuple[int, ...], endpoint_id: int | None) -> None:
    """Send deliveries again, by their numbers in the log. Ids and bodies stay as they were."""
    deliveries = [hook_log.get_delivery(delivery_id) for delivery_id in delivery_ids]
    if endpoint_id is not None:
        own = (WebhookDelivery.endpoint_id == hooks.get_endpoint(endpoint_id).id) & (WebhookDelivery.state == "failed")
        deliveries += db.session.execute(select(WebhookDelivery).where(own).order_by(WebhookDelivery.id)).scalars()
    now = clock.now()
    for delivery in deliveries:
        hook_log.resend(delivery, now)
    db.session.commit()
    click.echo(f"{len(deliveries)} on their way again.")


@commands.command("test")
@click.argument("endpoint_id", type=NUMBER)
def test(endpoint_id: int) -> None:
    """Send a message about nobody."""
    hook_messages.send_test(hooks.get_endpoint(endpoint_id), clock.now())
    db.session.commit()
    click.echo(f"On its way: flask webhooks log {endpoint_id} shows how it went.")


@commands.command("rotate")
@click.argument("endpoint_id", type=NUMBER)
@click.option("--end-old", is_flag=True, help="only end the older of two secrets")
def rotate(endpoint_id: int, end_old: bool) -> None:
    """A new secret, printed once; the old one signs along for three days."""
    endpoint, now = hooks.get_endpoint(endpoint_id), clock.now()
    if end_old:
        hooks.end_old_secret(endpoint, now)
        said = "The older secret signs no more."
    else:
        said = hooks.rotate_secret(endpoint, now)
    db.session.commit()
    click.echo(said)


@commands.command("enable")
@click.argument("endpoint_id", type=NUMBER)
@click.option("--with-missed", is_flag=True, help="and send everything it has missed")
def enable(endpoint_id: int, with_missed: bool) -> None:
    """Try an endpoint again that was disabled."""
    hooks.enable_endpoint(hooks.get_endpoint(endpoint_id), with_missed, clock.now())
    db.session.commit()
    click.echo("Enabled.")
