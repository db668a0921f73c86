"""What a membership entitles to."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base
from app.memberships.models import Tier


class Benefit(Base):
    """Something a service gives to members of some tiers; `in_grace` says whether days of grace count."""

    __tablename__ = "benefit"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    in_grace: Mapped[bool] = mapped_column(default=True)

    tiers: Mapped[list[Tier]] = relationship(secondary="benefit_tier", order_by=Tier.id)


class BenefitTier(Base):
    """Which tiers have a benefit."""

    __tablename__ = "benefit_tier"

    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefit.id"), primary_key=True)
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"), primary_key=True)
