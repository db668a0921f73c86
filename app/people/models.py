"""The register: one row for each human, and what they studied."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant


class Person(Base):
    """One human in the register. `email` is the contact address; families may share one."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("given_name <> '' AND family_name <> ''", name="named"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    given_name: Mapped[str]
    family_name: Mapped[str]
    email: Mapped[str | None] = mapped_column(index=True)
    birth_date: Mapped[date | None]
    phone: Mapped[str | None]
    country: Mapped[str | None]
    language: Mapped[str | None]
    student_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)

    degrees: Mapped[list[Degree]] = relationship(order_by="Degree.graduation_year")

    @property
    def member_number(self) -> str:
        """The member number, M-000123."""
        return f"M-{self.id:06d}"

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"


class Degree(Base):
    """What somebody finished, and when."""

    __tablename__ = "degree"
    __table_args__ = (UniqueConstraint("person_id", "name", "graduation_year"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    faculty: Mapped[str | None]
    graduation_year: Mapped[int | None]
