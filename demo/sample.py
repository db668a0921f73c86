"""The sample association: a few hundred people and four years of fees, made through the product itself.

The rehearsal clock walks from the first fee to today, so every row comes from the code that makes it in
production; fees since online payment began go through the payment simulator.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import delete

from app import clock, create_app, jobs
from app.accounts import service as accounts
from app.association import get_association
from app.benefits.redeeming import limit_remaining
from app.benefits.service import get_benefit
from app.extensions import db
from app.memberships.service import add_tier, get_tier, list_tiers, standing_of
from app.payments import checkouts
from app.payments.manual import record_payment
from app.payments.refunds import request_refund
from app.payments.service import Wanted, get_payment
from app.people.importing import import_register
from app.people.models import Person
from app.people.rules import RegisterRow
from app.people.service import find_persons_by_email, get_person
from app.services.service import add_service
from demo.benefits import Use, make, plan_uses, write_catalogue
from demo.course_shop.connecting import Secrets, connect
from demo.names import FACULTIES, FAMILY, GIVEN
from demo.simulator.server import Simulator
from demo.wifi import go_online

PEOPLE = 320
ONLINE_FOR = timedelta(days=330)
MARTA_DAYS_LEFT = 25


@dataclass(frozen=True)
class Fee:
    """One fee of somebody's history; `then` is refunded, twice or nothing."""

    at: datetime
    person_id: int
    tier: str
    method: str
    then: str = ""


def prepare(simulator: Simulator) -> Flask:
    """The application on its migrated database, filled on the first run."""
    app = create_app()
    with app.app_context():
        upgrade()
        if not list_tiers():
            print("Filling the sample association (the first time only) ...", flush=True)
            fill(simulator)
    return app


