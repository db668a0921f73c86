"""The card to print or to keep as a file."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import clock
from app.accounts import access
from app.cards.card_pdf import card_pdf
from app.cards.facts import until_words
from app.cards.own_card import own_card
from app.cards.png import qr_png
from app.cards.qr import qr_svg

bp = Blueprint("paper", __name__)


@bp.get("/card.pdf")
@access.signed_in
def pdf() -> ResponseReturnValue:
    """A4 to cut and fold; with size=card the size of a bank card, for a card printer."""
    _card, facts = own_card()
    return _file(card_pdf(facts, request.args.get("size") != "card", clock.now()), "application/pdf", "inline", "pdf")


@bp.get("/card.png")
@access.signed_in
def png() -> ResponseReturnValue:
    """The static code alone."""
    _card, facts = own_card()
    return _file(qr_png(facts.code or ""), "image/png", "attachment", "png")


@bp.get("/card/print")
@access.signed_in
def print_page() -> ResponseReturnValue:
    _card, facts = own_card()
    label, day = until_words(facts)
    picture = qr_svg(facts.code or "", _("Member code for staff to scan"))
    return render_template("cards/print.html", card=facts, until_label=label, until_day=day, code_svg=picture)


def _file(content: bytes, mimetype: str, disposition: str, ending: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'{disposition}; filename="card.{ending}"'
    return response
