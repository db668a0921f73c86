"""How each delivery goes: waiting, delivered, or failed until somebody sends it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import joinedload

from app import audit, jobs
from app.errors import Refusal
from app.extensions import db
from app.services.delivering import Outcome
from app.services.hook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.services.hooks import LARGEST_ID, disable_endpoint, live_secrets

_HOUR = timedelta(hours=1)
AGAIN_AFTER = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR,
    20 * _HOUR, 24 * _HOUR,
)  # fmt: skip
TRIES = len(AGAIN_AFTER) + 1  # in three days and four hours
CLAIMED_FOR = timedelta(minutes=2)  # a worker that has not said by then how it went is dead
SHORTEST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=30)
WAS_DOWN = timedelta(minutes=10)  # less is one message that is refused, perhaps
FAILING_FOR = timedelta(days=3)


@dataclass(frozen=True)
class Claimed:
    """A delivery that is this worker's for two minutes; plain values, for the call is outside any transaction."""

    delivery_id: int
    endpoint_id: int
    url: str
    secrets: list[str]
    message_id: str
    body: str


def claim(endpoint_id: int, now: datetime) -> Claimed | None:
    """The next delivery that is due, those tried least first, and count the try; None: nothing is, or it rests."""
    endpoint = db.session.get(WebhookEndpoint, endpoint_id)
    if endpoint is None or endpoint.disabled_at or (endpoint.rests_until_at and endpoint.rests_until_at > now):
        return None
    due = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.next_at <= now)
    query = due.order_by(WebhookDelivery.attempts, WebhookDelivery.id).limit(1).with_for_update(skip_locked=True)
    while (delivery := db.session.execute(query).scalar_one_or_none()) is not None:
        if delivery.attempts < TRIES:
            delivery.attempts += 1
            delivery.next_at = now + CLAIMED_FOR
            db.session.flush()
            message = delivery.message
            secrets = live_secrets(endpoint, now)
            return Claimed(delivery.id, endpoint_id, endpoint.url, secrets, message.id, message.body)
        delivery.state, delivery.next_at = "failed", None  # its last try took a worker down
        db.session.flush()
    return None


def note(claimed: Claimed, outcome: Outcome, now: datetime) -> None:
    """Write down how a try went, and when the next one is."""
    endpoint = db.session.get(WebhookEndpoint, claimed.endpoint_id, with_for_update=True)  # before what is its own
    delivery = db.session.get(WebhookDelivery, claimed.delivery_id, with_for_update=True)
    if endpoint is None or delivery is None:  # removed meanwhile
        return
    db.session.add(
        WebhookAttempt(
            delivery_id=delivery.id, at=now, reason=outcome.reason, status=outcome.status,
            milliseconds=outcome.milliseconds, answer=outcome.answer,
        )
    )  # fmt: skip
    if outcome.reason == "delivered":
        delivery.state, delivery.next_at, delivery.delivered_at = "delivered", None, now
        if endpoint.failing_from_at is not None and now - endpoint.failing_from_at >= WAS_DOWN:
            _bring_forward(endpoint.id, now)
        endpoint.failing_from_at = endpoint.rests_until_at = None
        return
    if delivery.state == "waiting":
        if delivery.attempts < TRIES:
            delivery.next_at = now + AGAIN_AFTER[max(delivery.attempts, 1) - 1]
        else:
            delivery.state, delivery.next_at = "failed", None
    _rest(endpoint, outcome.reason == "gone", now)


def _bring_forward(endpoint_id: int, now: datetime) -> None:
    """It is back: what waits for hours because of that waits no longer. What another worker has claimed is let be."""
    waits = (WebhookDelivery.endpoint_id == endpoint_id) & (WebhookDelivery.next_at > now + CLAIMED_FOR)
    db.session.execute(update(WebhookDelivery).where(waits).values(next_at=now))


