"""What the OpenID provider keeps: organisations that members sign in to, who allowed it, codes and tokens.

Of secrets, codes and tokens only SHA-256 is kept.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.people.models import Person
from app.services.models import Service


class OpenIdClient(Base):
    """A service's program that sends members here to sign in; one for each service.

    `redirect_uris` and `scopes` are lists with a space between. After a rotation the former secret is good until
    `former_until`. An ended one signs nobody in any more.
    """

    __tablename__ = "openid_client"
    __table_args__ = (
        CheckConstraint("redirect_uris <> '' AND scopes <> ''", name="complete"),
        CheckConstraint("(former_secret_hash IS NULL) = (former_until IS NULL)", name="former_whole"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), unique=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]
    former_secret_hash: Mapped[str | None]
    former_until: Mapped[datetime | None] = mapped_column(Instant)
    redirect_uris: Mapped[str]
    scopes: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    service: Mapped[Service] = relationship()


class OpenIdConnection(Base):
    """What a person allowed an organisation to learn, until it expires or somebody ends it."""

    __tablename__ = "openid_connection"
    __table_args__ = (
        Index(
            "uq_openid_connection_live", "client_id", "person_id", unique=True,
            postgresql_where=text("ended_at IS NULL"), sqlite_where=text("ended_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("openid_client.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    scopes: Mapped[str]
    allowed_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    client: Mapped[OpenIdClient] = relationship()
    person: Mapped[Person] = relationship()


class OpenIdCode(Base):
    """An authorization code, good for one try. `signed_in_at` is when the person signed in here."""

    __tablename__ = "openid_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("openid_connection.id"), index=True)
    redirect_uri: Mapped[str]
    scopes: Mapped[str]
    nonce: Mapped[str | None]
    code_challenge: Mapped[str]
    signed_in_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)

    connection: Mapped[OpenIdConnection] = relationship()


class OpenIdToken(Base):
    """An access token: of a person's connection, or of the organisation alone (client credentials)."""

    __tablename__ = "openid_token"
    __table_args__ = (CheckConstraint("(connection_id IS NULL) = (code_id IS NULL)", name="of_a_code_or_alone"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("openid_client.id"), index=True)
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("openid_connection.id"), index=True)
    code_id: Mapped[int | None] = mapped_column(ForeignKey("openid_code.id"), index=True)
    scopes: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    client: Mapped[OpenIdClient] = relationship()
    connection: Mapped[OpenIdConnection | None] = relationship()
