"""Jobs: written with what caused them, done at least once, given up on only where people see it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock, jobs
from app.errors import Refusal
from app.extensions import db
from app.jobs import Job, WorkerSeen
from config import ROOT
from tests.command import is_refused, run

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
Handle = Callable[[Callable[..., None]], None]


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """Let a function do the jobs called `task`."""
    return lambda handler: monkeypatch.setitem(jobs._handlers, "task", [handler])


def add(**arguments: object) -> Job:
    jobs.enqueue("task", NOW, **arguments)  # type: ignore[arg-type]
    db.session.commit()
    return db.session.execute(select(Job).order_by(Job.id.desc()).limit(1)).scalar_one()


def at(moment: datetime) -> int:
    return jobs.work_off(lambda: moment)


def count() -> int:
    return db.session.execute(select(func.count()).select_from(Job)).scalar_one()


def fail(**_arguments: object) -> None:
    raise ConnectionError("the canary is in the message")


def test_a_job_is_done_once_with_its_arguments(app: Flask, handle: Handle) -> None:
    done: list[dict[str, object]] = []
    handle(lambda **arguments: done.append(arguments))
    job = add(person_id=7)
    assert at(NOW) == 1 and at(NOW) == 0
    assert done == [{"now": NOW, "person_id": 7}]
    assert (job.state, job.done_at, job.lease, job.leased_until) == ("done", NOW, None, None)


def test_a_job_of_work_that_was_rolled_back_never_was(app: Flask, handle: Handle) -> None:
    jobs.enqueue("task", NOW)
    db.session.rollback()
    assert count() == 0


def test_a_key_refuses_a_second_job_even_when_the_first_is_done(app: Flask, handle: Handle) -> None:
    handle(lambda **_arguments: None)
    add(key="renewal:7")
    add(key="renewal:7")
    at(NOW)
    add(key="renewal:7")
    assert count() == 1
    add(key="renewal:8")
    add()
    add()
    assert count() == 4  # without a key each is its own


def test_jobs_run_in_the_order_they_became_due_and_not_before(app: Flask, handle: Handle) -> None:
    order: list[object] = []
    handle(lambda **arguments: order.append(arguments["number"]))
    late = add(number="late")
    add(number="first")
    late.run_at = NOW + timedelta(minutes=1)
    db.session.commit()
    assert at(NOW + timedelta(seconds=59)) == 1
    assert at(NOW + timedelta(minutes=1)) == 1
    assert order == ["first", "late"]


def test_a_failing_job_waits_longer_each_time_and_then_is_dead_for_people_to_see(app: Flask, handle: Handle) -> None:
    handle(fail)
    job, moment, waits = add(), NOW, []
    for _ in range(jobs.MOST_ATTEMPTS):
        assert job.state == "waiting"
        assert at(moment) == 1
        assert at(moment) == 0
        waits.append(int((job.run_at - moment).total_seconds()))
        moment = job.run_at
    assert waits == [5, 15, 45, 135, 405, 1215, 3600, 3600, 3600, 3600]
    assert (job.state, job.attempts) == ("dead", 10)
    assert (
        job.last_error is not None and job.last_error.startswith("ConnectionError") and "canary" not in job.last_error
    )
    assert at(NOW + timedelta(days=365)) == 0
    assert [dead.id for dead in jobs.find_dead()] == [job.id]


def test_a_failing_job_leaves_nothing_half_done_and_does_not_stop_the_others(app: Flask, handle: Handle) -> None:
    def write_then_fail(**arguments: object) -> None:
        db.session.add(WorkerSeen(worker="half", at=NOW))
        db.session.flush()
        if arguments["number"] == 1:
            raise Refusal("no_good", "canary@example.org is not welcome")
        db.session.rollback()

    handle(write_then_fail)
    first, second = add(number=1), add(number=2)
    assert at(NOW) == 2
    assert (first.state, second.state) == ("waiting", "done")
    assert first.last_error is not None and first.last_error.endswith(": no_good")
    assert db.session.get(WorkerSeen, "half") is None


def test_a_job_nobody_knows_is_kept_and_tried_again(app: Flask) -> None:
    jobs.enqueue("from_a_newer_release", NOW)
    db.session.commit()
    at(NOW)
    job = db.session.execute(select(Job)).scalar_one()
    assert (job.state, job.attempts) == ("waiting", 1)


def test_a_job_under_lease_is_left_alone_until_the_lease_runs_out(app: Flask, handle: Handle) -> None:
    done: list[object] = []
    handle(lambda **_arguments: done.append(1))
    job = add()
    assert jobs._take(NOW, "killed") is not None
    assert at(NOW + jobs.LEASE) == 0
    assert at(NOW + jobs.LEASE + timedelta(seconds=1)) == 1
    assert (done, job.state, job.attempts) == ([1], "done", 2)


def test_a_worker_whose_lease_ran_out_does_not_overwrite_the_next_ones_result(app: Flask, handle: Handle) -> None:
    handle(lambda **_arguments: None)
    job = add()
    slow = jobs._take(NOW, "slow")
    assert slow is not None
    later = NOW + jobs.LEASE + timedelta(seconds=1)
    assert jobs._take(later, "quick") is not None
    jobs._run(*slow, now=lambda: later)
    assert job.state == "running" and (job.lease or "").startswith("quick:")


def test_a_job_that_kills_its_worker_each_time_ends_dead_instead_of_taking_all_down(app: Flask, handle: Handle) -> None:
    handle(lambda **_arguments: None)
    job, moment = add(), NOW
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs._take(moment, "killed") is not None
        moment += jobs.LEASE + timedelta(seconds=1)
    assert jobs._take(moment, "next") is None
    assert (job.state, job.last_error) == ("dead", "the worker died while doing it")


def test_several_workers_share_the_work_and_each_job_is_done_by_one(app: Flask, handle: Handle) -> None:
    done: list[object] = []
    handle(lambda **arguments: done.append(arguments["number"]))
    for number in range(12):
        jobs.enqueue("task", NOW, number=number)
    db.session.commit()
    db.session.remove()
    start = threading.Barrier(3)

    def work(name: str) -> None:
        with app.app_context():
            start.wait()
            jobs.work_off(lambda: NOW, name)

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done, key=str) == sorted(range(12), key=str)


def test_a_job_whose_worker_was_killed_is_done_by_another_after_the_lease(
    app: Flask, handle: Handle, database_url: str, instance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    jobs.enqueue("slow", clock.now())
    db.session.commit()
    environment = {**os.environ, "DATABASE_URL": database_url, "CARNET_INSTANCE": str(instance)}
    worker = subprocess.Popen([sys.executable, "-m", "tests.foundations.worker", str(begun)], cwd=ROOT, env=environment)
    deadline = time.monotonic() + 60
    while not begun.exists() and worker.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait(20)
    assert begun.exists()
    done: list[object] = []
    monkeypatch.setitem(jobs._handlers, "slow", [lambda **_arguments: done.append(1)])
    job = db.session.execute(select(Job).where(Job.name == "slow")).scalar_one()
    assert job.state == "running"
    assert run(app, "jobs", "work", "--once").exit_code == 0
    assert done == []  # the lease still stands
    assert run(app, "clock", "shift", "6m").exit_code == 0
    assert run(app, "jobs", "work", "--once").exit_code == 0
    db.session.refresh(job)
    assert (done, job.state, job.attempts) == ([1], "done", 2)


def test_periodic_work_is_asked_for_once_in_each_window_by_however_many_workers(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_periodic", {"hourly": timedelta(hours=1)})
    for minutes, expected in ((0, 1), (0, 1), (59, 1), (60, 2), (60 * 24 * 3, 3)):  # off for three days: no burst
        for worker in ("one", "two"):
            jobs.tick(NOW + timedelta(minutes=minutes), worker)
        assert count() == expected


def test_a_worker_is_missed_two_minutes_after_it_was_last_seen(app: Flask) -> None:
    assert not jobs.is_worker_alive(NOW)
    jobs.tick(NOW, "one")
    assert jobs.is_worker_alive(NOW + timedelta(seconds=119))
    assert not jobs.is_worker_alive(NOW + timedelta(minutes=2))
    assert jobs.last_seen() == NOW


def test_the_list_shows_what_waits_and_what_died_and_retry_gives_the_tries_back(app: Flask, handle: Handle) -> None:
    handle(fail)
    job = add()
    job.attempts = jobs.MOST_ATTEMPTS - 1
    db.session.commit()
    at(NOW)
    assert run(app, "jobs", "list").stdout.startswith(f"{job.id}\tdead\ttask\t10 tries\tConnectionError")
    assert is_refused(run(app, "jobs", "retry", str(job.id + 1)))
    assert run(app, "jobs", "retry", str(job.id)).exit_code == 0
    db.session.refresh(job)
    assert (job.state, job.attempts) == ("waiting", 0)
    handle(lambda **_arguments: None)
    assert run(app, "jobs", "work", "--once").stdout.endswith("jobs tried.\n")
    db.session.refresh(job)
    assert job.state == "done"
    assert str(job.id) not in run(app, "jobs", "list").stdout.split()
    assert f"{job.id}\tdone" in run(app, "jobs", "list", "--all").stdout


@pytest.mark.parametrize("job_id", ["none", "0", "-1", "1.5", "99999999999999999999", ""])
def test_what_is_no_jobs_number_is_refused_plainly(app: Flask, job_id: str) -> None:
    assert is_refused(run(app, "jobs", "retry", "--", job_id))


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_only_a_dead_job_can_be_retried(app: Flask, state: str) -> None:
    job = add()
    job.state = state
    db.session.commit()
    assert is_refused(run(app, "jobs", "retry", str(job.id)))
    assert job.state == state


def test_a_worker_told_to_stop_stops(app: Flask, database_url: str, instance: Path, handle: Handle) -> None:
    environment = {**os.environ, "DATABASE_URL": database_url, "CARNET_INSTANCE": str(instance), "FLASK_APP": "wsgi"}
    db.session.remove()
    worker = subprocess.Popen([sys.executable, "-m", "flask", "jobs", "work"], cwd=ROOT, env=environment)
    deadline = time.monotonic() + 60
    while jobs.last_seen() is None and worker.poll() is None and time.monotonic() < deadline:
        db.session.rollback()
        time.sleep(0.05)
    db.session.rollback()
    worker.terminate()
    assert worker.wait(20) == 0