def invite(app: Flask, cast: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """A fresh one-time sign-in link for each (word, address, role)."""
    with app.app_context():
        base = app.config["BASE_URL"]
        links = {word: f"{base}/sign-in/{accounts.invite(mail, role, clock.now())}" for word, mail, role in cast}
        db.session.commit()
    return links


def connect_shop(app: Flask, url: str, instance: Path) -> Secrets:
    """The course shop, made known to the association; what it has already stays."""
    with app.app_context():
        return connect(url, instance, clock.now())


def shoppers(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Two people for the course shop, as `invite` takes them: one with a course left, one whose membership lapsed."""
    with app.app_context():
        now, today, wanted = clock.now(), clock.today(), {"active": "graduate", "lapsed": "leaver"}
        courses = get_benefit("courses")
        for line in range(2, PEOPLE + 1):
            email = f"person{line}@example.org"
            for person in find_persons_by_email(email):
                status = standing_of(person.id, now, today).status
                if status in wanted and (status == "lapsed" or limit_remaining(courses, person.id, now, today)):
                    yield wanted.pop(status), email, "member"
            if not wanted:
                return


def fill(simulator: Simulator) -> None:
    """Tiers, benefits, desks, the register, and the fees of four years and visits of one, in their order."""
    today = clock.today()
    chance = random.Random(2026)  # noqa: S311 - sample data, the same each time
    history_starts = datetime.combine(today - timedelta(days=4 * 365 + 60), time(9), UTC)
    with at(history_starts, simulator):
        open_association()
        people = [row.id for row in register(chance)]
    fees = with_troubles(sorted(plan(chance, people, today), key=lambda fee: fee.at))
    martas_year = max(fee.at for fee in fees if fee.person_id == people[0]).date()
    uses = plan_uses(people[0], [fee.person_id for fee in fees[-80:]], martas_year, today)
    events: list[Fee | Use] = sorted([*fees, *uses], key=lambda event: event.at)
    for number, event in enumerate(events):
        with at(event.at, simulator):
            if isinstance(event, Fee):
                pay(event, simulator)
            else:
                make(event)
        if sys.stdout.isatty():
            print(f"\r  {number + 1} of {len(events)} fees and visits", end="", flush=True)
    if sys.stdout.isatty():
        print()
    with at(datetime.now(UTC), simulator):
        go_online(people[0], [fee.person_id for fee in reversed(fees)], clock.now())
        # What was mailed over the years is not the visitor's mail, and nobody waits for news of those days.
        db.session.execute(delete(jobs.Job).where(jobs.Job.state == "waiting"))
        db.session.commit()


@contextmanager
def at(instant: datetime, simulator: Simulator) -> Iterator[None]:
    """Both clocks at `instant`; back at the real time afterwards."""
    offset = int((instant - datetime.now(UTC)).total_seconds())
    _set_clocks(offset, simulator)
    try:
        yield
    finally:
        _set_clocks(0, simulator)


def _set_clocks(offset: int, simulator: Simulator) -> None:
    db.session.rollback()
    get_association().clock_offset_seconds = offset
    db.session.commit()
    simulator.account.clock_offset = offset
    clock.forget()


def open_association() -> None:
    now = clock.now()
    association = get_association(for_update=True)
    association.legal_name, association.tax_id = "Associació d’Alumni de la Universitat de Montjuïc", "G08000002"
    association.address = "Passeig del Migdia 1, 08038 Barcelona"
    association.iban, association.bic = "ES9121000418450200051332", "CAIXESBBXXX"
    basic = add_tier("basic", "Basic", 3000, now)
    plus = add_tier("plus", "Plus", 5000, now)
    write_catalogue(basic, plus, now)
    add_service("Main desk", ["scan"], None, now)
    add_service("Sports hall door", ["scan"], get_benefit("sports"), now)
    add_service("Course shop", ["verify"], get_benefit("courses"), now)
    db.session.commit()


def register(chance: random.Random) -> list[Person]:
    """Imported as the university's register is."""
    rows = [
        RegisterRow(1, "Marta", "Ferrer i Puig", "u1000001", "marta@example.org", date(1991, 4, 23), "Biology",
                    "Sciences", 2014, "+34 600 000 001", "ES", "ca")
    ]  # fmt: skip
    for line in range(2, PEOPLE + 1):
        given, family = chance.choice(GIVEN), f"{chance.choice(FAMILY)} {chance.choice(FAMILY)}"
        degree, faculty = chance.choice(FACULTIES)
        finished = chance.randint(1985, 2025)
        born = date(finished - chance.randint(22, 30), chance.randint(1, 12), chance.randint(1, 28))
        rows.append(
            RegisterRow(line, given, family, f"u{1000000 + line}", f"person{line}@example.org", born, degree, faculty,
                        finished, None, "ES", chance.choice(["ca", "ca", "es", "en"]))
        )  # fmt: skip
    import_register(rows, clock.now())
    db.session.commit()
    return [found for row in rows for found in find_persons_by_email(row.email or "")]


def plan(chance: random.Random, people: list[int], today: date) -> Iterator[Fee]:
    """Who pays when: joiners over four years, most of whom renew, some in grace, some not at all."""
    marta_joined = today + timedelta(days=MARTA_DAYS_LEFT + 1)
    for years in (2, 1):
        day = marta_joined.replace(year=marta_joined.year - years, day=min(marta_joined.day, 28))
        yield fee_on(chance, day, people[0], "basic" if years == 2 else "plus", today)
    members = people[1 : len(people) * 6 // 10]
    for person_id in members:
        tier = chance.choice(["basic", "basic", "plus"])
        day = today - timedelta(days=chance.randint(2, 4 * 365))
        while day < today:
            yield fee_on(chance, day, person_id, tier, today)
            if chance.random() > 0.78:
                break
            day += timedelta(days=365 + chance.choice([-20, -9, -3, 0, 0, 6, 24]))
            tier = "plus" if chance.random() < 0.12 else tier


def fee_on(chance: random.Random, day: date, person_id: int, tier: str, today: date) -> Fee:
    moment = time(chance.randint(8, 20), chance.randint(0, 59), chance.randint(0, 59))
    is_online = today - day < ONLINE_FOR and chance.random() < 0.7
    method = "online" if is_online else chance.choice(["transfer", "transfer", "cash"])
    return Fee(datetime.combine(day, moment, UTC), person_id, tier, method)


def with_troubles(fees: list[Fee]) -> list[Fee]:
    """Of the latest fees, two are given back and one transfer comes twice, so that the treasurer has work."""
    online = [fee for fee in fees if fee.method == "online"][-8:]
    transfers = [fee for fee in fees if fee.method == "transfer"][-4:]
    troubled = {online[0]: "refunded", online[4]: "refunded", transfers[0]: "twice"}
    return [replace(fee, then=troubled.get(fee, "")) for fee in fees]


def pay(fee: Fee, simulator: Simulator) -> None:
    """One fee, through the code that takes it in production."""
    person, tier = get_person(fee.person_id), get_tier(fee.tier)
    if fee.method != "online":
        for again in (False, True) if fee.then == "twice" else (False,):
            record_payment(
                person, tier, tier.prices[-1].fee_cents, fee.method, clock.today(), "sample", "en", clock.now(),
                clock.today(), again,
            )  # fmt: skip
        db.session.commit()
        return
    number, address = checkouts.start(person.id, Wanted(tier.id), "sample", "en")
    checkout_id = (address or "").rpartition("/")[2]
    tell(simulator, f"checkouts/{checkout_id}/pay")
    checkouts.settle_checkout(checkout_id)
    if fee.then == "refunded":
        payment = get_payment(number)
        refund_id = request_refund(payment, payment.amount_cents, "sample", clock.now()).id
        db.session.commit()
        checkouts.send_refund(refund_id)


def tell(simulator: Simulator, what: str) -> None:
    """Do at the simulator what its control page does."""
    request = Request(f"{simulator.url}/_control/{what}", b"{}", {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    urlopen(request, timeout=10).close()  # noqa: S310 - our own simulator on loopback
