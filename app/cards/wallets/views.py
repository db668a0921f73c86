"""A member puts the card into a wallet."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, current_app, redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.cards.own_card import own_card
from app.cards.wallets import google_api, passes
from app.cards.wallets.apple_pass import MIMETYPE, pkpass
from app.cards.wallets.google_object import generic_object
from app.cards.wallets.setup import apple_certificate, google_account
from app.errors import Refusal
from app.extensions import db

bp = Blueprint("wallets", __name__)
log = structlog.get_logger()


@bp.get("/card.pkpass")
@access.signed_in
def apple() -> ResponseReturnValue:
    """The pass for Apple's wallet; the device that takes it registers itself."""
    certificate = apple_certificate()
    if certificate is None:
        raise Refusal("wallet_not_set_up", _("Apple Wallet is not set up here. Use the PDF or the card page."), 404)
    _card, facts = own_card()
    response = Response(pkpass(facts, certificate), mimetype=MIMETYPE)
    response.headers["Content-Disposition"] = 'attachment; filename="card.pkpass"'
    return response


@bp.post("/card/google")
@access.signed_in
def google() -> ResponseReturnValue:
    """Hand the card to Google's wallet and go there to save it."""
    account = google_account()
    if account is None:
        raise Refusal("wallet_not_set_up", _("Google Wallet is not set up here. Use the PDF or the card page."), 404)
    now = clock.now()
    card, facts = own_card()
    document = generic_object(facts, account)
    passes.keep_pass(card, "google", facts, now)
    db.session.commit()
    try:
        google_api.keep_object(account, document, now)
    except google_api.GoogleTrouble as trouble:
        log.warning("google_wallet_trouble", said=str(trouble))
        raise Refusal("wallet_unreachable", _("Google’s wallet does not answer. Try again in a minute."), 503) from None
    return redirect(account.save_link(facts.serial, current_app.config["BASE_URL"], now), 303)
