"""The register's front door."""

from __future__ import annotations

import re
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import and_, func, or_, select

from app import audit
from app.errors import Refusal
from app.extensions import db
from app.people.models import Person
from app.people.rules import EMAIL, clean


def add_person(given_name: str, family_name: str, email: str | None, now: datetime) -> Person:
    """A new human in the register. Raises Refusal when a name is blank."""
    given, family = clean(given_name), clean(family_name)
    if not given or not family:
        raise Refusal("name_missing", _("Tell us your given name and your family name."))
    person = Person(given_name=given, family_name=family, email=email.lower() if email else None, created_at=now)
    db.session.add(person)
    db.session.flush()
    audit.record("person_added", f"person:{person.id}", now)
    return person


def get_person(person_id: int) -> Person:
    """Raises Refusal 404."""
    person = db.session.get(Person, person_id)
    if person is None:
        raise Refusal("unknown_person", _("There is no such person in the register."), 404)
    return person


def find_persons_by_email(email: str) -> list[Person]:
    """Everybody whose contact address this is, oldest record first."""
    query = select(Person).where(Person.email == email.lower()).order_by(Person.id)
    return list(db.session.execute(query).scalars())


def is_email(text: str) -> bool:
    """Whether mail could be sent there at all; whether it arrives is for the sign-in to prove."""
    return EMAIL.fullmatch(text) is not None


def number_in(text: str) -> int | None:
    """The id in "M-000123" or "123"; None when the text is neither."""
    match = re.fullmatch(r"(?:[Mm]-)?(\d{1,9})", text.strip(), re.ASCII)
    return int(match[1]) if match else None


def resolve_person(text: str) -> Person:
    """PERSON of the commands: a member number, an email or an id. Raises Refusal when not exactly one."""
    if "@" in text:
        found = find_persons_by_email(text.strip())
        if len(found) > 1:
            numbers = ", ".join(person.member_number for person in found)
            raise Refusal("ambiguous_person", f"{len(found)} people share that address: name one of {numbers}.")
        if found:
            return found[0]
    elif (number := number_in(text)) is not None:
        person = db.session.get(Person, number)
        if person is not None:
            return person
    detail = f"Nobody in the register is {text!r}: give a member number, an email or an id."
    raise Refusal("unknown_person", detail, 404)


def find_people(text: str, limit: int) -> list[Person]:
    """People whose number, address or name matches `text`, best first by name."""
    text = clean(text)
    if not text:
        return []
    number = number_in(text)
    if number is not None:
        person = db.session.get(Person, number)
        return [person] if person else []
    full_name = func.lower(Person.given_name + " " + Person.family_name)
    matches = [full_name.contains(word.lower(), autoescape=True) for word in text.split()]
    query = select(Person).where(or_(Person.email == text.lower(), and_(*matches)))
    return list(db.session.execute(query.order_by(Person.family_name, Person.given_name).limit(limit)).scalars())


def count_people() -> int:
    return db.session.execute(select(func.count()).select_from(Person)).scalar_one()
