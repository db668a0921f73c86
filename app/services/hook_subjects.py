"""Whose subject a service was given. It is told of these people and of no others."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete, select

from app.extensions import db, insert_once
from app.services.hook_models import WebhookEndpoint, WebhookSubject
from app.services.models import Service

OF_EVERYBODY = ("members", "payments")  # scopes of services that may ask for all of them anyway


def listening() -> list[Service]:
    """The services with an endpoint."""
    query = select(Service).where(Service.id.in_(select(WebhookEndpoint.service_id))).order_by(Service.id)
    return list(db.session.execute(query).scalars())


def note_met(pairs: Iterable[tuple[int, int]]) -> None:
    """(service_id, person_id): the service was given the person's subject. Again is nothing new."""
    for service_id, person_id in pairs:
        insert_once(WebhookSubject, service_id=service_id, person_id=person_id)


def forget_met(service_id: int, person_id: int) -> None:
    """The person wants the service to hear no more of them."""
    own = (WebhookSubject.service_id == service_id) & (WebhookSubject.person_id == person_id)
    db.session.execute(delete(WebhookSubject).where(own))


def met_among(services: Collection[Service], person_ids: Collection[int]) -> dict[int, set[int]]:
    """Whom of these people each service may be told of: service_id -> person_ids."""
    query = select(WebhookSubject.service_id, WebhookSubject.person_id).where(
        WebhookSubject.service_id.in_([it.id for it in services]), WebhookSubject.person_id.in_(person_ids)
    )
    found: dict[int, set[int]] = {it.id: set() for it in services}
    for it in services:
        if any(it.has_scope(scope) for scope in OF_EVERYBODY):
            found[it.id] |= set(person_ids)
    for service_id, person_id in db.session.execute(query):
        found[service_id].add(person_id)
    return found
