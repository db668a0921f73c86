"""What a scope lets a service do, as people read it."""

from __future__ import annotations

from flask_babel import gettext as _


def scope_words(scope: str) -> str:
    return {
        "verify": _("Ask whether the holder of a card is a member, and what is theirs"),
        "verify:number": _("Ask by member number, without a card"),
        "redeem": _("Count uses of benefits, and take single-use codes"),
        "members": _("List how every member stands, without names"),
        "members:number": _("See member numbers in that list"),
        "members:email": _("See addresses in that list"),
        "payments": _("List payments and what became of them, without names"),
        "scan": _("Be a desk whose staff scan cards"),
        "identity": _("See name and photo at that desk"),
        "radius": _("Ask for a Wi-Fi device’s sign-in, as a RADIUS server does"),
        "openid": _("Let members sign in, with their consent"),
    }[scope]
