"""The record of one person, as staff see it."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from app import clock
from app.accounts.service import actor_name
from app.cards.service import find_card
from app.extensions import db
from app.memberships.models import SeenDocument, Tier
from app.memberships.service import (
    find_renewal_choice,
    holds_of,
    membership_of,
    price_on,
    renewal_tier,
    terms_of,
)
from app.payments.history import history_of
from app.payments.models import Gift, Payment
from app.payments.service import find_auto_renewal
from app.people.models import Person
from app.portal.explaining import explain, term_rows
from app.verification.service import last_scan_of_person
from app.verification.words import answer_word


def record_of(person: Person, now: datetime, today: date, as_of: date) -> dict[str, Any]:
    """What portal/person.html asks for; membership and the sentence are those of the day `as_of`."""
    answer = explain(person, now, as_of)
    because: str = answer["because"]
    known = answer["known_then"]
    is_as_known = known == {name: answer[name] for name in known}
    return {
        "person": _shown(person), "membership": membership_of(person.id, now, as_of), "as_of": as_of, "today": today,
        "because": because[:1].upper() + because[1:] + ".", "known_then": None if is_as_known else _known(known),
        "status_then": answer["status"], "terms": _terms(person), "holds": _holds(person),
        "payments": [row for row in history_of(person, today) if not row.is_received], "gifts": _gifts(person),
        "renewal": _renewal(person, today), "documents": _documents(person), "card": _card(person),
    }  # fmt: skip


def newest_term_id(person_id: int) -> int:
    """What a page that grants days has seen; 0 without a term."""
    return max((term.id for term in terms_of(person_id)), default=0)


def _shown(person: Person) -> SimpleNamespace:
    degrees = [", ".join(str(part) for part in (d.name, d.faculty, d.graduation_year) if part) for d in person.degrees]
    return SimpleNamespace(
        full_name=person.full_name, member_number=person.member_number, email=person.email, phone=person.phone,
        language=person.language, student_id=person.student_id, degrees=degrees,
    )  # fmt: skip


def _known(known: dict[str, str | None]) -> SimpleNamespace:
    until = known["valid_until"]
    return SimpleNamespace(
        status=known["status"], valid_until=date.fromisoformat(until) if until else None,
        is_for_life=until is None and known["status"] in ("active", "suspended"),
    )  # fmt: skip


def _terms(person: Person) -> list[SimpleNamespace]:
    """Newest first, with the giver of a gift, who granted it, and the term it continues."""
    rows = []
    for term, row in zip(reversed(terms_of(person.id)), term_rows(person), strict=True):
        payment = db.session.get(Payment, term.payment_id) if term.payment_id else None
        giver = payment.person if payment is not None and payment.person_id != person.id else None
        rows.append(
            SimpleNamespace(
                **row, giver=giver, is_continued=term.continues_id is not None,
                granted_by_name=actor_name(term.granted_by) if term.granted_by else None,
            )
        )  # fmt: skip
    return rows


def _holds(person: Person) -> list[SimpleNamespace]:
    """The open ones: staff's own on the person, and those on the days of a disputed payment."""
    return [
        SimpleNamespace(cause=hold.cause, since=hold.from_at, is_ours=hold.person_id is not None)
        for hold in holds_of(person.id, [term.id for term in terms_of(person.id)]) if hold.until_at is None
    ]  # fmt: skip


def _gifts(person: Person) -> list[SimpleNamespace]:
    """What the person gave and was given."""
    mine = (Payment.person_id == person.id) | (Gift.recipient_id == person.id)
    query = select(Gift).join(Payment, Payment.id == Gift.payment_id).where(mine).order_by(Gift.payment_id.desc())
    return [
        SimpleNamespace(
            is_given=gift.payment.person_id == person.id, giver=gift.payment.person, name=gift.recipient_name,
            number=gift.payment.number, tier=gift.payment.tier, accepted_at=gift.accepted_at,
            paid_on=gift.payment.paid_on,
        )
        for gift in db.session.execute(query).scalars()
    ]  # fmt: skip


def _renewal(person: Person, today: date) -> SimpleNamespace:
    """What comes next: the tier chosen or held, and what renewing by itself will take."""
    choice, tier, by_itself = find_renewal_choice(person.id), renewal_tier(person.id, today), None
    it = find_auto_renewal(person.id)
    if it is not None:
        by_itself = SimpleNamespace(
            charge_on=it.charge_on, tier=it.tier, fee_cents=it.fee_cents, currency=it.currency,
            announced_on=it.announced_on if it.announced_for == it.charge_on else None,
        )  # fmt: skip
    price = price_on(tier, today) if tier is not None else None
    return SimpleNamespace(
        tier=tier, is_chosen=choice is not None, by_itself=by_itself, fee_cents=price.fee_cents if price else 0,
        currency=price.currency if price else "EUR",
    )  # fmt: skip


def _documents(person: Person) -> list[SimpleNamespace]:
    query = (
        select(SeenDocument, Tier)
        .join(Tier, Tier.id == SeenDocument.tier_id)
        .where(SeenDocument.person_id == person.id)
        .order_by(SeenDocument.id)
    )
    return [
        SimpleNamespace(tier=tier, seen_on=it.seen_on, seen_by=actor_name(it.seen_by), valid_until=it.valid_until)
        for it, tier in db.session.execute(query)
    ]


def _card(person: Person) -> SimpleNamespace | None:
    card, scan = find_card(person.id), last_scan_of_person(person.id)
    if card is None:
        return None
    return SimpleNamespace(
        issued_on=clock.day_of(card.issued_at), last_scan_at=scan.checked_at if scan else None,
        last_scan_answer=answer_word(scan.shown_reason) if scan else None,
    )  # fmt: skip
