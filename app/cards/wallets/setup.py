"""What the association has set up of each wallet; None where it has not."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app

from app.cards.wallets.apple_certificate import AppleCertificate
from app.cards.wallets.google_account import GoogleAccount
from config import ConfigurationError


def check_wallets(app: Flask) -> None:
    """Raises ConfigurationError, which names the setting and shows no key."""
    _apple_of(app.config)
    google = _google_of(app.config)
    if google and app.config["PRODUCTION"] and not google.token_uri.startswith("https://"):
        raise ConfigurationError("GOOGLE_WALLET_KEY: token_uri must be https://.")


def apple_certificate() -> AppleCertificate | None:
    return _apple_of(current_app.config)


def google_account() -> GoogleAccount | None:
    return _google_of(current_app.config)


def _apple_of(config: Mapping[str, Any]) -> AppleCertificate | None:
    if not config["APPLE_PASS_CERTIFICATE"]:
        return None
    return _load_apple(config["APPLE_PASS_CERTIFICATE"], config["APPLE_PASS_KEY"], config["APPLE_WWDR_CERTIFICATE"])


def _google_of(config: Mapping[str, Any]) -> GoogleAccount | None:
    if not config["GOOGLE_WALLET_KEY"]:
        return None
    return _load_google(config["GOOGLE_WALLET_ISSUER"], config["GOOGLE_WALLET_KEY"])


@functools.lru_cache(maxsize=1)
def _load_apple(certificate: str, key: str, intermediate: str) -> AppleCertificate:
    return AppleCertificate.load(certificate, key, intermediate)


@functools.lru_cache(maxsize=1)
def _load_google(issuer: str, key_file: str) -> GoogleAccount:
    return GoogleAccount.load(issuer, key_file)
