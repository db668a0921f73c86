"""What a membership entitles to, and each use that was made of it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.benefits.rules import BenefitRules
from app.extensions import Base, Instant
from app.memberships.models import Tier

IS_RESERVED = text("state = 'reserved'")
COUNTS = text("state IN ('reserved', 'confirmed')")


class Benefit(Base):
    """Something a service gives to members of some tiers; `in_grace` says whether days of grace count.

    `partner_id` is the service that provides it; without one it is the association's own. One use is worth
    `value_cents` to the member and costs the association `cost_cents`; a discount is a percentage or an amount.
    It may be used `limit_count` times per day, calendar month or year of membership ("term"). `offline_ok`: a desk
    counts a use without signal. `by_code`: members draw single-use codes for it. Nobody has it from `closed_at` on.
    """

    __tablename__ = "benefit"
    __table_args__ = (
        CheckConstraint("kind IN ('campus', 'partner')", name="kind_known"),
        CheckConstraint("value_cents > 0", name="value_positive"),
        CheckConstraint("cost_cents > 0", name="cost_positive"),
        CheckConstraint("discount_percent BETWEEN 1 AND 100", name="percent_sane"),
        CheckConstraint("discount_cents > 0", name="discount_positive"),
        CheckConstraint("discount_percent IS NULL OR discount_cents IS NULL", name="one_discount"),
        CheckConstraint("available_until >= available_from", name="window_in_order"),
        CheckConstraint("limit_count BETWEEN 1 AND 1000", name="limit_sane"),
        CheckConstraint("limit_period IN ('day', 'month', 'term')", name="period_known"),
        CheckConstraint("(limit_count IS NULL) = (limit_period IS NULL)", name="limit_whole"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="campus")
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("service.id", use_alter=True))
    in_grace: Mapped[bool] = mapped_column(default=True)
    value_cents: Mapped[int | None]
    cost_cents: Mapped[int | None]
    discount_percent: Mapped[int | None]
    discount_cents: Mapped[int | None]
    currency: Mapped[str] = mapped_column(default="EUR")
    available_from: Mapped[date | None]
    available_until: Mapped[date | None]
    limit_count: Mapped[int | None]
    limit_period: Mapped[str | None]
    offline_ok: Mapped[bool] = mapped_column(default=False)
    by_code: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)

    tiers: Mapped[list[Tier]] = relationship(secondary="benefit_tier", order_by=Tier.id)

    @property
    def rules(self) -> BenefitRules:
        tier_ids = frozenset(tier.id for tier in self.tiers)
        return BenefitRules(tier_ids, self.in_grace, self.available_from, self.available_until, self.closed_at)

    @property
    def has_discount(self) -> bool:
        return self.discount_percent is not None or self.discount_cents is not None


class BenefitTier(Base):
    """Which tiers have a benefit."""

    __tablename__ = "benefit_tier"

    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefit.id"), primary_key=True)
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"), primary_key=True)


class BenefitCode(Base):
    """A single-use code that a member drew for a shop: SHA-256 of it and its last four signs.

    It is spent while a use that counts names it, so that a use given back gives the code back too.
    """

    __tablename__ = "benefit_code"
    __table_args__ = (
        CheckConstraint("expires_at > drawn_at", name="lives_a_while"),
        Index("ix_benefit_code_person_id_benefit_id", "person_id", "benefit_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefit.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    code_hash: Mapped[str] = mapped_column(unique=True)
    last_four: Mapped[str]
    drawn_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)

    benefit: Mapped[Benefit] = relationship()


class Redemption(Base):
    """One use of a benefit. `state` goes from reserved to confirmed, cancelled or expired, and from confirmed to
    cancelled; the database refuses any other way, and that a row goes.

    Where the benefit has a limit, a use that counts has one of the places `n` = 1 to `limit_count` of its period,
    which is unique; one that counts no longer has none. `over_limit` marks what was counted beyond the limit: by a
    desk without signal, which cannot know of it. `created_at` is when the service was given, `confirmed_at` when
    we knew. `verification_id` names the scan or question it followed and stays when that is erased.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        UniqueConstraint("benefit_id", "person_id", "period_key", "n"),
        UniqueConstraint("verification_id"),
        CheckConstraint("state IN ('reserved', 'confirmed', 'cancelled', 'expired')", name="state_known"),
        CheckConstraint("(limit_count IS NULL) = (period_key IS NULL)", name="limit_whole"),
        CheckConstraint("n IS NULL OR (limit_count IS NOT NULL AND n BETWEEN 1 AND limit_count)", name="within_limit"),
        CheckConstraint(
            "(n IS NOT NULL) = (limit_count IS NOT NULL AND state IN ('reserved', 'confirmed') AND NOT over_limit)",
            name="has_a_place_while_it_counts",
        ),
        CheckConstraint("state <> 'reserved' OR reserved_until IS NOT NULL", name="reserved_until_when"),
        CheckConstraint(
            "CASE state WHEN 'confirmed' THEN confirmed_at IS NOT NULL "
            "WHEN 'cancelled' THEN true ELSE confirmed_at IS NULL END",
            name="confirmed_when",
        ),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_when"),
        CheckConstraint("value_cents >= 0 AND cost_cents >= 0", name="worth_sane"),
        Index("ix_redemption_person_id_created_at", "person_id", "created_at"),
        Index("ix_redemption_service_id_created_at", "service_id", "created_at"),
        Index("ix_redemption_benefit_id_created_at", "benefit_id", "created_at"),
        Index(
            "ix_redemption_reserved_until", "reserved_until",
            postgresql_where=IS_RESERVED, sqlite_where=IS_RESERVED,
        ),
        Index("uq_redemption_code_id", "code_id", unique=True, postgresql_where=COUNTS, sqlite_where=COUNTS),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    benefit_id: Mapped[int] = mapped_column(ForeignKey("benefit.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    verification_id: Mapped[str | None]
    code_id: Mapped[int | None] = mapped_column(ForeignKey("benefit_code.id"))
    reference: Mapped[str | None]
    period_key: Mapped[str | None]
    limit_count: Mapped[int | None]
    n: Mapped[int | None]
    state: Mapped[str]
    reserved_until: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    by: Mapped[str]
    value_cents: Mapped[int | None]
    cost_cents: Mapped[int | None]
    currency: Mapped[str]
    is_offline: Mapped[bool] = mapped_column(default=False)
    over_limit: Mapped[bool] = mapped_column(default=False)

    benefit: Mapped[Benefit] = relationship()

    def state_at(self, now: datetime) -> str:
        """A reservation whose time is over has expired, whether or not anybody has written that down yet."""
        if self.state == "reserved" and self.reserved_until is not None and self.reserved_until <= now:
            return "expired"
        return self.state
