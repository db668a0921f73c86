"""The association's side: the shop is one of its services, with a key, a sign-in and a benefit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from app.benefits.service import get_benefit, set_partner
from app.discounts import service as openid
from app.discounts.claims import issuer
from app.errors import Refusal
from app.extensions import db
from app.services.keys import add_key, find_service_by_key, keys_of, revoke_key
from app.services.models import Service
from app.services.service import add_service, change_service, find_service
from config import replace_secret
from demo.course_shop.association import BENEFIT

NAME = "Course shop"
SCOPES = ["openid", "redeem", "verify"]
FILE = "course_shop.json"


@dataclass(frozen=True)
class Secrets:
    """What the association gave the shop; `key` is for its API, the other two for signing in."""

    issuer: str
    key: str
    client_id: str
    client_secret: str


def connect(url: str, instance: Path, now: datetime) -> Secrets:
    """The shop at `url` as the association knows it; what it was given before, and still has, stays."""
    file, benefit = instance / FILE, get_benefit(BENEFIT)
    file.touch(mode=0o600)
    kept = json.loads(file.read_text(encoding="utf-8") or "{}")
    shop = find_service(NAME) or add_service(NAME, SCOPES, benefit, now)[0]
    change_service(shop, SCOPES, benefit, now)
    set_partner(benefit, shop.id, now)
    key = _key(shop, kept.get("key", ""), now)
    client_id, secret = _client(shop, f"{url}/back", kept.get("client_secret", ""), now)
    given = Secrets(issuer(), key, client_id, secret)
    db.session.commit()
    replace_secret(file, json.dumps(asdict(given)))
    return given


def _key(shop: Service, kept: str, now: datetime) -> str:
    asking = find_service_by_key(kept)
    if asking is not None and asking.id == shop.id:
        return kept
    for live in keys_of(shop.id):  # made by add_service, or lost with the file
        revoke_key(shop, live.id, now)
    return add_key(shop, "demo", now)[1]


def _client(shop: Service, back: str, kept: str, now: datetime) -> tuple[str, str]:
    try:
        client = openid.get_client_of(shop.name)
    except Refusal:
        client, secret = openid.add_client(shop, [back], ["membership"], now)
        return client.client_id, secret
    if client.redirect_uris != back:
        openid.change_client(client, [back], [], now)
    secret = kept if openid.has_secret(client, kept, now) else openid.rotate_secret(client, now, at_once=True)
    return client.client_id, secret
