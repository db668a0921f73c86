"""The log of verifications: what was asked, when, what was answered, and what is odd about it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.services.models import DeskDevice, Service


class Verification(Base):
    """One answer to one service; the same nonce again is the same row. Keeps no code and no name.

    A scan judged by the desk itself, without signal, has `received_at` and what the desk said beside our own
    `reason` as of `checked_at`, the moment of the scan by our clock. `live_window` is that of a live code in its time.
    """

    __tablename__ = "verification"
    __table_args__ = (
        UniqueConstraint("service_id", "nonce"),
        CheckConstraint(
            "(received_at IS NULL) = (desk_reason IS NULL) AND (received_at IS NULL) = (clock_skew_ms IS NULL)",
            name="offline_whole",
        ),
        CheckConstraint("received_at IS NOT NULL OR list_issued_at IS NULL", name="list_of_offline"),
        CheckConstraint("received_at IS NULL OR nonce IS NOT NULL", name="offline_has_nonce"),
        CheckConstraint(
            "desk_reason IN ('forged', 'unknown_card', 'stale_code', 'expired_card', 'clock_wrong', 'list_too_old', "
            "'revoked', 'not_entitled', 'ok')",
            name="desk_reason_known",
        ),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_because IS NULL) AND (undone_at IS NULL) = (undone_by IS NULL)",
            name="undone_whole",
        ),
        CheckConstraint("undone_because IN ('mistake', 'wrong_person', 'left')", name="undone_because_known"),
        CheckConstraint("account_id IS NULL OR device_id IS NULL", name="account_or_device"),
        Index("ix_verification_card_id_live_window", "card_id", "live_window"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    nonce: Mapped[str | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("desk_device.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    card_id: Mapped[int | None] = mapped_column(ForeignKey("card.id"))
    live_window: Mapped[int | None] = mapped_column(BigInteger)
    benefit_id: Mapped[int | None] = mapped_column(ForeignKey("benefit.id"))
    tier_id: Mapped[int | None] = mapped_column(ForeignKey("tier.id"))
    reason: Mapped[str]
    status: Mapped[str]
    valid: Mapped[bool]
    entitled: Mapped[bool]
    check_identity: Mapped[bool]
    valid_until: Mapped[date | None]
    grace_until: Mapped[date | None]
    limit_remaining: Mapped[int | None]
    checked_at: Mapped[datetime] = mapped_column(Instant, index=True)
    received_at: Mapped[datetime | None] = mapped_column(Instant)
    desk_reason: Mapped[str | None]
    list_issued_at: Mapped[datetime | None] = mapped_column(Instant)
    clock_skew_ms: Mapped[int | None] = mapped_column(BigInteger)
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_because: Mapped[str | None]
    undone_by: Mapped[str | None]

    service: Mapped[Service] = relationship()
    device: Mapped[DeskDevice | None] = relationship()
    flags: Mapped[list[VerificationFlag]] = relationship(order_by="VerificationFlag.why")

    @property
    def is_offline(self) -> bool:
        return self.received_at is not None

    @property
    def shown_reason(self) -> str:
        """What the desk was shown."""
        return self.desk_reason or self.reason


class VerificationFlag(Base):
    """Why a scan should be looked at: our judgement differs from the desk's, the device's pairing had ended, the
    scan came from the future, it was undone too late, a use was counted beyond the limit, or the same live code was
    shown at two desks at once.
    """

    __tablename__ = "verification_flag"
    __table_args__ = (
        CheckConstraint(
            "why IN ('differs', 'device_expired', 'device_revoked', 'future', 'late_undo', 'over_limit', 'two_desks')",
            name="why_known",
        ),
    )

    verification_id: Mapped[str] = mapped_column(ForeignKey("verification.id"), primary_key=True)
    why: Mapped[str] = mapped_column(primary_key=True)


class ScanTotal(Base):
    """What stays of erased verifications: how many of a service had an answer on a day. Those undone do not count."""

    __tablename__ = "scan_total"
    __table_args__ = (CheckConstraint("count > 0", name="count_positive"),)

    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"), primary_key=True, autoincrement=False)
    checked_on: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
