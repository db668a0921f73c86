"""What a member's devices sign in with, the sessions they had, and what was refused."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant

MOST_DEVICES = 5


class WifiCredential(Base):
    """One device's own user name and secret. While it lives it holds one of its person's five slots.

    `ssha2_256` is hexadecimal: SHA-256 of secret and salt, then the salt; FreeRADIUS's SSHA2-256-Password.
    """

    __tablename__ = "wifi_credential"
    __table_args__ = (
        UniqueConstraint("person_id", "slot"),
        CheckConstraint(f"slot BETWEEN 1 AND {MOST_DEVICES}", name="slot_sane"),
        CheckConstraint("(slot IS NULL) = (revoked_at IS NOT NULL)", name="slot_while_live"),
        CheckConstraint("username = lower(username)", name="username_lower"),
        CheckConstraint("label <> ''", name="labelled"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    slot: Mapped[int | None]
    label: Mapped[str]
    username: Mapped[str] = mapped_column(unique=True)
    ssha2_256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)


class WifiSession(Base):
    """One stay of a device on the network, as accounting told it. Octets are what the device sent and received.

    Of the device's hardware address and of the access point nothing is kept. `controller` (its address) and
    `session_ref` (its name for the session) are what ending the session takes; they go when it has ended.
    """

    __tablename__ = "wifi_session"
    __table_args__ = (
        CheckConstraint("stopped_at IS NULL OR (controller IS NULL AND session_ref IS NULL)", name="ended_nowhere"),
        CheckConstraint("stopped_at IS NULL OR stopped_at >= started_at", name="ends_after_start"),
        CheckConstraint("octets_sent >= 0 AND octets_received >= 0", name="octets_counted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    acct_unique_id: Mapped[str] = mapped_column(unique=True)
    credential_id: Mapped[int] = mapped_column(ForeignKey("wifi_credential.id"), index=True)
    controller: Mapped[str | None] = mapped_column(index=True)
    session_ref: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    stopped_at: Mapped[datetime | None] = mapped_column(Instant)
    octets_sent: Mapped[int] = mapped_column(BigInteger, default=0)
    octets_received: Mapped[int] = mapped_column(BigInteger, default=0)
    cause: Mapped[str | None]

    credential: Mapped[WifiCredential] = relationship()


class WifiRefusal(Base):
    """A sign-in that was refused, and why; at most one a minute for a device and reason. No device: nobody's name."""

    __tablename__ = "wifi_refusal"

    id: Mapped[int] = mapped_column(primary_key=True)
    credential_id: Mapped[int | None] = mapped_column(ForeignKey("wifi_credential.id"), index=True)
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant, index=True)
