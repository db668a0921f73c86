"""The one association this installation serves: its name, what its papers say, time zone and rehearsal clock."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, db


class Association(Base):
    """One row. `time_zone` and `clock_offset_seconds` are what carnet_today() reads on PostgreSQL.

    `withdrawal_days` after an online contract its buyer may take it back (Directive 2011/83/EU, article 9: 14);
    `renewal_notice_days` before an automatic renewal its price and day are announced (Ley 10/2025: 15 at least);
    `scan_days` after a card was checked, who and where exactly is erased and only totals stay.
    """

    __tablename__ = "association"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("withdrawal_days BETWEEN 0 AND 365", name="withdrawal_days_sane"),
        CheckConstraint("renewal_notice_days BETWEEN 15 AND 90", name="renewal_notice_days_sane"),
        CheckConstraint("scan_days BETWEEN 1 AND 366", name="scan_days_sane"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    kind: Mapped[str]
    contact_email: Mapped[str]
    legal_name: Mapped[str | None]
    tax_id: Mapped[str | None]
    address: Mapped[str | None]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    withdrawal_days: Mapped[int] = mapped_column(default=14)
    renewal_notice_days: Mapped[int] = mapped_column(default=21)
    scan_days: Mapped[int] = mapped_column(default=90)
    time_zone: Mapped[str]
    clock_offset_seconds: Mapped[int] = mapped_column(default=0)


def get_association(for_update: bool = False) -> Association:
    """The row that the first migration made; `for_update` makes others who ask so wait for this transaction."""
    return db.session.get_one(Association, 1, with_for_update=True if for_update else None)
