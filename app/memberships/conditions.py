"""Reduced fees are tiers with a condition: who may buy one, and the documents that staff have seen."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.memberships import rules
from app.memberships.models import SeenDocument, Tier
from app.people.models import Degree, Person


def condition_words(tier: Tier) -> str | None:
    """What a tier asks of its buyer, as people read it; None when it asks nothing."""
    if tier.condition is None:
        return None
    if tier.condition == "document":
        return _("The office has to have seen a document that proves your right to it.")
    return ngettext(
        "For those who graduated at most %(num)d year ago.", "For those who graduated at most %(num)d years ago.",
        tier.condition_years,
    )  # fmt: skip


def meets_condition(person_id: int | None, tier: Tier, today: date) -> bool:
    """Whether somebody (None: nobody we know) may buy a tier on a day."""
    if tier.condition is None:
        return True
    if person_id is None:
        return False
    if tier.condition == "document":
        seen = _find_seen(person_id, tier)
        return seen is not None and (seen.valid_until is None or today <= seen.valid_until)
    years = select(Degree.graduation_year).where(Degree.person_id == person_id)
    return rules.has_graduated_within(db.session.execute(years).scalars(), tier.condition_years or 0, today)


def record_seen_document(
    person: Person, tier: Tier, by: str, valid_until: date | None, now: datetime, today: date
) -> SeenDocument:
    """Staff have seen the document a tier asks for; the last word counts. Raises Refusal."""
    if tier.condition != "document":
        raise Refusal("no_document_needed", _("The tier %(tier)s asks for no document.", tier=tier.code))
    if valid_until is not None and valid_until < today:
        raise Refusal("document_expired", _("That day has passed: the document would prove nothing."))
    seen = _find_seen(person.id, tier)
    if seen is None:
        seen = SeenDocument(person_id=person.id, tier_id=tier.id)
        db.session.add(seen)
    seen.seen_on, seen.seen_by, seen.valid_until = today, by, valid_until
    db.session.flush()
    audit.record("document_seen", f"person:{person.id}", now, tier=tier.code, by=by, valid_until=valid_until)
    return seen


def _find_seen(person_id: int, tier: Tier) -> SeenDocument | None:
    query = select(SeenDocument).where(SeenDocument.person_id == person_id, SeenDocument.tier_id == tier.id)
    return db.session.execute(query).scalar_one_or_none()
