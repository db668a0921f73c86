"""A verdict in the words a desk reads at arm's length."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from app.formats import day_short
from app.verification.rules import panel
from app.verification.service import Verdict


def scanner_words(verdict: Verdict, benefit_name: str | None) -> dict[str, Any]:
    """{"panel", "word", "line", "facts": [{"label", "value"}]} in the reader's language."""
    shown = panel(verdict.reason, verdict.check_identity)
    word = {
        "ok": _("Valid"),
        "check": _("Check ID"),
        "no": _("Not valid"),
        "other": _("Member, not for this"),
        "unsure": _("Cannot tell"),
    }[shown]
    facts = []
    if verdict.valid and verdict.tier_name and verdict.valid_until:
        facts = [
            {"label": _("Tier"), "value": verdict.tier_name},
            {"label": _("Until"), "value": day_short(verdict.valid_until)},
        ]
    return {"panel": shown, "word": word, "line": _line(verdict, benefit_name), "facts": facts}


def _line(verdict: Verdict, benefit_name: str | None) -> str:
    if verdict.reason == "grace" and verdict.grace_until:
        line = _("In grace until %(day)s.", day=day_short(verdict.grace_until))
        return f"{line} {_('Check a photo or ID.')}" if verdict.check_identity else line
    if verdict.reason == "lapsed" and verdict.valid_until:
        return _("Ended on %(day)s. You can renew on your phone.", day=day_short(verdict.valid_until))
    if verdict.reason == "not_entitled":
        return _("Not included: %(benefit)s.", benefit=benefit_name) if benefit_name else _("Not included.")
    if verdict.reason == "ok":
        if verdict.check_identity:
            return _("This code can be copied. Check a photo or ID.")
        return benefit_name or _("Member")
    return {
        "forged": _("This code is not one of ours."),
        "unknown_card": _("This card is not known. Open the card page again."),
        "stale_code": _("This code is too old. Open the card page again."),
        "expired_card": _("This printed card has ended. Ask for the card on the phone."),
        "revoked": _("This card was withdrawn. Open the card page for the new one."),
        "replaced": _("This card was replaced. Open the card page for the new one."),
        "suspended": _("Ask the association."),
        "lapsed": _("The membership has ended. You can renew on your phone."),
        "none": _("No membership. You can join on your phone."),
        "limit_reached": _("The limit is used up."),
        "clock_wrong": _("This device’s clock is wrong. Check a photo or ID."),
        "list_too_old": _("This device’s list is too old. Find signal, then scan again."),
    }[verdict.reason]
