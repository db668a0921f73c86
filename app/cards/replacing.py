"""A lost card: the old one dies at once, everywhere, and a new one stands in its place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app import audit
from app.accounts.models import Account, AccountPerson
from app.accounts.service import end_session, list_sessions
from app.cards.service import ensure_card, find_card
from app.extensions import db
from app.memberships.service import tell_of_change
from app.people.models import Person


def replace_card(person_id: int, card_id: int, kept_session_id: int | None, now: datetime) -> bool:
    """Issue a new card for `card_id`, and sign the person out everywhere but in `kept_session_id`.

    A lost phone that is still signed in would show the new card too. False, with nothing done, when `card_id` is not
    the person's live card: the same form sent twice replaces one card.
    """
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    card = find_card(person_id)
    if card is None or card.id != card_id:
        return False
    card.revoked_at, card.revoked_because = now, "replaced"
    db.session.flush()
    new = ensure_card(person_id, now)
    audit.record("card_replaced", f"card:{card.id}", now, person=person_id, by_card=new.id)
    _sign_out_devices(person_id, kept_session_id, now)
    tell_of_change(person_id, now)  # what was made of the old card, such as a wallet's pass, hears of it
    return True


def _sign_out_devices(person_id: int, kept_session_id: int | None, now: datetime) -> None:
    query = select(Account).join(AccountPerson, AccountPerson.account_id == Account.id)
    for account in db.session.execute(query.where(AccountPerson.person_id == person_id)).scalars():
        for device in list_sessions(account, now):
            if device.id != kept_session_id:
                end_session(account, device.id, now)
