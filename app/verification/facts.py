"""What a scanner has to know to judge alone, without signal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from app import clock
from app.cards.service import card_keys
from app.memberships.service import list_tiers
from app.services.at_desk import AtDesk
from app.verification.rules import OFFLINE
from app.verification.words import words_alone


def facts_for(who: AtDesk, csrf: str, now: datetime, today: date) -> dict[str, Any]:
    """The answer of GET /scan/facts."""
    desk, benefit, device = who.desk, who.desk.benefit, who.device
    return {
        "server_time": instant(now),
        "time_zone": clock.zone().key,
        "card_base_url": current_app.config["CARD_BASE_URL"],
        "csrf": csrf,
        "jwks": card_keys().public_jwks(today),
        "desk": {"id": desk.id, "name": desk.name},
        "benefit": {"code": benefit.code, "name": benefit.name, "tier_ids": [tier.id for tier in benefit.tiers]}
        if benefit
        else None,
        "tiers": {str(tier.id): {"code": tier.code, "name": tier.name} for tier in list_tiers()},
        "device": {"name": device.name, "expires_at": instant(device.expires_at)}
        if device and device.expires_at
        else None,
        "verdicts": {
            reason: {
                kind: words_alone(reason, kind == "static", benefit.name if benefit else None)
                for kind in ("live", "static")
            }
            for reason in OFFLINE
        },
        "labels": {"tier": _("Tier"), "until": _("Until"), "name": _("Name"), "list_from": _("List of")},
    }


def instant(moment: datetime) -> str:
    """2026-11-23T10:00:00.123Z"""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
