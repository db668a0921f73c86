"""A card as Google's wallet keeps it: a generic object (walletobjects v1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from app import clock
from app.association import get_association
from app.cards.facts import CardFacts
from app.cards.wallets.google_account import GoogleAccount
from app.formats import day_long
from app.mail import language_of

STATES = {"valid": "ACTIVE", "on_hold": "INACTIVE", "over": "EXPIRED"}


def generic_object(facts: CardFacts, account: GoogleAccount) -> dict[str, Any]:
    """The whole object, in its holder's language. None takes a field away that an earlier one had."""
    locale = language_of(facts.language)
    association = get_association()
    with force_locale(locale):
        return {
            "id": account.object_id(facts.serial),
            "classId": account.class_id,
            "state": STATES[facts.state],
            "cardTitle": _said(f"{association.name} {association.kind}", locale),
            "subheader": _said(_("Member"), locale),
            "header": _said(facts.holder, locale),
            "hexBackgroundColor": "#0f2238" if facts.tier_code == "plus" else "#14497f",
            "barcode": {"type": "QR_CODE", "value": facts.code, "alternateText": facts.member_number}
            if facts.code
            else None,
            "validTimeInterval": _interval(facts),
            "textModulesData": [
                {"id": name, "header": header, "body": body}
                for name, header, body in (
                    ("until", _("Valid until"), _until(facts)),
                    ("grace", _("Days of grace until"), _grace(facts)),
                    ("tier", _("Tier"), facts.tier_name),
                    ("number", _("Member number"), facts.member_number),
                    ("check", _("For staff"), _("Check a photo or ID.")),
                )
                if body
            ],
        }


def _until(facts: CardFacts) -> str:
    if facts.is_for_life:
        return _("for life")
    return day_long(facts.valid_until) if facts.valid_until else ""


def _grace(facts: CardFacts) -> str:
    if facts.grace_until is None or facts.grace_until == facts.valid_until:
        return ""
    return day_long(facts.grace_until)


def _interval(facts: CardFacts) -> dict[str, Any] | None:
    """Until the last second of grace, when the wallet puts the card away by itself."""
    if facts.grace_until is None or facts.is_for_life:
        return None
    last = clock.day_end(facts.grace_until) - timedelta(seconds=1)
    return {"end": {"date": last.astimezone(clock.zone()).isoformat(timespec="seconds")}}


def _said(text: str, locale: str) -> dict[str, Any]:
    return {"defaultValue": {"language": locale, "value": text}}
