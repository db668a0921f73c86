"""What makes a scan one to look at."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from app.cards.models import Card
from app.extensions import db, insert_once
from app.verification.judging import Judged
from app.verification.models import Verification, VerificationFlag


def add_flag(verification_id: str, why: str) -> None:
    insert_once(VerificationFlag, verification_id=verification_id, why=why)


def lock_live_cards(judged: Iterable[Judged]) -> None:
    """Two desks that are shown one live code queue here, so that the second sees the first's scan."""
    ids = {it.read.card.id for it in judged if it.read.card and it.live_window is not None}
    if ids:
        db.session.execute(select(Card.id).where(Card.id.in_(ids)).order_by(Card.id).with_for_update(key_share=True))


def flag_two_desks(verification_id: str, service_id: int, judged: Judged) -> None:
    """The same live code at two desks at once: both scans are flagged."""
    if judged.read.card is None or judged.live_window is None:
        return
    elsewhere = select(Verification.id).where(
        Verification.card_id == judged.read.card.id, Verification.live_window == judged.live_window,
        Verification.service_id != service_id,
    )  # fmt: skip
    others = list(db.session.execute(elsewhere).scalars())
    for one in [*others, verification_id] if others else []:
        add_flag(one, "two_desks")
