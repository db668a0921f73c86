"""Why a device was refused, in words for the association."""

from __future__ import annotations

from flask_babel import gettext as _


def refusal_words(reason: str) -> str:
    """A reason of ours in the reader's language; one that has no words yet, as it is."""
    words = {
        "unknown_device": _("A user name that no device has"),
        "wrong_secret": _("Wrong secret"),
        "revoked": _("A device that was taken off"),
        "lapsed": _("Membership lapsed"),
        "none": _("Never a member, or refunded"),
        "suspended": _("Membership on hold"),
        "not_entitled": _("The tier has no Wi-Fi"),
    }
    return words.get(reason, reason)
