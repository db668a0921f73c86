"""Codes and access tokens: drawn, used once, looked up, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from app import audit
from app.discounts.connections import is_live
from app.discounts.models import OpenIdClient, OpenIdCode, OpenIdConnection, OpenIdToken
from app.discounts.service import digest
from app.extensions import changed_rows, db

log = structlog.get_logger()

ALONE = "ct_"  # begins the tokens of client credentials
CODE_LIFE = timedelta(seconds=60)
TOKEN_LIFE = timedelta(hours=1)
KEPT_AFTERWARDS = timedelta(days=1)  # so that a code that comes again is known


def keep_code(
    code: str, connection: OpenIdConnection, redirect_uri: str, scopes: str, nonce: str | None, challenge: str,
    signed_in_at: datetime, now: datetime,
) -> None:  # fmt: skip
    db.session.add(
        OpenIdCode(
            code_hash=digest(code), connection_id=connection.id, redirect_uri=redirect_uri, scopes=scopes, nonce=nonce,
            code_challenge=challenge, signed_in_at=signed_in_at, expires_at=now + CODE_LIFE,
        )
    )  # fmt: skip
    connection.last_used_at = now
    db.session.flush()


def use_code(client: OpenIdClient, code: str, now: datetime) -> OpenIdCode | None:
    """A code for its one try; None when it is not this client's, too old, of a connection that ended, or used.

    A used one that comes again was seen by somebody else: the tokens made from it end (RFC 6749 4.1.2).
    """
    query = select(OpenIdCode).join(OpenIdConnection)
    query = query.where(OpenIdCode.code_hash == digest(code), OpenIdConnection.client_id == client.id)
    found = db.session.execute(query).scalar_one_or_none()
    if found is None:
        return None
    once = update(OpenIdCode).where(OpenIdCode.id == found.id, OpenIdCode.used_at.is_(None)).values(used_at=now)
    if changed_rows(once) != 1:
        of_it = (OpenIdToken.code_id == found.id) & OpenIdToken.revoked_at.is_(None)
        ended = changed_rows(update(OpenIdToken).where(of_it).values(revoked_at=now))
        log.warning("openid_code_replayed", client=client.client_id, tokens_ended=ended)
        audit.record("openid_code_replayed", f"service:{client.service_id}", now, code=found.id, tokens_ended=ended)
        return None
    return found if now < found.expires_at and is_live(found.connection, now) else None


def keep_token(token: str, client: OpenIdClient, code: OpenIdCode | None, scopes: str, now: datetime) -> None:
    db.session.add(
        OpenIdToken(
            token_hash=digest(token), client_id=client.id, connection_id=code.connection_id if code else None,
            code_id=code.id if code else None, scopes=scopes, created_at=now, expires_at=now + TOKEN_LIFE,
        )
    )  # fmt: skip
    db.session.flush()


def find_token(token: str, now: datetime) -> OpenIdToken | None:
    """One that is good now."""
    found = db.session.execute(select(OpenIdToken).where(OpenIdToken.token_hash == digest(token))).scalar_one_or_none()
    if found is None or found.revoked_at is not None or now >= found.expires_at or found.client.ended_at is not None:
        return None
    return found if found.connection is None or is_live(found.connection, now) else None


def revoke_token(token: OpenIdToken, now: datetime) -> None:
    token.revoked_at = now
    db.session.flush()


def erase_expired(now: datetime) -> int:
    """Erase codes and tokens past their time, and connections that ended a year ago; answers how many rows went."""
    past = now - KEPT_AFTERWARDS
    gone = changed_rows(delete(OpenIdToken).where(OpenIdToken.expires_at < past))
    still_needed = select(OpenIdToken.code_id).where(OpenIdToken.code_id.is_not(None))
    gone += changed_rows(delete(OpenIdCode).where(OpenIdCode.expires_at < past, OpenIdCode.id.not_in(still_needed)))
    long_past = now - timedelta(days=365)
    ended = (OpenIdConnection.ended_at < long_past) | (OpenIdConnection.expires_at < long_past)
    return gone + changed_rows(delete(OpenIdConnection).where(ended))
