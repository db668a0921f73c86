"""People, tiers and paid fees for the tests of memberships alone: no provider, no ledger, days of the test's own."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from app.extensions import db
from app.memberships import service
from app.memberships.models import Term, Tier
from app.payments.models import Payment
from app.people.models import Person
from app.people.service import add_person

DAY = timedelta(days=1)
MADRID = ZoneInfo("Europe/Madrid")
_numbers = count(1)


def at(day: date, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    """An instant of a day where the association is."""
    return datetime.combine(day, time(hour, minute, second), MADRID).astimezone(UTC)


def somebody(name: str = "Nora") -> Person:
    return add_person(name, "Gil", f"{name.lower()}{next(_numbers)}@example.org", at(date(2020, 1, 1)))


def tier(code: str, cents: int, **more: object) -> Tier:
    return service.add_tier(code, code.capitalize(), cents, at(date(2020, 1, 1)), **more)  # type: ignore[arg-type]


def bill(person: Person, plan: Tier, offered: service.PricedOffer, on: date) -> Payment:
    """A payment that was paid on a day; what it buys is for the test to say."""
    dates = offered.offer.dates
    payment = Payment(
        person_id=person.id, tier_id=plan.id, kind=offered.offer.kind, method="cash", amount_cents=offered.fee_cents,
        currency=offered.currency, offer_anchor_on=dates.anchor_on, offer_starts_on=dates.starts_on,
        offer_ends_on=dates.ends_on, offer_grace_ends_on=dates.grace_ends_on,
        offer_holds_until=offered.offer.holds_until, opened_at=at(on), opened_on=on, opened_by="test", locale="en",
        paid_at=at(on), paid_on=on,
    )  # fmt: skip
    db.session.add(payment)
    db.session.flush()
    return payment


def buy(person: Person, plan: Tier, on: date) -> Term:
    """Join, renew or rejoin on a day."""
    offered = service.offer_for(person.id, plan, at(on), on)
    return settle(person, plan, offered, on)


def upgrade(person: Person, plan: Tier, on: date) -> Term:
    return settle(person, plan, service.upgrade_offer_for(person.id, plan, at(on), on), on)


def settle(person: Person, plan: Tier, offered: service.PricedOffer, on: date) -> Term:
    payment = bill(person, plan, offered, on)
    term = service.sell_term(person.id, plan, payment.id, offered.offer, on, at(on))
    assert term is not None
    return term


def give(giver: Person, recipient: Person, plan: Tier, on: date) -> Term:
    """A gift, paid and accepted on a day."""
    payment = bill(giver, plan, service.gift_offer(recipient.id, plan, at(on), on), on)
    return service.sell_gift(recipient.id, plan, payment.id, at(on), on)


def take_back(term: Term, on: date, because: str = "refunded") -> list[int]:
    """All the money of a term's payment goes back."""
    assert term.payment_id is not None
    return service.end_terms_of_payment(term.payment_id, because, at(on), on)


def come_back(term: Term, on: date) -> bool:
    """That failed: the money is here after all."""
    assert term.payment_id is not None
    return service.restore_terms_of_payment(term.payment_id, at(on), on)


def status(person: Person, on: date) -> str:
    return service.standing_of(person.id, at(on), on).status


def days(person: Person) -> list[tuple[str, str, str]]:
    """(tier, first day, last day) of the terms that hold any, by start."""
    return [
        (it.tier.code, it.starts_on.isoformat(), it.ends_on.isoformat())
        for it in service.terms_of(person.id)
        if it.ends_on >= it.starts_on
    ]
