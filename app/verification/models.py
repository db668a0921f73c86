"""The log of verifications: what was asked, when, and what was answered."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, Instant


class Verification(Base):
    """One answer to one service; the same nonce again is the same row. Keeps no code and no name."""

    __tablename__ = "verification"
    __table_args__ = (UniqueConstraint("service_id", "nonce"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    nonce: Mapped[str | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    card_id: Mapped[int | None] = mapped_column(ForeignKey("card.id"))
    benefit_id: Mapped[int | None] = mapped_column(ForeignKey("benefit.id"))
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))
    reason: Mapped[str]
    status: Mapped[str]
    valid: Mapped[bool]
    entitled: Mapped[bool]
    check_identity: Mapped[bool]
    valid_until: Mapped[date | None]
    grace_until: Mapped[date | None]
    checked_at: Mapped[datetime] = mapped_column(Instant, index=True)
