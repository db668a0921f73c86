"""How a delivery went, in words."""

from __future__ import annotations

from flask_babel import gettext as _

from app.services.hook_messages import TEST


def reason_words(reason: str, status: int | None) -> str:
    """Of one try."""
    if reason == "status":
        return _("It answered %(status)s.", status=status)
    return {
        "delivered": _("Taken, with %(status)s.", status=status),
        "redirect": _(
            "It pointed elsewhere, with %(status)s. We follow nobody: give the address itself.", status=status
        ),
        "gone": _("It said that it is gone for good (410)."),
        "timeout": _("It took longer than ten seconds."),
        "no_such_name": _("There is no such host."),
        "tls": _("Its certificate is not good for this name."),
        "unreachable": _("Nobody answered there."),
        "forbidden": _("Refused: the address leads inside a network, or is not https."),
        "bad_answer": _("What it answered is no HTTP."),
    }.get(reason, reason)


def event_words(event: str) -> str:
    return {
        "membership.changed": _("A membership changes"),
        "entitlement.changed": _("What somebody is entitled to changes"),
        "card.revoked": _("A card counts no longer"),
        TEST: _("A test"),
    }.get(event, event)
