"""What `flask doctor` asks about cards: their keys, the size of their code, the wallets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import current_app

from app import clock, doctor
from app.cards.keys import NoSigningKey
from app.cards.payload import card_prefix
from app.cards.service import card_keys
from app.cards.wallets.setup import apple_certificate, google_account
from app.doctor import Finding

LONGEST_PREFIX = 36  # HTTPS://HOST/C/ with 25 characters of host: 41 modules
ENDS_SOON = timedelta(days=30)


def check(now: datetime) -> Iterator[Finding]:
    yield _keys()
    yield _code()
    yield _apple(now)
    yield _google()


def _keys() -> Finding:
    today = clock.today()
    try:
        kids = [card_keys().signing_key(today, use).kid for use in ("card", "status")]
    except NoSigningKey as error:
        return Finding("card keys", "wrong", str(error), "Run flask cards rotate-key.")
    return Finding("card keys", "well", f"{kids[0]} signs cards, {kids[1]} the status list")


def _code() -> Finding:
    prefix = card_prefix(current_app.config["CARD_BASE_URL"])
    if len(prefix) <= LONGEST_PREFIX:
        return Finding("card code", "well", f"41 modules under {prefix}")
    todo = "Set CARD_BASE_URL to an address of the same site with a host of at most 25 characters."
    return Finding("card code", "note", f"45 modules or more under {prefix}: it reads from less far away", todo)


def _apple(now: datetime) -> Finding:
    certificate = apple_certificate()
    if certificate is None:
        todo = "Set APPLE_PASS_CERTIFICATE, APPLE_PASS_KEY and APPLE_WWDR_CERTIFICATE to have it."
        return Finding("Apple Wallet", "note", "not set up, so its button is not shown", todo)
    ends_at = min(certificate.ends_at, certificate.intermediate.not_valid_after_utc)
    says = f"{certificate.pass_type}, certificate until {ends_at:%Y-%m-%d}"
    if ends_at <= now:
        todo = "Renew the pass certificate with Apple; passes can neither be made nor changed."
        return Finding("Apple Wallet", "wrong", says, todo)
    if ends_at <= now + ENDS_SOON:
        return Finding("Apple Wallet", "note", says, "Renew the pass certificate with Apple before that day.")
    return Finding("Apple Wallet", "well", says)


def _google() -> Finding:
    account = google_account()
    if account is None:
        todo = "Set GOOGLE_WALLET_ISSUER and GOOGLE_WALLET_KEY to have it."
        return Finding("Google Wallet", "note", "not set up, so its button is not shown", todo)
    return Finding("Google Wallet", "well", f"issuer {account.issuer}, {account.email}")


def register() -> None:
    doctor.register(check)
