"""Endpoints that services are told at, and the secrets that sign what they are told."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, or_, select, update

from app import audit, jobs, outgoing
from app.errors import Refusal
from app.extensions import db
from app.services.hook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret

EVENTS = ("membership.changed", "entitlement.changed", "card.revoked")
LONGEST_URL = 500
LARGEST_ID = 2**31 - 1  # what PostgreSQL takes
OLD_SECRET_LIVES = timedelta(days=3)


def list_endpoints() -> list[WebhookEndpoint]:
    return list(db.session.execute(select(WebhookEndpoint).order_by(WebhookEndpoint.id)).scalars())


def get_endpoint(endpoint_id: int) -> WebhookEndpoint:
    """Raises Refusal 404."""
    endpoint = db.session.get(WebhookEndpoint, endpoint_id) if endpoint_id <= LARGEST_ID else None
    if endpoint is None:
        raise Refusal("unknown_webhook", _("There is no such webhook."), 404)
    return endpoint


def add_endpoint(service_id: int, url: str, events: Sequence[str], now: datetime) -> tuple[WebhookEndpoint, str]:
    """An endpoint and its secret, which is shown this once. Raises Refusal."""
    _check(url, events)
    endpoint = WebhookEndpoint(service_id=service_id, url=url, events=_joined(events), created_at=now)
    db.session.add(endpoint)
    db.session.flush()
    audit.record("webhook_added", f"webhook:{endpoint.id}", now, service=service_id, events=endpoint.events)
    return endpoint, _new_secret(endpoint, now)


def change_endpoint(endpoint: WebhookEndpoint, url: str, events: Sequence[str], now: datetime) -> None:
    """Raises Refusal."""
    _check(url, events)
    if (endpoint.url, endpoint.events) != (url, _joined(events)):
        endpoint.url, endpoint.events = url, _joined(events)
        db.session.flush()
        audit.record("webhook_changed", f"webhook:{endpoint.id}", now, events=endpoint.events)


def rotate_secret(endpoint: WebhookEndpoint, now: datetime) -> str:
    """A new secret, shown this once. The one before it signs along for three days. Raises Refusal while two do."""
    live = _live(endpoint, now)
    if len(live) > 1:
        detail = _("Two secrets sign already. End the older one first.")
        raise Refusal("two_secrets", detail, 409)
    for old in live:
        old.ends_at = now + OLD_SECRET_LIVES
    secret = _new_secret(endpoint, now)
    audit.record("webhook_secret_rotated", f"webhook:{endpoint.id}", now)
    return secret


def end_old_secret(endpoint: WebhookEndpoint, now: datetime) -> None:
    """The newest secret signs alone from now on."""
    older = _live(endpoint, now)[:-1]
    for old in older:
        old.ends_at = now
    if older:
        db.session.flush()
        audit.record("webhook_secret_ended", f"webhook:{endpoint.id}", now)


def live_secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The newest first."""
    return [_secret(row) for row in reversed(_live(endpoint, now))]


def old_secret_ends_at(endpoint: WebhookEndpoint, now: datetime) -> datetime | None:
    """Until when a second secret signs along."""
    live = _live(endpoint, now)
    return live[0].ends_at if len(live) > 1 else None


def disable_endpoint(endpoint: WebhookEndpoint, because: str, now: datetime) -> None:
    """Try it no more until it is enabled; what happens meanwhile waits."""
    if endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_because = now, because
        db.session.flush()
        audit.record("webhook_disabled", f"webhook:{endpoint.id}", now, because=because)


def enable_endpoint(endpoint: WebhookEndpoint, with_missed: bool, now: datetime) -> None:
    """Try it again at once: with everything it has missed, or from now on only. What is not sent stays in the log."""
    was_disabled = endpoint.disabled_at is not None
    endpoint.disabled_at = endpoint.disabled_because = None
    endpoint.failing_from_at = endpoint.rests_until_at = None
    own = update(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
    if with_missed:
        missed = own.where(WebhookDelivery.state.in_(("waiting", "failed")))
        db.session.execute(missed.values(state="waiting", next_at=now, attempts=0))
    elif was_disabled:
        db.session.execute(own.where(WebhookDelivery.state == "waiting").values(state="failed", next_at=None))
    db.session.flush()
    jobs.enqueue("deliver_webhooks", now, endpoint_id=endpoint.id)
    audit.record("webhook_enabled", f"webhook:{endpoint.id}", now, with_missed=with_missed)


def remove_endpoint(endpoint: WebhookEndpoint, now: datetime) -> None:
    """The endpoint, its secrets and its log. Messages stay until they are old."""
    db.session.refresh(endpoint, with_for_update=True)
    own = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint.id)
    db.session.execute(delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(own)))
    db.session.execute(delete(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id))
    db.session.execute(delete(WebhookSecret).where(WebhookSecret.endpoint_id == endpoint.id))
    db.session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id))
    audit.record("webhook_removed", f"webhook:{endpoint.id}", now)


def _check(url: str, events: Sequence[str]) -> None:
    if not events or not set(events) <= set(EVENTS):
        raise Refusal("bad_events", _("Choose what it is told: %(events)s.", events=", ".join(EVENTS)))
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        if not whole or "@" in parts.netloc or parts.fragment or len(url) > LONGEST_URL or not _is_plain(url):
            raise ValueError
    except ValueError:
        detail = _("Give the whole address, such as https://shop.example.org/webhooks.")
        raise Refusal("bad_webhook_url", detail) from None
    try:
        outgoing.refuse_url(url, current_app.config["PRODUCTION"], current_app.config["WEBHOOK_PRIVATE_HOSTS"])
    except outgoing.ForbiddenTarget:
        detail = _("It has to be an https address of the open internet. The guide says how others are allowed.")
        raise Refusal("forbidden_webhook_url", detail) from None


def _is_plain(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url


def _joined(events: Sequence[str]) -> str:
    return ",".join(event for event in EVENTS if event in events)


def _live(endpoint: WebhookEndpoint, now: datetime) -> list[WebhookSecret]:
    """The oldest first."""
    is_live = or_(WebhookSecret.ends_at.is_(None), WebhookSecret.ends_at > now)
    query = select(WebhookSecret).where(WebhookSecret.endpoint_id == endpoint.id, is_live)
    return list(db.session.execute(query.order_by(WebhookSecret.id)).scalars())


def _new_secret(endpoint: WebhookEndpoint, now: datetime) -> str:
    row = WebhookSecret(endpoint_id=endpoint.id, seed=secrets.token_hex(16), created_at=now)
    db.session.add(row)
    db.session.flush()
    return _secret(row)


def _secret(row: WebhookSecret) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return "whsec_" + base64.b64encode(hmac.digest(key, f"webhook:{row.seed}".encode(), "sha256")).decode()
