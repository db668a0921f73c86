"""What a scanner has to know to judge alone, without signal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from app import clock
from app.benefits.models import Benefit
from app.benefits.service import why_not
from app.cards.service import card_keys
from app.memberships.service import NEVER, list_tiers
from app.services.at_desk import AtDesk
from app.verification.counting import is_counted
from app.verification.rules import OFFLINE
from app.verification.words import count_label, words_alone


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
        "benefit": _facts_of(benefit, now, today) if benefit else None,
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


def _facts_of(benefit: Benefit, now: datetime, today: date) -> dict[str, Any]:
    """Whose it is today, and how a desk counts its uses."""
    active = [replace(NEVER, status="active", tier_id=tier.id) for tier in benefit.tiers]
    return {
        "code": benefit.code,
        "name": benefit.name,
        "tier_ids": [it.tier_id for it in active if why_not(benefit, it, now, today) is None],
        "count": {"label": count_label(benefit), "alone": benefit.offline_ok} if is_counted(benefit) else None,
    }


def instant(moment: datetime) -> str:
    """2026-11-23T10:00:00.123Z"""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
