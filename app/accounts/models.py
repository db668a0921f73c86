"""Sign-ins: one account for each address, the persons it stands for, its roles and its sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base, Instant
from app.people.models import Person

ROLES = ("member", "scanner", "treasurer", "admin")


class Account(Base):
    """A person's sign-in. An address signs in exactly one account."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)

    persons: Mapped[list[Person]] = relationship(secondary="account_person", order_by=Person.id)
    roles: Mapped[list[AccountRole]] = relationship(order_by="AccountRole.role")


class AccountPerson(Base):
    """Which persons an account stands for; a person has one account at most."""

    __tablename__ = "account_person"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, unique=True)


class AccountRole(Base):
    """What an account may do beyond being a member."""

    __tablename__ = "account_role"
    __table_args__ = (CheckConstraint("role IN ('scanner', 'treasurer', 'admin')", name="role_known"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(Instant)


class SignIn(Base):
    """One request to sign in. Link and code are derived from `nonce` and SECRET_KEY: neither is kept."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(index=True)
    nonce: Mapped[bytes]
    token_hash: Mapped[str] = mapped_column(unique=True)
    browser_hash: Mapped[str | None]
    next_path: Mapped[str]
    locale: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    code_tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class AccountSession(Base):
    """A browser that is signed in; revoking the row ends it at the next request, copied cookie or not."""

    __tablename__ = "account_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    device: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

    account: Mapped[Account] = relationship()
    person: Mapped[Person | None] = relationship()
