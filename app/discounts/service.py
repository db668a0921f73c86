"""The OpenID provider's front door: organisations that members may sign in to, and their secrets."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from app import audit
from app.discounts import rules
from app.discounts.models import OpenIdClient
from app.errors import Refusal
from app.extensions import db
from app.services.models import Service

OVERLAP = timedelta(days=1)  # in which the former secret is still good


def add_client(
    service: Service, redirect_uris: Sequence[str], scopes: Sequence[str], now: datetime
) -> tuple[OpenIdClient, str]:
    """Let members sign in to a service; answers the client and its secret, which is shown this once. Raises Refusal."""
    if db.session.execute(select(OpenIdClient).where(OpenIdClient.service_id == service.id)).first():
        raise Refusal("client_exists", _("Members can sign in to %(name)s already.", name=service.name), 409)
    if not service.has_scope("openid"):
        raise Refusal("missing_scope", _("%(name)s has no scope openid.", name=service.name), 403)
    secret = secrets.token_urlsafe(32)
    client = OpenIdClient(
        service_id=service.id, client_id=f"c-{secrets.token_hex(8)}", secret_hash=digest(secret), created_at=now,
        redirect_uris=_checked_addresses(redirect_uris), scopes=_checked_scopes(scopes),
    )  # fmt: skip
    db.session.add(client)
    db.session.flush()
    audit.record("openid_client_added", f"service:{service.id}", now, client=client.client_id, scopes=client.scopes)
    return client, secret


def change_client(
    client: OpenIdClient, redirect_uris: Sequence[str], scopes: Sequence[str], now: datetime
) -> OpenIdClient:
    """Other addresses or other scopes; what is empty stays. Connections learn no more than members allowed."""
    if redirect_uris:
        client.redirect_uris = _checked_addresses(redirect_uris)
    if scopes:
        client.scopes = _checked_scopes(scopes)
    db.session.flush()
    audit.record(
        "openid_client_changed", f"service:{client.service_id}", now, client=client.client_id, scopes=client.scopes,
        redirect_uris=client.redirect_uris,
    )  # fmt: skip
    return client


def rotate_secret(client: OpenIdClient, now: datetime, at_once: bool = False) -> str:
    """A new secret; the one before is good for a day more, or `at_once` for nothing."""
    secret = secrets.token_urlsafe(32)
    client.former_secret_hash, client.former_until = (None, None) if at_once else (client.secret_hash, now + OVERLAP)
    client.secret_hash = digest(secret)
    db.session.flush()
    audit.record("openid_secret_rotated", f"service:{client.service_id}", now, client=client.client_id, at_once=at_once)
    return secret


def end_client(client: OpenIdClient, now: datetime) -> None:
    """Nobody signs in there any more, and no token of it is good; again does nothing."""
    if client.ended_at is None:
        client.ended_at = now
        db.session.flush()
        audit.record("openid_client_ended", f"service:{client.service_id}", now, client=client.client_id)


def has_secret(client: OpenIdClient, secret: str, now: datetime) -> bool:
    sent = digest(secret)
    is_former = client.former_until is not None and now < client.former_until
    former = (client.former_secret_hash or "") if is_former else ""
    return hmac.compare_digest(sent, client.secret_hash) or hmac.compare_digest(sent, former)


def find_client(client_id: str) -> OpenIdClient | None:
    """One that has not ended."""
    if not client_id.isascii() or not client_id.isprintable():
        return None
    query = select(OpenIdClient).where(OpenIdClient.client_id == client_id, OpenIdClient.ended_at.is_(None))
    return db.session.execute(query).scalar_one_or_none()


def get_client_of(name: str) -> OpenIdClient:
    """Of the service of this name. Raises Refusal."""
    query = select(OpenIdClient).join(Service).where(Service.name == name)
    client = db.session.execute(query).scalar_one_or_none()
    if client is None:
        raise Refusal("unknown_client", _("Members cannot sign in to %(name)s.", name=repr(name)), 404)
    return client


def list_clients() -> list[OpenIdClient]:
    return list(db.session.execute(select(OpenIdClient).join(Service).order_by(Service.name)).scalars())


def digest(secret: str) -> str:
    """Fast on purpose: what is hashed is random and long."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checked_addresses(uris: Sequence[str]) -> str:
    for uri in uris:
        if not rules.is_good_redirect(uri, loopback_too=not current_app.config["PRODUCTION"]):
            detail = _("%(uri)s is no address to go back to: it must be https, whole, and without a #.", uri=repr(uri))
            raise Refusal("bad_redirect", detail)
    if not uris:
        raise Refusal("bad_redirect", _("Give the address to go back to after signing in."))
    return " ".join(dict.fromkeys(uris))


def _checked_scopes(scopes: Sequence[str]) -> str:
    unknown = [scope for scope in scopes if scope not in rules.SCOPES]
    if unknown:
        detail = _("Scopes are %(known)s; not %(unknown)s.", known=", ".join(rules.SCOPES), unknown=", ".join(unknown))
        raise Refusal("unknown_scope", detail)
    return " ".join(rules.granted(" ".join(["openid", *scopes]), rules.SCOPES))
