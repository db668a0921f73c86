"""What an organisation is told about a person now, by the decision that verification makes too."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select

from app.accounts.models import Account, AccountPerson
from app.association import get_association
from app.benefits.service import list_benefits
from app.cards.service import ReadCard
from app.discounts import rules
from app.discounts.models import OpenIdConnection
from app.extensions import db
from app.memberships.service import FOR_LIFE, get_tier_by_id
from app.people.models import Person
from app.services.service import subject_for
from app.verification.judging import judge


def subject_claims(connection: OpenIdConnection) -> dict[str, Any]:
    """Who it is, by a name that this service alone knows them by."""
    return {"sub": subject_for(connection.client.service_id, connection.person_id)}


def claims_of(connection: OpenIdConnection, scopes: str, now: datetime, today: date) -> dict[str, Any]:
    """Everything that `scopes` stand for, as it is now."""
    claims, asked = subject_claims(connection), scopes.split()
    person = connection.person
    if "membership" in asked:
        claims |= rules.membership_claims(facts_of(connection.client.service_id, person.id, now, today), domain())
    if "profile" in asked:
        claims |= {"name": person.full_name, "given_name": person.given_name, "family_name": person.family_name}
    if "email" in asked and (email := proven_email(person)):
        claims |= {"email": email, "email_verified": True}
    return claims


def facts_of(service_id: int, person_id: int, now: datetime, today: date) -> rules.Facts:
    """Of its partners' benefits a service hears only of its own; of one whose limit is used up it hears no more."""
    standing = judge(ReadCard("ok"), person_id, None, now, today).standing
    tier = get_tier_by_id(standing.tier_id) if standing.tier_id else None
    told = [it for it in list_benefits() if it.partner_id in (None, service_id)]
    entitled = [it.code for it in told if judge(ReadCard("ok"), person_id, it, now, today).columns()["entitled"]]
    return rules.Facts(
        status=standing.status, is_member=standing.is_valid, tier=tier.code if tier else None,
        valid_until=standing.valid_until if standing.valid_until != FOR_LIFE else None, benefits=entitled,
    )  # fmt: skip


def proven_email(person: Person) -> str | None:
    """The address the person signs in with."""
    owner = select(Account.email).join(AccountPerson).where(AccountPerson.person_id == person.id)
    return db.session.execute(owner).scalar_one_or_none()


def issuer() -> str:
    return str(current_app.config["BASE_URL"])


def domain() -> str:
    return urlsplit(issuer()).hostname or ""


def seconds_elsewhere(instant: datetime) -> int:
    """An instant as another machine's clock counts it: the rehearsal clock's offset is ours alone."""
    return int(instant.timestamp()) - get_association().clock_offset_seconds
