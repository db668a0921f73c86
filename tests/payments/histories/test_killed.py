"""kill -9 at each step of settling and of each job, web and worker: nothing lost, nothing twice.

Each deed is done once undisturbed, then again and again from the same beginning in a process that is killed one step
later each time. Afterwards the provider sends its news again, people press again, a worker works: and all must be as
it is after the undisturbed deed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import audit, clock
from app.extensions import db
from app.jobs import LEASE, Job, _handlers
from tests.payments.histories.before import HOUR
from tests.payments.histories.deeds import DEEDS, Deed
from tests.payments.histories.house import House
from tests.payments.histories.killing import count_steps, dies_at
from tests.payments.shop import story_of

BEGINNING = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
ALL_STEPS = os.environ.get("ALL_STEPS") == "1"  # make test-long
Note = Callable[[str, object], None]
SAMPLE = 10  # without it each database takes every tenth deed, and of its steps two


def some_of(first: int) -> Any:
    """A database's share of the deeds."""
    names = list(DEEDS) if ALL_STEPS else list(DEEDS)[first::SAMPLE]
    return pytest.mark.parametrize("name", names, ids=[name.replace(" ", "_") for name in names])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_job_of_the_application_dies_in_one_of_the_deeds(app: Flask) -> None:
    assert {job for deed in DEEDS.values() for job in deed.jobs} == set(_handlers)


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
@some_of(0)
def test_killed_at_any_step_nothing_is_lost_and_nothing_done_twice(
    house: House, name: str, record_property: Note
) -> None:
    record_property("steps", kill_at_each_step(house, name))


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
@some_of(3)
def test_killed_at_any_step_on_postgresql_likewise(house: House, name: str, record_property: Note) -> None:
    record_property("steps", kill_at_each_step(house, name))


def kill_at_each_step(house: House, name: str) -> int:
    """All of them, or two of a sample; how many."""
    deed = DEEDS[name]
    house.reset(BEGINNING)
    for letter in letters(house):
        letter.unlink()
    deed.prepare(house)
    house.set_clock(house.now + timedelta(minutes=1))
    moment, sent, known = house.keep(), letters(house), done(house)
    count = count_steps(house, deed.do(house))
    assert set(deed.jobs) <= {job for number, job in done(house) - known}
    expected = outcome(house, deed)
    first = list(DEEDS).index(name) * 7 % count
    steps = range(count) if ALL_STEPS else {first, (first + count // 2) % count}
    for step in steps:
        house.go_back(moment)
        for letter in set(letters(house)) - set(sent):
            letter.unlink()
        dies_at(house, step + 1, deed.do(house))
        assert outcome(house, deed) == expected, f"killed at step {step + 1} of {count}"
    return len(steps)


def outcome(house: House, deed: Deed) -> dict[str, Any]:
    """What is true once everybody has tried again and the worker has caught up."""
    deed.again(house)
    for time in (LEASE + timedelta(minutes=1), HOUR):  # what the dead had taken is free again; the sweep of the hour
        house.set_clock(house.now + time)
        house.work()
    with house.books():
        clock.forget()
        stories = {name: asdict(story_of(person_id)) for name, person_id in house.ids.items()}
        assert audit.find_break() is None
        db.session.rollback()
    return {
        **stories,
        "unfinished": house.unfinished(),
        "letters": sorted(words_of(letter) for letter in letters(house)),
        "charges": [it["amount"] for it in house.objects("charge") if it["paid"]],
        "refunds": [(it["amount"], it["status"]) for it in house.objects("refund")],
        "checkouts": [it["status"] for it in house.objects("checkout.session")],
        "subscriptions": [it["status"] for it in house.objects("subscription")],
    }


def done(house: House) -> set[tuple[int, str]]:
    with house.books():
        rows = db.session.execute(select(Job.id, Job.name).where(Job.state == "done"))
        return {(row.id, row.name) for row in rows}


def letters(house: House) -> list[Path]:
    """Letters by their Message-ID: one that was written again is one."""
    return sorted(Path(house.app.config["MAIL_FILE_PATH"]).glob("*.eml"))


def words_of(letter: Path) -> tuple[str, str]:
    """To whom and about what. Numbers of payments are left out: one that is rolled back may leave a gap."""
    head = BytesHeaderParser(policy=policy.default).parsebytes(letter.read_bytes())
    return str(head["To"]), re.sub(r"P-[0-9-]+", "P-", str(head["Subject"]))
