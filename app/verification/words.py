"""A verdict in the words a desk reads at arm's length."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from app.benefits.models import Benefit
from app.formats import day_short
from app.verification.models import Verification
from app.verification.rules import panel
from app.verification.service import Verdict, verdict_of


def scanner_words(
    verdict: Verdict, benefit_name: str | None, left: str | None = None, used_up: str | None = None
) -> dict[str, Any]:  # fmt: skip
    """{"panel", "word", "line", "facts": [{"label", "value"}]} in the reader's language.

    `left` says how many uses there are of a limit, `used_up` when there are more of one that is reached.
    """
    shown = panel(verdict.reason, verdict.check_identity)
    facts = []
    if verdict.valid and verdict.tier_name:
        until = day_short(verdict.valid_until) if verdict.valid_until else None
        facts = [
            {"label": _("Tier"), "value": verdict.tier_name},
            {"label": _("Until") if until else _("Valid"), "value": until or _("for life")},
        ]
    if left is not None:
        facts.append({"label": _("Left"), "value": left})
    line = used_up if verdict.reason == "limit_reached" and used_up else _line(verdict, benefit_name)
    return {"panel": shown, "word": _word(shown), "line": line, "facts": facts}


def words_alone(reason: str, check_identity: bool, benefit_name: str | None) -> dict[str, str]:
    """{"panel", "word", "line"} of a desk that judges without signal, for one of rules.OFFLINE."""
    shown = panel(reason, check_identity)
    lines = {
        "ok": _("This code can be copied. Check a photo or ID.") if check_identity else benefit_name or _("Member"),
        "not_entitled": _not_included(benefit_name),
        "revoked": _("This card does not count today. Open the card page, or ask the association."),
    }
    return {"panel": shown, "word": _word(shown), "line": lines.get(reason) or _plain_line(reason)}


def words_of_scan(row: Verification, benefit_name: str | None) -> dict[str, str]:
    """{"panel", "word", "line"} that the desk was shown."""
    if row.desk_reason is not None:
        return words_alone(row.desk_reason, row.check_identity, benefit_name)
    words = scanner_words(verdict_of(row), benefit_name)
    return {name: words[name] for name in ("panel", "word", "line")}


def count_label(benefit: Benefit) -> str:
    """What the button says that counts a use."""
    return _("Count one: %(benefit)s", benefit=benefit.name)


def answer_word(reason: str) -> str:
    """One answer in a table or a sentence: what was found, of nobody in particular."""
    return {
        "ok": _("a member"),
        "grace": _("a member, in grace"),
        "not_entitled": _("a member, but not for this"),
        "limit_reached": _("a member, limit used up"),
        "forged": _("not a code of ours"),
        "unknown_card": _("a card that is not known"),
        "stale_code": _("a code that is too old"),
        "expired_card": _("a printed card that has ended"),
        "revoked": _("a card that was withdrawn"),
        "replaced": _("a card that was replaced"),
        "suspended": _("on hold"),
        "lapsed": _("a membership that has ended"),
        "none": _("no membership"),
        "clock_wrong": _("check ID, the device’s clock was wrong"),
        "list_too_old": _("cannot tell, the device’s list was too old"),
    }[reason]


def flag_words(why: str, row: Verification) -> str:
    """Why a scan should be looked at, in a sentence."""
    if why == "differs" and row.desk_reason is not None:
        said, known = answer_word(row.desk_reason), answer_word(row.reason)
        return _("Without signal the desk found: %(said)s. The register said then: %(known)s.", said=said, known=known)
    return {
        "device_expired": _("It was sent by a tablet after its pairing had run out."),
        "device_revoked": _("It was sent by a tablet after its pairing was revoked."),
        "future": _("The tablet said it was made in the future. Its clock is wrong."),
        "over_limit": _("Without signal a use was counted beyond the limit. It stays counted."),
        "late_undo": _("The desk took it back more than a minute after. It counts all the same."),
        "two_desks": _("The same code of a phone was shown at two desks at once."),
    }[why]


def undo_words(because: str) -> str:
    return {
        "mistake": _("scanned by mistake"),
        "wrong_person": _("another person’s card"),
        "left": _("they left"),
    }[because]


def _word(shown: str) -> str:
    return {
        "ok": _("Valid"),
        "check": _("Check ID"),
        "no": _("Not valid"),
        "other": _("Member, not for this"),
        "unsure": _("Cannot tell"),
    }[shown]


def _not_included(benefit_name: str | None) -> str:
    return _("Not included: %(benefit)s.", benefit=benefit_name) if benefit_name else _("Not included.")


def _line(verdict: Verdict, benefit_name: str | None) -> str:
    if verdict.reason == "grace" and verdict.grace_until:
        line = _("In grace until %(day)s.", day=day_short(verdict.grace_until))
        return f"{line} {_('Check a photo or ID.')}" if verdict.check_identity else line
    if verdict.reason == "lapsed" and verdict.valid_until:
        return _("Ended on %(day)s. You can renew on your phone.", day=day_short(verdict.valid_until))
    if verdict.reason == "not_entitled":
        return _not_included(benefit_name)
    if verdict.reason == "ok":
        if verdict.check_identity:
            return _("This code can be copied. Check a photo or ID.")
        return benefit_name or _("Member")
    return _plain_line(verdict.reason)


def _plain_line(reason: str) -> str:
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
    }[reason]
