"""Campus services that ask about members, desks among them, and their keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

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

    benefit: Mapped[Benefit | None] = relationship()

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes.split(",")


class ServiceKey(Base):
    """SHA-256 of a key that was shown once."""

    __tablename__ = "service_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), index=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    service: Mapped[Service] = relationship()
