"""The one association this installation serves: its name, time zone and rehearsal clock."""

from __future__ import annotations

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, db


class Association(Base):
    """One row. `time_zone` and `clock_offset_seconds` are what carnet_today() reads on PostgreSQL."""

    __tablename__ = "association"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    kind: Mapped[str]
    contact_email: Mapped[str]
    time_zone: Mapped[str]
    clock_offset_seconds: Mapped[int] = mapped_column(default=0)


def get_association(for_update: bool = False) -> Association:
    """The row that the first migration made; `for_update` makes others who ask so wait for this transaction."""
    return db.session.get_one(Association, 1, with_for_update=True if for_update else None)
