"""Tiers, their prices, the terms people hold, and what they were told of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.memberships.rules import TierRules
from app.people.models import Person


class Tier(Base):
    """A fixed plan. `id` is the tier byte on the card. Runs by anniversary unless `fixed_start` says MM-DD.

    From `closed_on` it is sold no longer; who held it renews into `successor`. `condition` says who may buy it:
    somebody who graduated at most `condition_years` years ago, or whose document staff have seen. `reminder_days`
    are offsets from a term's last day ("-30,-7,0,15"). `vat_code` is "exempt" or a percentage such as "21".
    """

    __tablename__ = "tier"
    __table_args__ = (
        CheckConstraint("id BETWEEN 1 AND 255", name="id_fits_card"),
        CheckConstraint("months BETWEEN 1 AND 120", name="months_sane"),
        CheckConstraint("grace_days BETWEEN 0 AND 366", name="grace_days_sane"),
        CheckConstraint("bonus_days BETWEEN 0 AND 366", name="bonus_days_sane"),
        CheckConstraint("fixed_start IS NULL OR months = 12", name="fixed_year_is_a_year"),
        CheckConstraint("bonus_days = 0 OR fixed_start IS NOT NULL", name="bonus_needs_fixed_year"),
        CheckConstraint("successor_id IS NULL OR closed_on IS NOT NULL", name="only_closed_has_successor"),
        CheckConstraint("successor_id <> id", name="succeeded_by_another"),
        CheckConstraint("condition IN ('graduated_within', 'document')", name="condition_known"),
        CheckConstraint(
            "(condition_years IS NOT NULL) = (condition IS NOT NULL AND condition = 'graduated_within')",
            name="years_go_with_graduation",
        ),
        CheckConstraint("vat_code IN ('exempt', '0', '4', '10', '21')", name="vat_code_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    months: Mapped[int]
    grace_days: Mapped[int]
    fixed_start: Mapped[str | None]
    bonus_days: Mapped[int] = mapped_column(default=0)
    closed_on: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))
    condition: Mapped[str | None]
    condition_years: Mapped[int | None]
    reminder_days: Mapped[str] = mapped_column(default="-30,-7,0,15")
    vat_code: Mapped[str] = mapped_column(default="exempt")
    created_at: Mapped[datetime] = mapped_column(Instant)

    prices: Mapped[list[TierPrice]] = relationship(order_by="TierPrice.from_on")
    successor: Mapped[Tier | None] = relationship(remote_side=[id])

    @property
    def rules(self) -> TierRules:
        month_day = tuple(map(int, self.fixed_start.split("-"))) if self.fixed_start else None
        return TierRules(self.months, self.grace_days, month_day, self.bonus_days)  # type: ignore[arg-type]

    @property
    def reminder_offsets(self) -> list[int]:
        return [int(days) for days in self.reminder_days.split(",") if days]


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


class SeenDocument(Base):
    """Staff saw the document that a reduced fee asks for; it counts until `valid_until` when that is set."""

    __tablename__ = "seen_document"
    __table_args__ = (UniqueConstraint("person_id", "tier_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    seen_on: Mapped[date]
    seen_by: Mapped[str]
    valid_until: Mapped[date | None]


class Term(Base):
    """One paid or granted run of days, both ends included; emptied when `ends_on` is the day before `starts_on`.

    `sold_ends_on` keeps what was sold when a refund cuts `ends_on`. An upgrade stands on the term it was bought
    for (`upgrades_id`), which ends the day before. When an upgrade's money goes back, the lower tier's days that
    are left are a term of their own that `continues_id` names; so a payment buys one term and its continuations.
    """

    __tablename__ = "term"
    __table_args__ = (
        CheckConstraint("(payment_id IS NULL) <> (granted_by IS NULL)", name="paid_or_granted"),
        CheckConstraint("ends_on >= starts_on - 1", name="ends_after_start"),
        CheckConstraint("sold_ends_on >= ends_on", name="never_longer_than_sold"),
        CheckConstraint("grace_ends_on >= ends_on", name="grace_after_end"),
        CheckConstraint("anchor_on <= starts_on", name="anchored_before"),
        Index("ix_term_person_id_starts_on", "person_id", "starts_on"),
        Index("ix_term_payment_id", "payment_id"),
        Index(
            "uq_term_sold_payment_id", "payment_id", unique=True,
            postgresql_where=text("continues_id IS NULL"), sqlite_where=text("continues_id IS NULL"),
        ),
        UniqueConstraint("continues_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    anchor_on: Mapped[date]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    sold_ends_on: Mapped[date]
    grace_ends_on: Mapped[date]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    upgrades_id: Mapped[int | None] = mapped_column(ForeignKey("term.id"))
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("term.id"))
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


class RenewalChoice(Base):
    """The tier somebody wants from their next renewal on; no row: the one they have. Reversible until then."""

    __tablename__ = "renewal_choice"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    chosen_at: Mapped[datetime] = mapped_column(Instant)

    tier: Mapped[Tier] = relationship()


class Reminder(Base):
    """One of each kind per term, whatever happens to the worker. `kind` is the offset in days from its last day.

    `skipped` means it was no longer true, or no longer the latest, when its time came.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("term_id", "kind"),
        CheckConstraint("state IN ('sent', 'skipped')", name="state_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    term_id: Mapped[int] = mapped_column(ForeignKey("term.id"))
    kind: Mapped[int]
    state: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)


class ReminderStop(Base):
    """Somebody asked for no more reminders."""

    __tablename__ = "reminder_stop"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
