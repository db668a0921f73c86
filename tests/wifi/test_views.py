"""The views that FreeRADIUS reads say what the web application says, of everybody and on every day."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import clock
from app.association import get_association
from app.benefits.models import Benefit
from app.benefits.service import change_benefit, close_benefit
from app.extensions import db
from app.memberships.models import Suspension, Term
from app.memberships.service import FOR_LIFE
from app.people.models import Person
from app.wifi.models import WifiCredential
from app.wifi.service import Entitled, Refused, create_credential, entitlement, find_in_view, revoke_credential
from tests.cast import Cast

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
DAY = timedelta(days=1)
LONGEST = 8 * 3600


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """The rehearsal clock stands there."""
    get_association().clock_offset_seconds = 0
    clock.forget()
    offset = round((instant - clock.now()).total_seconds())
    get_association().clock_offset_seconds = offset
    db.session.commit()
    clock.forget()
    yield
    db.session.rollback()


def let_in() -> dict[str, int]:
    """User names that the view lets in, and for how many seconds."""
    usernames = db.session.scalars(sa.text("SELECT username FROM radius.entitlement")).all()
    found = {name: find_in_view(name) for name in usernames}
    return {name: it.session_timeout for name, it in found.items() if it}


def judged(usernames: list[str]) -> dict[str, int]:
    """The same, decided by the application."""
    said = {name: entitlement(name, clock.now(), clock.today()) for name in usernames}
    return {name: it.session_timeout for name, it in said.items() if isinstance(it, Entitled)}


def agree(usernames: list[str]) -> int:
    """Compare; how many were let in."""
    ours, seen = judged(usernames), let_in()
    db.session.rollback()
    assert set(seen) == set(ours)
    assert all(abs(seen[name] - ours[name]) <= 2 for name in ours)  # two clocks, one after the other
    return len(ours)


def drawn_terms(drawn: random.Random, person_id: int, tiers: list[int], around: date) -> list[dict[str, Any]]:
    """None to four terms that do not overlap: unbroken, with gaps, emptied, cut short, without grace, for life."""
    day = around - timedelta(days=drawn.randint(0, 900))
    terms = []
    for _ in range(drawn.randint(0, 4)):
        starts_on = day + drawn.choice([0, 0, 1, 20, 60]) * DAY
        length = drawn.choice([0, 1, 2, 30, 365, 365])
        ends_on = FOR_LIFE if drawn.random() < 0.05 else starts_on + (length - 1) * DAY
        grace = 0 if ends_on == FOR_LIFE else drawn.choice([0, 0, 1, 30])
        terms.append({
            "person_id": person_id, "tier_id": drawn.choice(tiers), "anchor_on": starts_on, "starts_on": starts_on,
            "ends_on": ends_on, "sold_ends_on": ends_on, "grace_ends_on": ends_on + grace * DAY,
            "granted_by": "test", "granted_because": "test", "created_at": datetime.now(clock.zone()),
        })  # fmt: skip
        if ends_on == FOR_LIFE:
            break
        day = max(ends_on, starts_on) + DAY
    return terms


def populate(drawn: random.Random, tiers: list[int], now: datetime, count: int) -> list[str]:
    """People with a device each; their user names."""
    usernames = []
    for number in range(count):
        person = Person(given_name="A", family_name=f"B{number}", created_at=now)
        db.session.add(person)
        db.session.flush()
        terms = drawn_terms(drawn, person.id, tiers, clock.day_of(now))
        ids = list(db.session.execute(sa.insert(Term).returning(Term.id), terms).scalars()) if terms else []
        for hold in range(drawn.choice([0, 0, 0, 1, 2])):
            on_term = bool(ids) and hold == 0
            from_at = now + timedelta(hours=drawn.randint(-2000, 2000))
            db.session.add(
                Suspension(
                    term_id=drawn.choice(ids) if on_term else None, person_id=None if on_term else person.id,
                    cause="test", from_at=from_at,
                    until_at=None if drawn.random() < 0.4 else from_at + timedelta(hours=drawn.randint(0, 3000)),
                )
            )  # fmt: skip
        credential, _secret = create_credential(person.id, "Phone", now)
        if drawn.random() < 0.1:
            revoke_credential(person.id, credential.id, now, "member")
        usernames.append(credential.username)
    db.session.commit()
    return usernames


def test_view_and_application_agree_about_many_people_on_many_days(app: Flask, cast: Cast) -> None:
    drawn = random.Random(5)  # noqa: S311
    usernames = populate(drawn, [cast.basic.id, cast.plus.id], cast.now, 50)
    change_benefit(cast.wifi, cast.now, tiers=[cast.plus])
    counted = set()
    for in_grace in (True, False):
        change_benefit(cast.wifi, cast.now, in_grace=in_grace)
        db.session.commit()
        for _ in range(6):
            day = cast.today + timedelta(days=drawn.randint(-500, 500))
            with at(clock.day_start(day) + timedelta(seconds=drawn.choice([5, 43200, 57600, 61200, 86340]))):
                counted.add(agree(usernames))
    assert len(counted) > 4 and max(counted) > 5


def member(cast: Cast, name: str, *terms: tuple[date, date, date]) -> str:
    """Somebody with these terms (first day, last, last of grace) and a device; its user name."""
    person = Person(given_name=name, family_name="Test", created_at=cast.now)
    db.session.add(person)
    db.session.flush()
    for starts_on, ends_on, grace_ends_on in terms:
        db.session.add(
            Term(
                person_id=person.id, tier_id=cast.plus.id, anchor_on=starts_on, starts_on=starts_on, ends_on=ends_on,
                sold_ends_on=ends_on, grace_ends_on=grace_ends_on, granted_by="test", created_at=cast.now,
            )
        )  # fmt: skip
    db.session.flush()
    return create_credential(person.id, "Phone", cast.now)[0].username


def test_they_agree_on_each_side_of_each_midnight(cast: Cast) -> None:
    first, last = cast.today, cast.today + timedelta(days=30)
    year = (last + DAY, last + 30 * DAY, last + 30 * DAY)
    bare = member(cast, "No grace", (first, last, last))
    kept = member(cast, "Ten days of grace", (first, last, last + 10 * DAY))
    renewed = member(cast, "Renewed", (first, last, last), year)
    both = member(cast, "Renewed with grace", (first, last, last + 10 * DAY), year)
    everybody = [bare, kept, renewed, both]
    said: dict[tuple[bool, date, int], dict[str, int]] = {}
    for in_grace in (True, False):
        change_benefit(cast.wifi, cast.now, in_grace=in_grace)
        db.session.commit()
        for day in (first - DAY, first, last, last + DAY, last + 10 * DAY, last + 11 * DAY):
            for seconds in (10, 17 * 3600, 86300):
                with at(clock.day_start(day) + timedelta(seconds=seconds)):
                    agree(everybody)
                    said[in_grace, day, seconds] = judged(everybody)
    for in_grace in (True, False):
        assert said[in_grace, first - DAY, 86300] == {}
        assert said[in_grace, first, 10] == dict.fromkeys(everybody, LONGEST)
        evening = said[in_grace, last, 86300]
        assert evening[bare] == pytest.approx(100, abs=3)
        assert (evening[kept] == LONGEST) == in_grace
        assert evening[renewed] == evening[both] == LONGEST
        assert set(said[in_grace, last + DAY, 10]) == ({kept, renewed, both} if in_grace else {renewed, both})
        assert set(said[in_grace, last + 11 * DAY, 10]) == {renewed, both}
    assert said[True, last + 10 * DAY, 86300][kept] == pytest.approx(100, abs=3)


def test_they_agree_about_the_benefits_own_days(cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    db.session.commit()
    for facts in (
        {"available_from": cast.today + DAY}, {"available_from": cast.today}, {"available_until": cast.today - DAY},
        {"available_until": cast.today}, {"available_until": cast.today + DAY}, {"tiers": []}, {"tiers": [cast.basic]},
    ):  # fmt: skip
        change_benefit(cast.wifi, cast.now, **{"available_from": None, "available_until": None, **facts})
        db.session.commit()
        with at(cast.now):
            agree([phone.username])
    close_benefit(cast.wifi, cast.now)
    db.session.commit()
    with at(cast.now + timedelta(seconds=5)):
        assert agree([phone.username]) == 0


def test_without_the_benefit_nobody_is_let_in(cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "Phone", cast.now)
    db.session.execute(sa.update(Benefit).where(Benefit.code == "wifi").values(code="other"))
    db.session.commit()
    assert agree([phone.username]) == 0
    assert entitlement(phone.username, cast.now, cast.today) == Refused("not_entitled", phone.id)


def test_what_freeradius_reads_is_the_hash_to_compare_and_the_time_to_grant(cast: Cast) -> None:
    phone, _secret = create_credential(cast.alice.id, "%{User-Password}", cast.now)
    create_credential(cast.carol.id, "Phone", cast.now)
    db.session.commit()
    columns = "username, attribute, op, value"
    check, reply = (db.session.execute(sa.text(f"SELECT {columns} FROM radius.{view}")).all() for view in VIEWS)
    assert check == [(phone.username, "SSHA2-256-Password", ":=", f"0x{phone.ssha2_256}")]
    assert reply == [(phone.username, "Session-Timeout", ":=", str(LONGEST))]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WifiCredential)) == 2


VIEWS = ("radcheck", "radreply")