def _rest(endpoint: WebhookEndpoint, is_gone: bool, now: datetime) -> None:
    """Leave an endpoint alone for a while, the longer it has failed; after three days until somebody looks at it."""
    failing_from = endpoint.failing_from_at or now
    rest = min(max((now - failing_from) / 4, SHORTEST_REST), LONGEST_REST)
    endpoint.failing_from_at, endpoint.rests_until_at = failing_from, now + rest
    if endpoint.disabled_at is None and (is_gone or now - failing_from >= FAILING_FOR):
        disable_endpoint(endpoint, "gone" if is_gone else "failing", now)
        jobs.enqueue("tell_of_disabled_webhook", now, endpoint_id=endpoint.id)


def due_endpoints(now: datetime) -> list[int]:
    """Those that something waits for now and that may be called."""
    resting = or_(WebhookEndpoint.rests_until_at.is_(None), WebhookEndpoint.rests_until_at <= now)
    query = (
        select(WebhookEndpoint.id)
        .join(WebhookDelivery, WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        .where(WebhookDelivery.next_at <= now, WebhookEndpoint.disabled_at.is_(None), resting)
    )
    return list(db.session.execute(query.distinct().order_by(WebhookEndpoint.id)).scalars())


def resend(delivery: WebhookDelivery, now: datetime) -> None:
    """Send it at once, delivered before or not, with the tries of a new one. Its id and body stay."""
    endpoint = delivery.endpoint
    if endpoint.disabled_at is not None:
        raise Refusal("webhook_disabled", _("It is disabled. Enable it first."), 409)
    delivery.state, delivery.next_at, delivery.delivered_at, delivery.attempts = "waiting", now, None, 0
    endpoint.rests_until_at = endpoint.failing_from_at = None
    db.session.flush()
    audit.record("webhook_resent", f"webhook:{endpoint.id}", now, delivery=delivery.id)
    jobs.enqueue("deliver_webhooks", now, endpoint_id=endpoint.id)


def get_delivery(delivery_id: int) -> WebhookDelivery:
    """Raises Refusal 404."""
    delivery = db.session.get(WebhookDelivery, delivery_id) if delivery_id <= LARGEST_ID else None
    if delivery is None:
        raise unknown_delivery()
    return delivery


def unknown_delivery() -> Refusal:
    return Refusal("unknown_delivery", _("There is no such delivery."), 404)


def deliveries_of(service_id: int, limit: int = 20) -> list[WebhookDelivery]:
    """The newest deliveries of a service, to whichever endpoint; with `.message` and `.endpoint`."""
    own = _newest().join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
    query = own.where(WebhookEndpoint.service_id == service_id)
    return list(db.session.execute(query.limit(limit)).scalars())


def deliveries_to(endpoint_id: int, state: str | None, page: int, size: int) -> tuple[list[WebhookDelivery], bool]:
    """A page of an endpoint's log, the newest first, and whether there is more."""
    query = _newest().where(WebhookDelivery.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    found = list(db.session.execute(query.offset(page * size).limit(size + 1)).scalars())
    return found[:size], len(found) > size


def attempts_of(delivery_ids: Sequence[int]) -> dict[int, list[WebhookAttempt]]:
    """The tries of each delivery, the first one first."""
    found: dict[int, list[WebhookAttempt]] = {delivery_id: [] for delivery_id in delivery_ids}
    query = select(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(delivery_ids)).order_by(WebhookAttempt.id)
    for attempt in db.session.execute(query).scalars():
        found[attempt.delivery_id].append(attempt)
    return found


def count_by_state() -> dict[int, dict[str, int]]:
    """Deliveries of each endpoint by state."""
    counted: dict[int, dict[str, int]] = {}
    query = select(WebhookDelivery.endpoint_id, WebhookDelivery.state, func.count())
    for endpoint_id, state, count in db.session.execute(query.group_by(*query.selected_columns[:2])):
        counted.setdefault(endpoint_id, {})[state] = count
    return counted


def _newest() -> Select[WebhookDelivery]:
    return select(WebhookDelivery).options(joinedload(WebhookDelivery.message)).order_by(WebhookDelivery.id.desc())
