"""Member cards as issued."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.people.models import Person


class Card(Base):
    """One issued credential. It lives through renewals; `number` (40 bits) and `status_index` (24 bits)
    are random and new at every issue. A person has one live card at most.
    """

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint("number BETWEEN 0 AND 1099511627775", name="number_fits"),
        CheckConstraint("status_index BETWEEN 0 AND 16777215", name="status_index_fits"),
        Index(
            "uq_card_live_person_id", "person_id", unique=True,
            postgresql_where=text("revoked_at IS NULL"), sqlite_where=text("revoked_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    status_index: Mapped[int] = mapped_column(unique=True)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_because: Mapped[str | None]

    person: Mapped[Person] = relationship()


class Photo(Base):
    """A member's picture: a square JPEG without metadata. One is shown and one waits for staff at most.

    A removed one keeps its row without the picture: whoever has had a photo has the next one looked at.
    """

    __tablename__ = "photo"
    __table_args__ = (
        CheckConstraint("(removed_at IS NULL) = (jpeg IS NOT NULL)", name="removed_or_there"),
        Index(
            "uq_photo_shown_person_id", "person_id", unique=True,
            postgresql_where=text("approved_at IS NOT NULL AND removed_at IS NULL"),
            sqlite_where=text("approved_at IS NOT NULL AND removed_at IS NULL"),
        ),
        Index(
            "uq_photo_waiting_person_id", "person_id", unique=True,
            postgresql_where=text("approved_at IS NULL AND removed_at IS NULL"),
            sqlite_where=text("approved_at IS NULL AND removed_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    jpeg: Mapped[bytes | None] = mapped_column(deferred=True)
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    removed_at: Mapped[datetime | None] = mapped_column(Instant)

    person: Mapped[Person] = relationship()
