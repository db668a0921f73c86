"""After some days nobody can see whose card was checked where; totals stay."""

from __future__ import annotations

import threading
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask

from app import clock, jobs
from app.association import get_association
from app.extensions import db
from app.verification.log import totals_of_desk
from app.verification.models import ScanTotal, Verification, VerificationFlag
from app.verification.retention import erase_details
from app.verification.service import last_use_of_services
from tests.cast import Cast
from tests.command import is_refused, run
from tests.kept import everything_kept
from tests.verification.asking import ask, live
from tests.verification.desk import alone, rows, scan, upload
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DAY = timedelta(days=1)


def put(nonce: str, day: date, at: time, reason: str = "ok", **more: object) -> None:
    """A check of Alice's card at a time of the association's day."""
    template = rows()["template"]
    copy = {column.name: getattr(template, column.name) for column in Verification.__table__.columns}
    moment = datetime.combine(day, at, clock.zone())
    db.session.add(
        Verification(**{**copy, "id": nonce, "nonce": nonce, "reason": reason, "checked_at": moment, **more})
    )
    db.session.flush()


@pytest.fixture
def checked(app: Flask, cast: Cast) -> Cast:
    """Alice's card has been checked once; the row serves as a template."""
    scan(Visitor(app, "scanner@example.org"), cast.desk, live(cast.alice), "template")
    return cast


def test_details_go_on_the_ninetieth_day_and_not_before(app: Flask, checked: Cast) -> None:
    today = clock.today()
    put("day before", today - 91 * DAY, time(23, 59, 59))
    put("day of, early", today - 90 * DAY, time(0, 0))
    put("day of, late", today - 90 * DAY, time(23, 59, 59))
    put("day after", today - 89 * DAY, time(0, 0))
    assert erase_details(today) == 3
    assert set(rows()) == {"template", "day after"}
    assert erase_details(today) == 0
    assert erase_details(today + DAY) == 1


def test_totals_by_desk_day_and_answer_stay_and_nothing_of_the_person(app: Flask, checked: Cast) -> None:
    day = clock.today() - 100 * DAY
    for n in range(3):
        put(f"canary-{n}", day, time(12, n))
    put("canary-lapsed", day, time(13), reason="lapsed")
    offline = {"received_at": clock.now(), "desk_reason": "revoked", "clock_skew_ms": 0}
    put("canary-offline", day, time(14), reason="lapsed", **offline)
    undone = {"undone_at": clock.now(), "undone_because": "left", "undone_by": "account:1"}
    put("canary-undone", day, time(15), **undone)
    db.session.add(VerificationFlag(verification_id="canary-0", why="two_desks"))
    for today in (clock.today(), clock.today()):
        erase_details(today)
    kept = {(t.service_id, t.checked_on, t.reason): t.count for t in db.session.query(ScanTotal)}
    desk = checked.desk.id
    assert kept == {(desk, day, "ok"): 3, (desk, day, "lapsed"): 1, (desk, day, "revoked"): 1}
    db.session.commit()
    assert "canary" not in str(everything_kept())
    assert db.session.query(VerificationFlag).count() == 0
    assert totals_of_desk(desk, day)[day] == {"ok": 3, "lapsed": 1, "revoked": 1}
    put("late", day, time(16))
    erase_details(clock.today())
    assert totals_of_desk(desk, day)[day]["ok"] == 4


def test_services_that_ask_are_erased_like_desks(app: Flask, cast: Cast) -> None:
    ask(app, cast.library_key, live(cast.alice), nonce="a")
    assert erase_details(clock.today() + 90 * DAY) == 1
    assert last_use_of_services() == {cast.library.id: clock.today()}


def test_two_workers_at_once_count_once(app: Flask, checked: Cast) -> None:
    day, start = clock.today() - 100 * DAY, threading.Barrier(2)
    for n in range(20):
        put(f"n{n}", day, time(12, n))
    db.session.commit()

    def work() -> None:
        with app.app_context():
            start.wait(10)
            erase_details(clock.today())
            db.session.commit()
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    db.session.expire_all()
    assert [total.count for total in db.session.query(ScanTotal)] == [20]


@SQLITE
def test_a_worker_does_it_once_a_day(app: Flask, checked: Cast) -> None:
    put("old", clock.today() - 100 * DAY, time(12))
    db.session.commit()
    now = clock.now()
    for at in (now, now, now + timedelta(days=1)):
        jobs.tick(at, "w")
    assert db.session.query(jobs.Job).filter_by(name="erase_old_scans").count() == 2
    jobs.work_off(clock.now, "w")
    assert set(rows()) == {"template"}


@SQLITE
def test_how_many_days_is_the_associations_to_say(app: Flask, checked: Cast) -> None:
    admin = Visitor(app, "admin@example.org")
    assert get_association().scan_days == 90
    assert run(app, "association", "set", "--scan-days", "30").exit_code == 0
    db.session.expire_all()
    assert get_association().scan_days == 30
    for wrong in ("0", "367", "x", ""):
        assert is_refused(run(app, "association", "set", "--scan-days", wrong))
    page = admin.get("/admin/association").get_data(as_text=True)
    assert 'name="scan_days"' in page and 'value="30"' in page
    put("old", clock.today() - 30 * DAY, time(12))
    put("new", clock.today() - 29 * DAY, time(12))
    assert erase_details(clock.today()) == 1
    privacy = Visitor(app).get("/privacy").get_data(as_text=True)
    assert "After 30 days they are erased" in privacy


@SQLITE
def test_a_scan_that_arrives_when_its_day_is_erased_is_not_taken(app: Flask, cast: Cast) -> None:
    visitor = Visitor(app, "scanner@example.org")
    noon = datetime.combine(clock.today() - 90 * DAY, time(12), clock.zone())
    answer = upload(visitor, cast.desk, alone("1", "old", noon), alone("1", "newer", noon + DAY))
    assert answer["taken"] == ["newer"]
    assert answer["refused"] == [{"nonce": "old", "detail": "This scan is older than the days that scans are kept."}]
