"""What services are told: one message for each thing, written down with what caused it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from app import jobs
from app.extensions import db
from app.services.hook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from app.services.service import subject_for

KEPT_FOR = timedelta(days=90)
DELETED_AT_ONCE = 500
TEST = "webhook.test"


@dataclass(frozen=True)
class News:
    """Something a service is told of a person."""

    service_id: int
    person_id: int
    sequence: int
    type: str
    facts: dict[str, Any]


def tell(news: Sequence[News], now: datetime) -> None:
    """Write down what whom is to be told, for each endpoint that wants it, disabled ones too."""
    endpoints = db.session.execute(select(WebhookEndpoint).order_by(WebhookEndpoint.id)).scalars().all()
    messages, deliveries = [], []
    for item in news:
        wanting = [it for it in endpoints if it.service_id == item.service_id and item.type in it.wants]
        if wanting:
            subject = subject_for(item.service_id, item.person_id)
            data = {"subject": subject, "sequence": item.sequence, **item.facts}
            messages.append(_message(item.service_id, item.type, data, now, item.person_id, item.sequence))
            deliveries += [_delivery(it.id, messages[-1]["id"], now) for it in wanting]
    _write(messages, deliveries, now)


def send_test(endpoint: WebhookEndpoint, now: datetime) -> None:
    """A message about nobody, to this endpoint only, whatever it wants."""
    message = _message(endpoint.service_id, TEST, {"endpoint": endpoint.id}, now, None, None)
    _write([message], [_delivery(endpoint.id, message["id"], now)], now)


def erase_old(now: datetime) -> int:
    """Delete what was announced more than ninety days ago, delivered or not; answers how many messages, of some."""
    old = select(WebhookMessage.id).where(WebhookMessage.created_at < now - KEPT_FOR).limit(DELETED_AT_ONCE)
    ids = list(db.session.execute(old).scalars())
    theirs = select(WebhookDelivery.id).where(WebhookDelivery.message_id.in_(ids))
    db.session.execute(delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(theirs)))
    db.session.execute(delete(WebhookDelivery).where(WebhookDelivery.message_id.in_(ids)))
    db.session.execute(delete(WebhookMessage).where(WebhookMessage.id.in_(ids)))
    return len(ids)


def _message(
    service_id: int, kind: str, data: dict[str, Any], now: datetime, person_id: int | None, sequence: int | None
) -> dict[str, Any]:
    timestamp = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.dumps({"type": kind, "timestamp": timestamp, "data": data}, ensure_ascii=False, separators=(",", ":"))
    return {
        "id": f"msg_{secrets.token_urlsafe(16)}", "service_id": service_id, "person_id": person_id,
        "sequence": sequence, "type": kind, "body": body, "created_at": now,
    }  # fmt: skip


def _delivery(endpoint_id: int, message_id: str, now: datetime) -> dict[str, Any]:
    return {"endpoint_id": endpoint_id, "message_id": message_id, "state": "waiting", "next_at": now, "attempts": 0}


def _write(messages: list[dict[str, Any]], deliveries: list[dict[str, Any]], now: datetime) -> None:
    if messages:
        db.session.execute(insert(WebhookMessage), messages)
        db.session.execute(insert(WebhookDelivery), deliveries)
    for endpoint_id in sorted({row["endpoint_id"] for row in deliveries}):
        jobs.enqueue("deliver_webhooks", now, endpoint_id=endpoint_id)
