"""A thousand at once: a code is used once, and the last use that is left is had once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.audit import AuditEntry
from app.benefits.codes import draw_code, reserve_code
from app.benefits.models import Benefit, Redemption
from app.benefits.redeeming import confirm, redeem, reserve
from app.benefits.service import add_benefit
from app.errors import Refusal
from app.extensions import db
from tests.cast import Cast

THOUSAND = 1000
CONNECTIONS = 12  # what a server keeps; who finds none waits


def at_once(app: Flask, ask: Callable[[int], object]) -> Counter[str]:
    """A thousand threads let go together, each with a session and a transaction of its own: how each was answered."""
    start, free, answers = threading.Barrier(THOUSAND), threading.BoundedSemaphore(CONNECTIONS), []

    def run(number: int) -> None:
        start.wait(60)
        with free, app.app_context():
            try:
                ask(number)
                db.session.commit()
                answers.append("done")
            except Refusal as refusal:
                db.session.rollback()
                answers.append(refusal.code)

    db.session.commit()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(THOUSAND)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return Counter(answers)


def deeds() -> Counter[str]:
    actions = sa.select(AuditEntry.action).where(AuditEntry.subject.startswith("redemption:"))
    return Counter(db.session.scalars(actions))


def states() -> Counter[str]:
    return Counter(db.session.scalars(sa.select(Redemption.state)))


def test_of_a_thousand_confirms_of_one_code_exactly_one_succeeds(app: Flask, cast: Cast) -> None:
    benefit = add_benefit("courses", "Courses", [cast.plus], True, cast.now, by_code=True)
    code = draw_code(benefit, cast.alice.id, cast.now, cast.today)
    benefit_id, desk, now, today = benefit.id, cast.library.id, cast.now, cast.today

    def ask(_number: int) -> None:
        it = reserve_code(code, db.session.get_one(Benefit, benefit_id), desk, now, today)
        confirm(it.id, desk, now)

    assert at_once(app, ask) == {"done": 1, "code_used": THOUSAND - 1}
    assert states() == {"confirmed": 1}
    assert deeds() == {"redemption_reserved": 1, "redemption_confirmed": 1}


def test_a_thousand_redemptions_of_the_last_use_that_is_left_are_one(app: Flask, cast: Cast) -> None:
    limit: dict[str, Any] = {"limit_count": 3, "limit_period": "day"}
    benefit = add_benefit("library", "Library", [cast.plus], True, cast.now, **limit)
    for _ in range(2):
        confirm(reserve(benefit, cast.alice.id, None, cast.now, cast.today).id, None, cast.now)
    benefit_id, alice, desk, now, today = benefit.id, cast.alice.id, cast.desk.id, cast.now, cast.today

    def ask(number: int) -> None:
        redeem(db.session.get_one(Benefit, benefit_id), alice, desk, now, today, verification_id=f"v_{number}")

    assert at_once(app, ask) == {"done": 1, "limit_reached": THOUSAND - 1}
    assert states() == {"confirmed": 3}
    assert sorted(db.session.scalars(sa.select(Redemption.n))) == [1, 2, 3]
    assert deeds() == {"redemption_reserved": 2, "redemption_confirmed": 3}
