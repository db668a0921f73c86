"""Outgoing webhooks: where services want to be told, what they are told, and how that went."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.services.models import Service


class WebhookEndpoint(Base):
    """`events` is a comma-separated list of EVENTS. Failing since `failing_from_at` without one success since, it is
    asked for nothing before `rests_until_at`. What happens while it is disabled waits for it.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        CheckConstraint("(disabled_at IS NULL) = (disabled_because IS NULL)", name="disabled_whole"),
        CheckConstraint("disabled_because IN ('failing', 'gone', 'administrator')", name="disabled_because_known"),
        CheckConstraint("(failing_from_at IS NULL) = (rests_until_at IS NULL)", name="failing_whole"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    url: Mapped[str]
    events: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    failing_from_at: Mapped[datetime | None] = mapped_column(Instant)
    rests_until_at: Mapped[datetime | None] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    disabled_because: Mapped[str | None]

    service: Mapped[Service] = relationship()

    @property
    def wants(self) -> list[str]:
        return self.events.split(",")


class WebhookSecret(Base):
    """What a secret is made from, together with SECRET_KEY: the database alone signs nothing."""

    __tablename__ = "webhook_secret"

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"), index=True)
    seed: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime | None] = mapped_column(Instant)


class WebhookMessage(Base):
    """One thing a service is told: `body` leaves as it stands, however often. `sequence` counts what was announced of
    a person; a test is of nobody.
    """

    __tablename__ = "webhook_message"
    __table_args__ = (
        UniqueConstraint("service_id", "person_id", "sequence"),
        CheckConstraint("(person_id IS NULL) = (sequence IS NULL)", name="numbered_of_a_person"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    sequence: Mapped[int | None]
    type: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)


class WebhookDelivery(Base):
    """A message on its way to an endpoint. `next_at` is when it is tried next, or again if its worker died."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "message_id"),
        CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state_known"),
        CheckConstraint("(state = 'waiting') = (next_at IS NOT NULL)", name="waiting_has_a_time"),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="delivered_when"),
        Index("ix_webhook_delivery_endpoint_id_state_next_at", "endpoint_id", "state", "next_at"),
        Index("ix_webhook_delivery_message_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"))
    message_id: Mapped[str] = mapped_column(ForeignKey("webhook_message.id"))
    state: Mapped[str] = mapped_column(default="waiting")
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)

    endpoint: Mapped[WebhookEndpoint] = relationship()
    message: Mapped[WebhookMessage] = relationship()


class WebhookAttempt(Base):
    """One try. `answer` is the beginning of what was said with a refusal."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (CheckConstraint("length(answer) <= 200", name="answer_short"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_delivery.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str]
    status: Mapped[int | None]
    milliseconds: Mapped[int]
    answer: Mapped[str | None]


class WebhookStanding(Base):
    """What was last announced of a person, to whom it concerned: `facts` is JSON."""

    __tablename__ = "webhook_standing"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(default=0)
    facts: Mapped[str]
    announced_at: Mapped[datetime] = mapped_column(Instant)


class WebhookSubject(Base):
    """Whose subject a service was given: of nobody else it is told anything."""

    __tablename__ = "webhook_subject"

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
