"""What services are told of people: the standing last announced beside the standing today.

One comparison finds everything that changed, whatever changed it: money, staff, the catalogue, or midnight. What was
announced is kept for each person, so each change is announced once, and after days without a worker only the last
state is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, select, true, union

from app.benefits.models import Benefit, Redemption
from app.benefits.service import list_benefits, why_not
from app.cards.models import Card
from app.cards.withdrawn import withdrawn_places
from app.extensions import db, insert_once
from app.memberships.models import Term
from app.memberships.service import FOR_LIFE, Standing, list_tiers, standings_of
from app.services.hook_messages import News, tell
from app.services.hook_models import WebhookStanding, WebhookSubject
from app.services.hook_subjects import listening, met_among, note_met
from app.services.models import Service
from app.verification.models import Verification

Facts = dict[str, Any]
MEMBERSHIP = ("status", "tier", "valid_until", "grace_until")
NOTHING: Facts = {**dict.fromkeys(MEMBERSHIP), "status": "none", "benefits": [], "withdrawn": {}}


def everybody() -> list[int]:
    """Whoever holds or held a term, or was announced before."""
    people = union(select(Term.person_id), select(WebhookStanding.person_id)).subquery()
    return list(db.session.execute(select(people.c.person_id).order_by(people.c.person_id)).scalars())


def announce(person_ids: Sequence[int], now: datetime, today: date) -> None:
    """Write down messages about what changed for these people since it was last announced."""
    rows = _locked(person_ids, now)
    facts = _facts_of(person_ids, now, today)
    before = {row.person_id: json.loads(row.facts) for row in rows}
    changed = [row for row in rows if facts[row.person_id] != before[row.person_id]]
    if not changed:
        return
    services = listening()
    meet(services, [row.person_id for row in changed])
    met = met_among(services, [row.person_id for row in changed])
    partners = {benefit.code: benefit.partner_id for benefit in list_benefits()}
    news: list[News] = []
    for row in changed:
        person_id, old, new = row.person_id, before[row.person_id], facts[row.person_id]
        for kind, more in _changes(old, new):
            row.sequence += 1
            for service in services:
                if person_id not in met[service.id] or (
                    kind == "entitlement.changed" and _shown(old, service, partners) == _shown(new, service, partners)
                ):
                    continue
                told = {name: new[name] for name in MEMBERSHIP} | {"benefits": _shown(new, service, partners)} | more
                news.append(News(service.id, person_id, row.sequence, kind, told))
        row.facts, row.announced_at = _written(new), now
    db.session.flush()
    tell(news, now)


def meet(services: Collection[Service], person_ids: Collection[int] | None = None) -> None:
    """Note whose subject these services were given, while the log of it is there; None: of everybody."""
    for table, counts in ((Verification, Verification.status != "none"), (Redemption, true())):
        is_known = exists().where(
            WebhookSubject.service_id == table.service_id, WebhookSubject.person_id == table.person_id
        )
        query = select(table.service_id, table.person_id).where(
            table.service_id.in_([it.id for it in services]), table.person_id.is_not(None), counts, ~is_known
        )
        if person_ids is not None:
            query = query.where(table.person_id.in_(person_ids))
        found = db.session.execute(query.distinct()).all()
        note_met([(service_id, person_id) for service_id, person_id in found if service_id and person_id])


def _locked(person_ids: Sequence[int], now: datetime) -> list[WebhookStanding]:
    """What was last announced of them; whoever else announces them waits."""
    query = select(WebhookStanding).where(WebhookStanding.person_id.in_(person_ids)).order_by(WebhookStanding.person_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    rows = list(db.session.execute(query).scalars())
    unheard = set(person_ids) - {row.person_id for row in rows}
    for person_id in sorted(unheard):
        insert_once(WebhookStanding, person_id=person_id, sequence=0, facts=_written(NOTHING), announced_at=now)
    return list(db.session.execute(query).scalars()) if unheard else rows


def _facts_of(person_ids: Sequence[int], now: datetime, today: date) -> dict[int, Facts]:
    tiers = {tier.id: tier.code for tier in list_tiers()}
    benefits, withdrawn = list_benefits(), _withdrawn_cards(person_ids, now, today)
    standings = standings_of(person_ids, now, today)
    return {
        person_id: {
            "status": it.status,
            "tier": tiers[it.tier_id] if it.tier_id else None,
            "valid_until": _last_day(it.valid_until),
            "grace_until": _last_day(it.grace_until),
            "benefits": sorted(_entitled(benefits, it, now, today)),
            "withdrawn": withdrawn.get(person_id, {}),
        }
        for person_id, it in standings.items()
    }


def _entitled(benefits: Sequence[Benefit], standing: Standing, now: datetime, today: date) -> Iterator[str]:
    return (benefit.code for benefit in benefits if why_not(benefit, standing, now, today) is None)


def _withdrawn_cards(person_ids: Sequence[int], now: datetime, today: date) -> dict[int, dict[str, str]]:
    """person_id -> the cards that count no longer, each with why. A mere lapse is not among them."""
    places = withdrawn_places(now, today)
    found: dict[int, dict[str, str]] = {}
    for card in db.session.execute(select(Card).where(Card.person_id.in_(person_ids))).scalars():
        if card.revoked_at is not None:
            found.setdefault(card.person_id, {})[str(card.id)] = card.revoked_because or "revoked"
        elif card.status_index in places:
            found.setdefault(card.person_id, {})[str(card.id)] = "not_valid"
    return found


def _changes(old: Facts, new: Facts) -> Iterator[tuple[str, Facts]]:
    """What kinds of message a change makes, and what each says beside the standing."""
    if any(old[name] != new[name] for name in MEMBERSHIP):
        yield "membership.changed", {}
    if old["benefits"] != new["benefits"]:
        yield "entitlement.changed", {}
    for card, reason in new["withdrawn"].items():
        if card not in old["withdrawn"]:
            yield "card.revoked", {"reason": reason}


def _shown(facts: Facts, service: Service, partners: dict[str, int | None]) -> list[str]:
    """The association's own benefits and the service's; another partner's are none of its business."""
    return [code for code in facts["benefits"] if partners.get(code) in (None, service.id)]


def _last_day(day: date | None) -> str | None:
    """None for life, which has no last day."""
    return None if day is None or day == FOR_LIFE else day.isoformat()


def _written(facts: Facts) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))
