"""The small cast of named people that serves every test.

alice is active, bob in grace, carol lapsed, dan refunded, mallory a stranger without membership; a desk,
a treasurer and an administrator work for the association. Their days hang on the real today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from app import clock
from app.accounts.models import Account
from app.accounts.service import grant_role, open_account
from app.benefits.models import Benefit
from app.benefits.service import add_benefit
from app.extensions import db
from app.memberships.models import Tier
from app.memberships.service import add_tier
from app.payments.checkouts import send_refund
from app.payments.manual import record_payment
from app.payments.models import Payment
from app.payments.refunds import request_refund
from app.people.models import Person
from app.people.service import add_person
from app.services.models import Service
from app.services.service import add_service


@dataclass
class Cast:
    now: datetime
    today: date
    basic: Tier
    plus: Tier
    wifi: Benefit
    sports: Benefit
    alice: Person
    bob: Person
    carol: Person
    dan: Person
    mallory: Person
    desk: Service
    library: Service
    library_key: str

    @classmethod
    def assemble(cls) -> Cast:
        """Everybody, committed."""
        now, today = clock.now(), clock.today()
        basic = add_tier("basic", "Basic", 3000, now)
        plus = add_tier("plus", "Plus", 5000, now)
        wifi = add_benefit("wifi", "Campus Wi-Fi", [basic, plus], in_grace=True, now=now)
        sports = add_benefit("sports", "Sports hall", [plus], in_grace=False, now=now)
        people = {
            name: add_person(name.capitalize(), family, f"{name}@example.org", now)
            for name, family in (
                ("alice", "Soler"), ("bob", "Vidal"), ("carol", "Prats"), ("dan", "Riera"), ("mallory", "Camps")
            )
        }  # fmt: skip
        pay(people["alice"], plus, today - timedelta(days=100))
        pay(people["bob"], plus, _a_year_before(today) - timedelta(days=5))
        pay(people["carol"], basic, today - timedelta(days=500))
        dan = pay(people["dan"], basic, today - timedelta(days=10))
        refund = request_refund(dan, 3000, "test", now)
        db.session.flush()
        send_refund(refund.id)
        for role in ("scanner", "treasurer", "admin"):
            grant_role(open_account(f"{role}@example.org", now), role, now)
        for person in people.values():
            open_account(person.email or "", now)
        desk, _key = add_service("Main desk", ["scan"], wifi, now)
        library, key = add_service("Library", ["verify"], None, now)
        db.session.commit()
        return cls(now, today, basic, plus, wifi, sports, **people, desk=desk, library=library, library_key=key)

    @classmethod
    def find(cls, library_key: str) -> Cast:
        """Everybody, where they were assembled earlier today."""
        tiers, benefits = ({row.code: row for row in db.session.scalars(select(it))} for it in (Tier, Benefit))
        people = {row.given_name.lower(): row for row in db.session.scalars(select(Person))}
        services = {row.name: row for row in db.session.scalars(select(Service))}
        found = cls(
            clock.now(), clock.today(), tiers["basic"], tiers["plus"], benefits["wifi"], benefits["sports"], **people,
            desk=services["Main desk"], library=services["Library"], library_key=library_key,
        )  # fmt: skip
        db.session.commit()
        return found

    def account(self, role: str) -> Account:
        return open_account(f"{role}@example.org", self.now)


def _a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, 28))


def pay(person: Person, tier: Tier, value_on: date, cents: int | None = None, method: str = "transfer") -> Payment:
    """Book a fee by value date, the way the treasurer does."""
    now, today = clock.now(), clock.today()
    cents = cents if cents is not None else tier.prices[0].fee_cents
    return record_payment(person, tier, cents, method, value_on, "test", "en", now, today)
