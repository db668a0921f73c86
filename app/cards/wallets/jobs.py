"""Wallets hear of what changes: renewal, upgrade, refund, hold, a card replaced. A lapse needs nobody to tell it,
since a pass carries its end."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from app import clock, jobs
from app.cards.facts import facts_of
from app.cards.wallets import apple_push, google_api, passes
from app.cards.wallets.google_object import generic_object
from app.cards.wallets.models import WalletPass, WalletRegistration
from app.cards.wallets.setup import apple_certificate, google_account
from app.extensions import db


def refresh_person(now: datetime, person_id: int) -> None:
    passes.refresh_passes(person_id, now, clock.today())
    db.session.commit()


def refresh_begun(now: datetime) -> None:
    passes.refresh_begun(now, clock.today())
    db.session.commit()


def tell_wallet(now: datetime, pass_id: int) -> None:
    row = db.session.get_one(WalletPass, pass_id)
    if row.wallet == "apple":
        _tell_apple(pass_id, now)
    else:
        _tell_google(row, now)


def _tell_apple(pass_id: int, now: datetime) -> None:
    certificate = apple_certificate()
    query = select(WalletRegistration.push_token).where(WalletRegistration.pass_id == pass_id).distinct()
    tokens = list(db.session.execute(query.order_by(WalletRegistration.push_token)).scalars())
    db.session.rollback()
    if certificate is None or not tokens:
        return
    dead = apple_push.knock(certificate, tokens)
    # A device that has come back since with the same token is not dead.
    gone = WalletRegistration.push_token.in_(dead) & (WalletRegistration.registered_at <= now)
    db.session.execute(delete(WalletRegistration).where(gone))
    db.session.commit()


def _tell_google(row: WalletPass, now: datetime) -> None:
    account = google_account()
    if account is None:
        return
    document = generic_object(facts_of(row.card, now, clock.today()), account)
    db.session.rollback()
    google_api.change_object(account, document, now)


def register() -> None:
    jobs.handles("membership_changed", refresh_person)
    jobs.handles("refresh_wallet", refresh_person)
    jobs.handles("refresh_wallets", refresh_begun)
    jobs.handles("tell_wallet", tell_wallet)
    jobs.every(timedelta(hours=6), "refresh_wallets")
