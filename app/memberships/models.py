"""Tiers, their prices, and the terms people hold."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.memberships.rules import TierRules
from app.people.models import Person


class Tier(Base):
    """A fixed annual plan. `id` is the tier byte on the card. Runs by anniversary unless `fixed_start` says MM-DD."""

    __tablename__ = "tier"
    __table_args__ = (
        CheckConstraint("id BETWEEN 1 AND 255", name="id_fits_card"),
        CheckConstraint("months BETWEEN 1 AND 120", name="months_sane"),
        CheckConstraint("grace_days BETWEEN 0 AND 366", name="grace_days_sane"),
        CheckConstraint("bonus_days BETWEEN 0 AND 366", name="bonus_days_sane"),
        CheckConstraint("fixed_start IS NULL OR months = 12", name="fixed_year_is_a_year"),
        CheckConstraint("bonus_days = 0 OR fixed_start IS NOT NULL", name="bonus_needs_fixed_year"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    months: Mapped[int]
    grace_days: Mapped[int]
    fixed_start: Mapped[str | None]
    bonus_days: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)

    prices: Mapped[list[TierPrice]] = relationship(order_by="TierPrice.from_on")

    @property
    def rules(self) -> TierRules:
        month_day = tuple(map(int, self.fixed_start.split("-"))) if self.fixed_start else None
        return TierRules(self.months, self.grace_days, month_day, self.bonus_days)  # type: ignore[arg-type]


class TierPrice(Base):
    """The fee from a day on; a change of fee is a new row, never an edit."""

    __tablename__ = "tier_price"
    __table_args__ = (
        UniqueConstraint("tier_id", "from_on"),
        CheckConstraint("fee_cents > 0", name="fee_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    fee_cents: Mapped[int]
    currency: Mapped[str]
    from_on: Mapped[date]


class Term(Base):
    """One paid or granted run of days, both ends included; emptied when `ends_on` is the day before `starts_on`.

    `sold_ends_on` keeps what was sold when a refund cuts `ends_on`.
    """

    __tablename__ = "term"
    __table_args__ = (
        CheckConstraint("(payment_id IS NULL) <> (granted_by IS NULL)", name="paid_or_granted"),
        CheckConstraint("ends_on >= starts_on - 1", name="ends_after_start"),
        CheckConstraint("sold_ends_on >= ends_on", name="never_longer_than_sold"),
        CheckConstraint("grace_ends_on >= ends_on", name="grace_after_end"),
        CheckConstraint("anchor_on <= starts_on", name="anchored_before"),
        Index("ix_term_person_id_starts_on", "person_id", "starts_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    anchor_on: Mapped[date]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    sold_ends_on: Mapped[date]
    grace_ends_on: Mapped[date]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), unique=True)
    granted_by: Mapped[str | None]
    granted_because: Mapped[str | None]
    ended_because: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(Instant)

    person: Mapped[Person] = relationship()
    tier: Mapped[Tier] = relationship()


class Suspension(Base):
    """A hold on a term (its days only) or on a person; open while `until_at` is empty."""

    __tablename__ = "suspension"
    __table_args__ = (
        CheckConstraint("(term_id IS NULL) <> (person_id IS NULL)", name="term_or_person"),
        CheckConstraint("until_at IS NULL OR until_at >= from_at", name="ends_after_start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    term_id: Mapped[int | None] = mapped_column(ForeignKey("term.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    cause: Mapped[str]
    from_at: Mapped[datetime] = mapped_column(Instant)
    until_at: Mapped[datetime | None] = mapped_column(Instant)
