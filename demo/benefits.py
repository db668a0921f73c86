"""The sample association's benefits, and a year of people using them: 50 euros that brought Marta 118."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from app import clock
from app.benefits.redeeming import redeem
from app.benefits.service import add_benefit, get_benefit, set_partner
from app.errors import Refusal
from app.extensions import db
from app.memberships.models import Tier
from app.services.service import add_service, find_service

OTHERS = 60  # uses of people other than Marta
MARTA = {"library": 9, "sports": 8, "courses": 1}  # 9 x 2.00 + 8 x 5.00 + 60.00
DESKS = {"library": "Library, main desk", "sports": "Sports hall door", "courses": "Course shop"}


@dataclass(frozen=True)
class Use:
    """One use of a benefit by somebody."""

    at: datetime
    person_id: int
    benefit: str
    scan: str


def write_catalogue(basic: Tier, plus: Tier, now: datetime) -> None:
    """What members get, and who gives it where no other part of the sample needs them."""
    both = [basic, plus]
    add_benefit("wifi", "Campus Wi-Fi", both, in_grace=True, now=now, description=(
        "Everywhere on campus, on up to five of your devices."
    ))  # fmt: skip
    add_benefit("courses", "Discount on further courses", both, in_grace=False, now=now, discount_cents=6000,
        limit_count=1, limit_period="term", by_code=True, description=(
        "60 euros off one course of a term. Sign in at the course shop, or give it a code."
    ))  # fmt: skip
    library = add_benefit("library", "Library, with loans", both, in_grace=True, now=now, value_cents=200,
        cost_cents=40, limit_count=10, limit_period="month", offline_ok=True, description=(
        "Show your card at the main desk. Ten loans a month."
    ))  # fmt: skip
    add_benefit("sports", "Sports hall and pool", [plus], in_grace=False, now=now, value_cents=500,
        cost_cents=150, limit_count=1, limit_period="day", offline_ok=True, description=(
        "Show your card at the door, once a day. Bring your own towel."
    ))  # fmt: skip
    cafe = add_benefit("cafe", "Coffee at the Claustre", both, in_grace=True, now=now, kind="partner",
        discount_percent=20, by_code=True, description=(
        "A fifth off whatever you drink. Give a code at the counter."
    ))  # fmt: skip
    add_service("Library, main desk", ["scan"], library, now)
    partner, _key = add_service("Cafè del Claustre", ["redeem"], cafe, now)
    set_partner(cafe, partner.id, now)


def plan_uses(marta: int, members: list[int], since: date, today: date) -> Iterator[Use]:
    """Marta's through her running year, which began on `since`, and those of some others, in no order."""
    chance = random.Random(118)  # noqa: S311 - sample data, the same each time
    days = range((today - since).days - 1)
    for benefit, times in MARTA.items():
        for number, ago in enumerate(chance.sample(days, times)):
            yield _use(chance, today - timedelta(days=ago + 1), marta, benefit, f"marta-{benefit}-{number}")
    for number in range(OTHERS):
        day = today - timedelta(days=chance.randint(1, 120))
        yield _use(chance, day, chance.choice(members), chance.choice(["library", "library", "sports"]), f"{number}")


def make(use: Use) -> None:
    """At a desk, with one tap. Whoever has no right to it on that day was turned away."""
    benefit, desk = get_benefit(use.benefit), find_service(DESKS[use.benefit])
    if desk is None:
        raise LookupError(DESKS[use.benefit])
    try:
        redeem(benefit, use.person_id, desk.id, clock.now(), clock.today(), verification_id=f"sample-{use.scan}")
        db.session.commit()
    except Refusal:
        db.session.rollback()


def _use(chance: random.Random, day: date, person_id: int, benefit: str, scan: str) -> Use:
    moment = time(chance.randint(9, 18), chance.randint(0, 59), chance.randint(0, 59))
    return Use(datetime.combine(day, moment, UTC), person_id, benefit, scan)
