"""Passes as rows: kept when a card goes into a wallet, and found again when what they say has changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from app import jobs
from app.cards.facts import CardFacts, facts_of
from app.cards.models import Card
from app.cards.wallets.models import WalletPass, WalletRegistration
from app.extensions import db, insert_once
from app.memberships.models import Term

MOST_DEVICES = 20  # of one pass: phone, watch, those of years past
LOOKS_BACK = timedelta(days=7)  # a worker that was away for some days still finds what began meanwhile


def keep_pass(card: Card, wallet: str, facts: CardFacts, now: datetime) -> WalletPass:
    """The row of this card in this wallet, made when there is none."""
    said, whole_second = fingerprint(facts), now.replace(microsecond=0)
    insert_once(WalletPass, card_id=card.id, wallet=wallet, fingerprint=said, changed_at=whole_second)
    query = select(WalletPass).where(WalletPass.card_id == card.id, WalletPass.wallet == wallet)
    return db.session.execute(query).scalar_one()


def find_pass(serial: str, wallet: str) -> WalletPass | None:
    query = select(WalletPass).join(Card).where(Card.number == int(serial), WalletPass.wallet == wallet)
    return db.session.execute(query).scalar_one_or_none()


def find_card_by_serial(serial: str) -> Card | None:
    return db.session.execute(select(Card).where(Card.number == int(serial))).scalar_one_or_none()


def fingerprint(facts: CardFacts) -> str:
    """Of all that a pass says. That grace has begun is not said: no pass has to change on that morning."""
    return hashlib.sha256(repr(replace(facts, is_in_grace=False)).encode()).hexdigest()


def refresh_passes(person_id: int, now: datetime, today: date) -> None:
    """Mark the passes of a person's cards that say something else now, and have their wallets told."""
    query = select(WalletPass).join(Card).where(Card.person_id == person_id).order_by(WalletPass.id)
    for row in db.session.execute(query.with_for_update(of=WalletPass)).scalars():
        said = fingerprint(facts_of(row.card, now, today))
        if said != row.fingerprint:
            row.fingerprint = said
            row.changed_at = max(now.replace(microsecond=0), row.changed_at + timedelta(seconds=1))
            db.session.flush()
            jobs.enqueue("tell_wallet", now, pass_id=row.id)


def refresh_begun(now: datetime, today: date) -> None:
    """Have passes looked at whose holder's term has begun, once for each term: its first day comes without anything
    being done, and may bring another tier."""
    query = (
        select(Term.id, Term.person_id).join(Card, Card.person_id == Term.person_id).join(WalletPass)
        .where(Term.starts_on.between(today - LOOKS_BACK, today), Term.ends_on >= Term.starts_on)
    )  # fmt: skip
    for term_id, person_id in db.session.execute(query.distinct().order_by(Term.id)).all():
        jobs.enqueue("refresh_wallet", now, key=f"refresh_wallet:{term_id}", person_id=person_id)


def register_device(row: WalletPass, device: str, push_token: str, now: datetime) -> bool | None:
    """True when the device is new to this pass, False when it was known (its token is kept), None when it is one
    too many."""
    query = select(WalletRegistration).where(WalletRegistration.pass_id == row.id)
    known = db.session.execute(query.where(WalletRegistration.device == device)).scalar_one_or_none()
    if known is not None:
        known.push_token, known.registered_at = push_token, now
        return False
    count = select(func.count()).select_from(WalletRegistration).where(WalletRegistration.pass_id == row.id)
    if db.session.execute(count).scalar_one() >= MOST_DEVICES:
        return None
    return insert_once(WalletRegistration, pass_id=row.id, device=device, push_token=push_token, registered_at=now)


def changed_since(device: str, since: datetime | None) -> list[tuple[str, datetime]]:
    """Serials of a device's passes that changed after `since` (None: all), with the instant."""
    query = (
        select(Card.number, WalletPass.changed_at).join(WalletPass, WalletPass.card_id == Card.id)
        .join(WalletRegistration, WalletRegistration.pass_id == WalletPass.id)
        .where(WalletRegistration.device == device).order_by(Card.number)
    )  # fmt: skip
    if since is not None:
        query = query.where(WalletPass.changed_at > since)
    return [(str(row[0]), row[1]) for row in db.session.execute(query)]
