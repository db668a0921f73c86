"""What was asked of somebody, and the money that moved for it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.memberships.models import Tier
from app.memberships.service import Offer, TermDates
from app.people.models import Person

METHODS = ("online", "transfer", "cash")


class Payment(Base):
    """One fee asked of one person, once, with the days it was offered for. Money is in LedgerEntry.

    `paid_at` is when it was paid in full, `paid_on` its value date; `closed_at` when it can no longer be
    paid. A payment neither paid nor closed is open; a person has one open online payment at most.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("method IN ('online', 'transfer', 'cash')", name="method_known"),
        CheckConstraint("kind IN ('join', 'renew', 'rejoin')", name="kind_known"),
        CheckConstraint("(paid_at IS NULL) = (paid_on IS NULL)", name="paid_whole"),
        CheckConstraint("(closed_at IS NULL) = (closed_because IS NULL)", name="closed_with_cause"),
        CheckConstraint("offer_ends_on >= offer_starts_on", name="offer_has_days"),
        Index(
            "uq_payment_open_person_id", "person_id", unique=True,
            postgresql_where=text("method = 'online' AND paid_at IS NULL AND closed_at IS NULL"),
            sqlite_where=text("method = 'online' AND paid_at IS NULL AND closed_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    kind: Mapped[str]
    method: Mapped[str]
    amount_cents: Mapped[int]
    currency: Mapped[str]
    offer_anchor_on: Mapped[date]
    offer_starts_on: Mapped[date]
    offer_ends_on: Mapped[date]
    offer_grace_ends_on: Mapped[date]
    offer_holds_until: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(Instant)
    opened_on: Mapped[date]
    opened_by: Mapped[str]
    locale: Mapped[str]
    stripe_checkout_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(unique=True)
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    paid_at: Mapped[datetime | None] = mapped_column(Instant)
    paid_on: Mapped[date | None]
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_because: Mapped[str | None]

    person: Mapped[Person] = relationship()
    tier: Mapped[Tier] = relationship()

    @property
    def number(self) -> str:
        """What people call it: P-2026-000123."""
        return f"P-{self.opened_on.year}-{self.id:06d}"

    @property
    def offer(self) -> Offer:
        dates = TermDates(self.offer_anchor_on, self.offer_starts_on, self.offer_ends_on, self.offer_grace_ends_on)
        return Offer(self.kind, dates, self.offer_holds_until)  # type: ignore[arg-type]


class LedgerEntry(Base):
    """One transfer between two accounts; append-only. A correction is another row."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("debit <> credit", name="two_accounts"),
        CheckConstraint(
            "debit IN ('provider', 'bank', 'cash', 'fees', 'unallocated', 'provider_fees') AND "
            "credit IN ('provider', 'bank', 'cash', 'fees', 'unallocated', 'provider_fees')",
            name="accounts_known",
        ),
        CheckConstraint(
            "movement IN ('fee_received', 'excess_received', 'provider_fee', 'refund_paid', 'refund_reversed')",
            name="movement_known",
        ),
        UniqueConstraint("movement", "provider_id", "debit", "credit"),
        Index("ix_ledger_entry_value_on", "value_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    movement: Mapped[str]
    debit: Mapped[str]
    credit: Mapped[str]
    amount_cents: Mapped[int]
    currency: Mapped[str]
    value_on: Mapped[date]
    provider_id: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(Instant)

    payment: Mapped[Payment] = relationship()


class Refund(Base):
    """Money asked to go back. `provider_id` is Stripe's id, or refund-N for money given back by hand."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("status IN ('requested', 'pending', 'succeeded', 'failed')", name="status_known"),
        Index(
            "uq_refund_requested_payment_id", "payment_id", unique=True,
            postgresql_where=text("status = 'requested'"), sqlite_where=text("status = 'requested'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    amount_cents: Mapped[int]
    currency: Mapped[str]
    provider_id: Mapped[str | None] = mapped_column(unique=True)
    status: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(Instant)

    payment: Mapped[Payment] = relationship()


class Receipt(Base):
    """Numbered without gaps in each series and year; a refund issues a rectifying one in series R."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("series", "year", "n"),
        CheckConstraint("series IN ('', 'R')", name="series_known"),
        CheckConstraint("(refund_id IS NULL) = (series = '')", name="rectifies_a_refund"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    series: Mapped[str]
    year: Mapped[int]
    n: Mapped[int]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"), unique=True)
    amount_cents: Mapped[int]
    currency: Mapped[str]
    issued_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def number(self) -> str:
        return f"{self.series}{self.year}-{self.n:06d}"


class ReceiptCounter(Base):
    """The last number given in a series and year; locked while the next is given."""

    __tablename__ = "receipt_counter"

    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Discrepancy(Base):
    """Something no rule can decide, for the treasurer: its reason and what it is about."""

    __tablename__ = "discrepancy"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('mismatch', 'days_covered', 'overpaid', 'underpaid', 'unknown_payment', "
            "'refund_failed', 'refunded_in_part')",
            name="reason_known",
        ),
        UniqueConstraint("reason", "reference"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    reference: Mapped[str]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), index=True)
    amount_cents: Mapped[int | None]
    currency: Mapped[str | None]
    found_at: Mapped[datetime] = mapped_column(Instant)

    payment: Mapped[Payment | None] = relationship()


class StripeEvent(Base):
    """Inbox of the provider's news: each event settled once, however often it rings."""

    __tablename__ = "stripe_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)


class PaymentSweep(Base):
    """How far the sweep has read the provider's events, by the provider's clock; one row.

    News that rang in the meantime says nothing of what was lost before it.
    """

    __tablename__ = "payment_sweep"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    heard_until: Mapped[datetime] = mapped_column(Instant)
