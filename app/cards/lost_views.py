"""A lost phone or card: what happens, and the new card."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app import clock
from app.accounts import access
from app.accounts.signed_in import current_person
from app.cards.forms import ReplaceCardForm
from app.cards.replacing import replace_card
from app.cards.service import find_card
from app.errors import Refusal
from app.extensions import db

bp = Blueprint("lost_cards", __name__)


@bp.get("/card/lost")
@access.signed_in
def lost() -> ResponseReturnValue:
    """What will happen; nothing has yet."""
    person = current_person()
    card = find_card(person.id) if person is not None else None
    if card is None:
        raise Refusal("no_card", _("You have no card at the moment. It comes with a membership."), 404)
    return render_template("cards/lost.html", form=ReplaceCardForm(data={"card": card.id}))


@bp.post("/card/lost")
@access.signed_in
def replace() -> ResponseReturnValue:
    """A new card for the one the form names; named twice, it is replaced once."""
    person, form = current_person(), ReplaceCardForm()
    if person is None or find_card(person.id) is None:
        raise Refusal("no_card", _("You have no card at the moment. It comes with a membership."), 404)
    if not form.validate_on_submit() or not form.card.data.isdecimal() or len(form.card.data) > 9:
        return redirect(url_for("lost_cards.lost"), 303)
    replace_card(person.id, int(form.card.data), current_user.row.id, clock.now())
    db.session.commit()
    flash(_("This is your new card. The old one is no longer valid."), "ok")
    return redirect(url_for("cards.card"), 303)
