"""Passes in members' wallets, and the devices that asked to hear of changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cards.models import Card
from app.extensions import Base, Instant


class WalletPass(Base):
    """A card that was put into a wallet of this kind.

    `fingerprint` is of what the pass says; `changed_at` is when that changed, in whole seconds and never the same
    twice, for a device asks by it whether something is new. The token that devices prove themselves by is derived
    from SECRET_KEY and the card's number, and kept nowhere.
    """

    __tablename__ = "wallet_pass"
    __table_args__ = (
        UniqueConstraint("card_id", "wallet"),
        CheckConstraint("wallet IN ('apple', 'google')", name="wallet_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id"))
    wallet: Mapped[str]
    fingerprint: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(Instant)

    card: Mapped[Card] = relationship()


class WalletRegistration(Base):
    """A device that holds an Apple pass: `device` is the name it gave itself, `push_token` where to knock.

    The token stands beside each pass, not once for a device, so that nobody who only knows a device's name can
    turn away the knocks meant for another pass on it.
    """

    __tablename__ = "wallet_registration"
    __table_args__ = (UniqueConstraint("pass_id", "device"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pass_id: Mapped[int] = mapped_column(ForeignKey("wallet_pass.id"))
    device: Mapped[str] = mapped_column(index=True)
    push_token: Mapped[str]
    registered_at: Mapped[datetime] = mapped_column(Instant)
