"""flask services ..."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import AppGroup

from app import clock
from app.benefits.service import get_benefit
from app.extensions import db
from app.services import keys, service
from app.services.models import Service

commands = AppGroup("services", help="Campus services that ask about members.")


@commands.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help=", ".join(service.SCOPES))
@click.option("--benefit", help="the benefit meant when a request names none")
def add(name: str, scopes: tuple[str, ...], benefit: str | None) -> None:
    """Let a service ask; prints its key, once."""
    _service, key = service.add_service(name, scopes, get_benefit(benefit) if benefit else None, clock.now())
    db.session.commit()
    click.echo(key)


@commands.command("add-key")
@click.argument("name")
@click.option("--label", default="", help="what you call this key")
def add_key(name: str, label: str) -> None:
    """A second key, to replace the first without a gap; printed once."""
    _key, secret = keys.add_key(service.get_service(name), label, clock.now())
    db.session.commit()
    click.echo(secret)


@commands.command("revoke-key")
@click.argument("name")
@click.argument("key_id", type=click.IntRange(1, 2**31 - 1))
def revoke_key(name: str, key_id: int) -> None:
    """Refuse a key from now on; `flask services list` shows the numbers. Running processes heed it within 15 s."""
    keys.revoke_key(service.get_service(name), key_id, clock.now())
    db.session.commit()
    click.echo(f"Key {key_id} is revoked; running processes refuse it within {keys.REMEMBERED} seconds.")


@commands.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_services(as_json: bool) -> None:
    """Services, what they may ask, and their live keys."""
    found = [_shown(it) for it in service.list_services()]
    if as_json:
        click.echo(json.dumps(found))
        return
    for it in found:
        click.echo(f"{it['name']}\t{' '.join(it['scopes'])}\t{it['benefit'] or '-'}")
        for key in it["keys"]:
            used = f"last used {key['last_used_at'][:16]}" if key["last_used_at"] else "never used"
            click.echo(f"  key {key['id']}\t{key['label'] or '-'}\tof {key['created_at'][:10]}\t{used}")


def _shown(it: Service) -> dict[str, Any]:
    return {
        "name": it.name, "scopes": it.scopes.split(","), "benefit": it.benefit.code if it.benefit else None,
        "keys": [
            {
                "id": key.id, "label": key.label, "created_at": key.created_at.isoformat(),
                "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
            }
            for key in keys.keys_of(it.id) if key.revoked_at is None
        ],
    }  # fmt: skip
