"""Campus services that ask about members, desks among them, and their keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Account
from app.benefits.models import Benefit
from app.extensions import Base, Instant


class Service(Base):
    """`scopes` is a comma-separated list of SCOPES; `benefit` is what is meant when a request names none."""

    __tablename__ = "service"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str]
    benefit_id: Mapped[int | None] = mapped_column(ForeignKey("benefit.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)

    benefit: Mapped[Benefit | None] = relationship(foreign_keys=[benefit_id])  # a benefit names a service, too

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes.split(",")


class ServiceKey(Base):
    """SHA-256 of a key that was shown once. A service has two live ones at most, in the slots 1 and 2.

    `last_used_at` is true to the minute.
    """

    __tablename__ = "service_key"
    __table_args__ = (
        UniqueConstraint("service_id", "slot"),
        CheckConstraint("slot IN (1, 2)", name="slot_known"),
        CheckConstraint("(revoked_at IS NULL) = (slot IS NOT NULL)", name="live_in_a_slot"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str] = mapped_column(default="", server_default="")
    slot: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    service: Mapped[Service] = relationship()


class DeskDevice(Base):
    """A tablet that scans for one desk and does nothing else. Its row begins as a link that pairs it, once.

    Of link and device only SHA-256 is kept. Paired, it scans until `expires_at`, or until it is revoked.
    """

    __tablename__ = "desk_device"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint(
            "(paired_at IS NULL) = (token_hash IS NULL) AND (paired_at IS NULL) = (expires_at IS NULL)",
            name="paired_whole",
        ),
        CheckConstraint("paired_at IS NOT NULL OR last_seen_at IS NULL", name="seen_once_paired"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    name: Mapped[str]
    link_hash: Mapped[str] = mapped_column(unique=True)
    link_expires_at: Mapped[datetime] = mapped_column(Instant)
    added_at: Mapped[datetime] = mapped_column(Instant)
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    paired_at: Mapped[datetime | None] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    last_seen_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    service: Mapped[Service] = relationship()


class ServiceAccount(Base):
    """Somebody of a service's own people: they see what is that service's, and nothing else."""

    __tablename__ = "service_account"

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    added_at: Mapped[datetime] = mapped_column(Instant)

    service: Mapped[Service] = relationship()
    account: Mapped[Account] = relationship()


class IdempotentAnswer(Base):
    """What a service was answered under an Idempotency-Key of its own; `question_hash` is of method, path and body."""

    __tablename__ = "idempotent_answer"

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    question_hash: Mapped[str]
    status: Mapped[int]
    body: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(Instant, index=True)
