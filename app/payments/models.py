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
OPEN_ONLINE = "method = 'online' AND stripe_invoice_id IS NULL AND paid_at IS NULL AND closed_at IS NULL"
ACCOUNTS = "'provider', 'bank', 'cash', 'fees', 'donations', 'unallocated', 'provider_fees', 'disputes'"


class Payment(Base):
    """One fee asked of one person, once, with the days it was offered for. Money is in LedgerEntry.

    `paid_at` is when it was paid in full, `paid_on` its value date; `closed_at` when it can no longer be
    paid. A payment neither paid nor closed is open; a person has one open checkout at most. A gift is
    asked of its giver; whose days it buys stands in Gift.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("method IN ('online', 'transfer', 'cash')", name="method_known"),
        CheckConstraint("kind IN ('join', 'renew', 'rejoin', 'upgrade', 'gift')", name="kind_known"),
        CheckConstraint("(paid_at IS NULL) = (paid_on IS NULL)", name="paid_whole"),
        CheckConstraint("(closed_at IS NULL) = (closed_because IS NULL)", name="closed_with_cause"),
        CheckConstraint("offer_ends_on >= offer_starts_on", name="offer_has_days"),
        Index(
            "uq_payment_open_person_id", "person_id", unique=True,
            postgresql_where=text(OPEN_ONLINE), sqlite_where=text(OPEN_ONLINE),
        ),
        CheckConstraint("stripe_checkout_id IS NULL OR stripe_invoice_id IS NULL", name="checkout_or_invoice"),
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
    wants_auto_renewal: Mapped[bool] = mapped_column(default=False)
    stripe_checkout_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_invoice_id: Mapped[str | None] = mapped_column(unique=True)
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
        CheckConstraint(f"debit IN ({ACCOUNTS}) AND credit IN ({ACCOUNTS})", name="accounts_known"),
        CheckConstraint(
            "movement IN ('fee_received', 'excess_received', 'allocated', 'donated', 'provider_fee', "
            "'provider_fee_returned', 'refund_paid', 'refund_reversed', 'dispute_withdrawn', 'dispute_reinstated')",
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
    """Money asked to go back. `provider_id` is Stripe's id, or refund-N for money given back by hand.

    `cause`: a refund somebody granted, or the buyer's withdrawal from an online contract.
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("status IN ('requested', 'pending', 'succeeded', 'failed')", name="status_known"),
        CheckConstraint("cause IN ('refunded', 'withdrawn')", name="cause_known"),
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
    cause: Mapped[str] = mapped_column(default="refunded")
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(Instant)

    payment: Mapped[Payment] = relationship()


class Dispute(Base):
    """A charge its owner's bank disputes. `inquiry` has moved no money; an unknown word of the provider is open."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("status IN ('inquiry', 'open', 'won', 'lost')", name="status_known"),
        CheckConstraint("(closed_on IS NOT NULL) = (status IN ('won', 'lost'))", name="closed_with_outcome"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    provider_id: Mapped[str] = mapped_column(unique=True)
    amount_cents: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(Instant)
    closed_on: Mapped[date | None]

    payment: Mapped[Payment] = relationship()


class Gift(Base):
    """A year paid for somebody else. It becomes a term when its recipient accepts it."""

    __tablename__ = "gift"
    __table_args__ = (
        CheckConstraint("recipient_email = lower(recipient_email)", name="email_lower"),
        CheckConstraint("(accepted_at IS NULL) = (recipient_id IS NULL)", name="accepted_by_somebody"),
    )

    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), primary_key=True)
    recipient_email: Mapped[str]
    recipient_name: Mapped[str]
    message: Mapped[str]
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    recipient_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)

    payment: Mapped[Payment] = relationship()


class ProviderCustomer(Base):
    """The provider's customer who stands for a person."""

    __tablename__ = "provider_customer"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    stripe_customer_id: Mapped[str] = mapped_column(unique=True)


class AutoRenewal(Base):
    """Somebody's wish to renew by itself, from opt-in to `off_at`; one that is on per person.

    `charge_on`, `tier_id` and `fee_cents` are what the subscription will take next, as we last told the provider;
    `announced_on` is the day its notice was mailed, for the charge `announced_for`.
    """

    __tablename__ = "auto_renewal"
    __table_args__ = (
        CheckConstraint("(off_at IS NULL) = (off_because IS NULL)", name="off_with_cause"),
        CheckConstraint("fee_cents > 0", name="fee_positive"),
        Index(
            "uq_auto_renewal_on_person_id", "person_id", unique=True,
            postgresql_where=text("off_at IS NULL"), sqlite_where=text("off_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    tier_id: Mapped[int] = mapped_column(ForeignKey("tier.id"))
    fee_cents: Mapped[int]
    currency: Mapped[str]
    charge_on: Mapped[date]
    locale: Mapped[str]
    stripe_checkout_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_payment_method_id: Mapped[str]
    stripe_subscription_id: Mapped[str | None] = mapped_column(unique=True)
    on_at: Mapped[datetime] = mapped_column(Instant)
    off_at: Mapped[datetime | None] = mapped_column(Instant)
    off_because: Mapped[str | None]
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    announced_for: Mapped[date | None]
    announced_on: Mapped[date | None]

    person: Mapped[Person] = relationship()
    tier: Mapped[Tier] = relationship()


class Receipt(Base):
    """Numbered without gaps in each series and year. Money that goes back, by refund or lost dispute, issues a
    rectifying one in series R; money that comes back after all, another of the first series. `vat_code` is the
    tier's of that day.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("series", "year", "n"),
        CheckConstraint("series IN ('', 'R')", name="series_known"),
        CheckConstraint("(refund_id IS NULL AND dispute_id IS NULL) = (series = '')", name="rectifies_something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    series: Mapped[str]
    year: Mapped[int]
    n: Mapped[int]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"), unique=True)
    dispute_id: Mapped[int | None] = mapped_column(ForeignKey("dispute.id"), unique=True)
    amount_cents: Mapped[int]
    currency: Mapped[str]
    vat_code: Mapped[str] = mapped_column(default="exempt")
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
    """Something no rule can decide, for the treasurer: its reason, what it is about, and how it was resolved."""

    __tablename__ = "discrepancy"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('mismatch', 'days_covered', 'overpaid', 'underpaid', 'unknown_payment', 'late_payment', "
            "'nothing_to_upgrade', 'upgrade_without_fee', 'days_taken', 'refund_failed', 'refunded_in_part', "
            "'inquiry', 'dispute_open')",
            name="reason_known",
        ),
        CheckConstraint("resolution IN ('refunded', 'allocated', 'donated', 'noted')", name="resolution_known"),
        CheckConstraint(
            "(resolved_at IS NULL) = (resolution IS NULL) AND (resolved_at IS NULL) = (resolved_by IS NULL)",
            name="resolved_whole",
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
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]
    note: Mapped[str | None]

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
