"""Somebody who pays or accepts a gift before they are in the register."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.accounts.models import Account
from app.accounts.service import add_person_to_account
from app.accounts.signed_in import current_account, current_person
from app.errors import Refusal
from app.extensions import db
from app.payments.forms import NamesForm
from app.people.models import Person
from app.people.service import add_person


def person_of(form: object) -> Person:
    """Who is signed in; a newcomer is added by the names they typed. Raises Refusal name_missing."""
    person = current_person()
    if person is not None:
        return person
    if not isinstance(form, NamesForm):
        raise Refusal("name_missing", _("Tell us your given name and your family name."))
    account = current_account()
    # A second click of the same form waits here and finds whom the first has added.
    db.session.execute(select(Account.id).where(Account.id == account.id).with_for_update())
    db.session.refresh(account, ["persons"])
    if account.persons:
        return account.persons[0]
    person = add_person(form.given_name.data or "", form.family_name.data or "", account.email, clock.now())
    add_person_to_account(account, person, clock.now())
    return person
