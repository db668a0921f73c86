"""What a card says on paper and in a wallet: the same facts everywhere, and words for its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from flask_babel import gettext as _

from app.cards import service
from app.cards.models import Card
from app.formats import day_long
from app.memberships.service import FOR_LIFE, get_tier_by_id, standing_of


@dataclass(frozen=True, slots=True)
class CardFacts:
    """`serial` is the card's number in digits, new at every issue. `state`: "on_hold" may be valid again, "over"
    will not by itself. `language` is the holder's own. `code` is the static code, good through `grace_until`; None
    unless the card is valid.
    """

    serial: str
    state: Literal["valid", "on_hold", "over"]
    holder: str
    member_number: str
    language: str | None
    tier_code: str
    tier_name: str
    valid_until: date | None
    grace_until: date | None
    is_in_grace: bool
    code: str | None

    @property
    def is_for_life(self) -> bool:
        return self.valid_until == FOR_LIFE


def facts_of(card: Card, now: datetime, today: date) -> CardFacts:
    """Reads only; the facts of a card that was withdrawn or whose membership is over, too."""
    standing = standing_of(card.person_id, now, today)
    is_valid = standing.is_valid and card.revoked_at is None
    on_hold = standing.status == "suspended" and card.revoked_at is None
    tier = get_tier_by_id(standing.tier_id) if standing.tier_id is not None else None
    return CardFacts(
        serial=str(card.number),
        state="valid" if is_valid else "on_hold" if on_hold else "over",
        holder=card.person.full_name,
        member_number=card.person.member_number,
        language=card.person.language,
        tier_code=tier.code if tier else "",
        tier_name=tier.name if tier else "",
        valid_until=standing.valid_until,
        grace_until=standing.grace_until,
        is_in_grace=standing.status == "grace",
        code=service.static_code(card, standing, today) if is_valid else None,
    )


def until_words(facts: CardFacts) -> tuple[str, str]:
    """Label and day of the end, in the reader's language."""
    if facts.is_for_life:
        return _("Valid"), _("for life")
    if facts.is_in_grace and facts.grace_until:
        return _("In grace until"), day_long(facts.grace_until)
    return _("Valid until"), day_long(facts.valid_until) if facts.valid_until else ""
