"""Who allowed which organisation to learn what about them, and the end of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import Select, func, select, update

from app import audit
from app.accounts.models import Account, AccountPerson
from app.discounts.models import OpenIdClient, OpenIdConnection, OpenIdToken
from app.errors import Refusal
from app.extensions import db, insert_once
from app.services.hook_subjects import forget_met, note_met

LIFE = timedelta(days=365)  # then the person is asked again


def find_connection(client: OpenIdClient, person_id: int, now: datetime) -> OpenIdConnection | None:
    """The live one."""
    found = db.session.execute(_not_ended(client.id, person_id)).scalar_one_or_none()
    return found if found is not None and is_live(found, now) else None


def allow(client: OpenIdClient, person_id: int, scopes: Sequence[str], now: datetime) -> OpenIdConnection:
    """A person lets an organisation learn `scopes`, besides what they allowed it before; from now on for a year."""
    insert_once(
        OpenIdConnection, client_id=client.id, person_id=person_id, scopes="", allowed_at=now, expires_at=now,
    )  # fmt: skip
    locked = _not_ended(client.id, person_id).with_for_update().execution_options(populate_existing=True)
    connection = db.session.execute(locked).scalar_one()
    before = connection.scopes.split() if is_live(connection, now) else []
    connection.scopes = " ".join(dict.fromkeys([*before, *scopes]))
    connection.allowed_at, connection.expires_at = now, now + LIFE
    db.session.flush()
    audit.record(
        "connection_allowed", f"person:{person_id}", now, service=client.service_id, scopes=connection.scopes
    )  # fmt: skip
    note_met([(client.service_id, person_id)])
    return connection


def end_connection(person_id: int, connection_id: int, now: datetime) -> OpenIdConnection:
    """Nothing made from it is good any more; again does nothing. Raises Refusal 404 for somebody else's."""
    connection = db.session.get(OpenIdConnection, connection_id, with_for_update=True)
    if connection is None or connection.person_id != person_id:
        raise Refusal("unknown_connection", _("There is no such connection."), 404)
    if connection.ended_at is None:
        connection.ended_at = now
        is_open = (OpenIdToken.connection_id == connection.id) & OpenIdToken.revoked_at.is_(None)
        db.session.execute(update(OpenIdToken).where(is_open).values(revoked_at=now))
        db.session.flush()
        forget_met(connection.client.service_id, person_id)
        audit.record("connection_ended", f"person:{person_id}", now, service=connection.client.service_id)
    return connection


def connections_of(person_id: int, now: datetime) -> list[OpenIdConnection]:
    """A person's live ones, the newest first."""
    query = select(OpenIdConnection).where(OpenIdConnection.person_id == person_id)
    found = db.session.execute(query.order_by(OpenIdConnection.id.desc())).scalars()
    return [connection for connection in found if is_live(connection, now)]


def is_live(connection: OpenIdConnection, now: datetime) -> bool:
    if connection.ended_at is not None or connection.client.ended_at is not None or now >= connection.expires_at:
        return False
    owner = select(Account.disabled_at).join(AccountPerson).where(AccountPerson.person_id == connection.person_id)
    return db.session.execute(owner).scalar_one_or_none() is None


def count_by_client(now: datetime) -> dict[int, tuple[int, datetime | None]]:
    """By client's row: how many people are connected, and when one of them last signed in there."""
    open_ones = OpenIdConnection.ended_at.is_(None) & (OpenIdConnection.expires_at > now)
    query = select(OpenIdConnection.client_id, func.count(), func.max(OpenIdConnection.last_used_at)).where(open_ones)
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query.group_by(OpenIdConnection.client_id))}


def _not_ended(client_row: int, person_id: int) -> Select[OpenIdConnection]:
    return select(OpenIdConnection).where(
        OpenIdConnection.client_id == client_row, OpenIdConnection.person_id == person_id,
        OpenIdConnection.ended_at.is_(None),
    )  # fmt: skip
