"""The card of whoever is signed in, for pages that need a valid one."""

from __future__ import annotations

from flask_babel import gettext as _

from app import clock
from app.accounts.signed_in import current_person
from app.cards.facts import CardFacts, facts_of
from app.cards.models import Card
from app.cards.service import find_card
from app.errors import Refusal


def own_card() -> tuple[Card, CardFacts]:
    """Raises Refusal 404 where there is no valid card: no membership, one on hold, a card withdrawn."""
    person = current_person()
    card = find_card(person.id) if person else None
    facts = facts_of(card, clock.now(), clock.today()) if card else None
    if card is None or facts is None or facts.code is None:
        raise Refusal("no_card", _("You have no card at the moment. It comes with a membership."), 404)
    return card, facts
