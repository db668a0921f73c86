"""Work done after the request: rows written in the transaction that caused them.

Workers take a row under a lease, at least once, with backoff; what keeps failing ends in the state
`dead`, which people see. Handlers begin with no transaction open, commit their own work and are safe
to run twice.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import click
import structlog
from flask.cli import AppGroup
from sqlalchemy import CheckConstraint, Index, func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.errors import Refusal
from app.extensions import Base, Instant, db, insert_once
from app.logs import where

log = structlog.get_logger()
Handler = Callable[..., None]

LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 10
WORKER_SEEN_WITHIN = timedelta(minutes=2)
TICK = 20  # seconds

_handlers: dict[str, list[Handler]] = {}
_periodic: dict[str, timedelta] = {}
commands = AppGroup("jobs", help="Work waiting to be done.")


class Job(Base):
    """`state`: waiting, running (leased), done, dead. `key` refuses a second one of the same."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'done', 'dead')", name="state_known"),
        Index("ix_job_state_run_at", "state", "run_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    arguments: Mapped[str]
    key: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default="waiting")
    created_at: Mapped[datetime] = mapped_column(Instant)
    run_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    lease: Mapped[str | None]
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None] = mapped_column(Instant)


class WorkerSeen(Base):
    """When each worker last asked for work."""

    __tablename__ = "worker_seen"

    worker: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)


def handles(name: str, handler: Handler) -> None:
    """Register `handler(now=..., **arguments)` for jobs called `name`; several may listen to one name."""
    listeners = _handlers.setdefault(name, [])
    if handler not in listeners:
        listeners.append(handler)


def every(interval: timedelta, name: str) -> None:
    """Have workers enqueue `name` once in each interval, however many workers there are."""
    _periodic[name] = interval


def enqueue(name: str, now: datetime, *, key: str | None = None, **arguments: Any) -> None:
    """Add a job to this transaction; with a key already known, nothing is added."""
    insert_once(
        Job, name=name, arguments=json.dumps(arguments, sort_keys=True), key=key, state="waiting", created_at=now,
        run_at=now, attempts=0,
    )  # fmt: skip


def work_off(now: Callable[[], datetime], worker: str = "once") -> int:
    """Do every job that is due; answers how many were tried."""
    count = 0
    while work_one(now, worker):
        count += 1
    return count


def work_one(now: Callable[[], datetime], worker: str) -> bool:
    """Do the next job that is due; False when there is none."""
    job = _take(now(), worker)
    if job is not None:
        _run(*job, now=now)
    return job is not None


def _take(now: datetime, worker: str) -> tuple[int, str, str, dict[str, Any]] | None:
    """Lease the next due job: (id, lease, name, arguments)."""
    due = (
        select(Job)
        .where(
            or_(
                (Job.state == "waiting") & (Job.run_at <= now),
                (Job.state == "running") & (Job.leased_until < now),
            )
        )
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    while True:
        job = db.session.execute(due).scalar_one_or_none()
        if job is None:
            db.session.rollback()
            return None
        if job.attempts < MOST_ATTEMPTS:
            break
        job.state, job.lease, job.leased_until = "dead", None, None  # it took a worker down each time
        job.last_error = "the worker died while doing it"
        db.session.commit()
    job.state, job.lease, job.leased_until = "running", f"{worker}:{secrets.token_hex(8)}", now + LEASE
    job.attempts += 1
    taken = (job.id, job.lease, job.name, json.loads(job.arguments))
    db.session.commit()
    return taken


def _run(job_id: int, lease: str, name: str, arguments: dict[str, Any], now: Callable[[], datetime]) -> None:
    error: str | None = None
    try:
        if name not in _handlers:
            raise Refusal("unknown_job", f"nothing handles {name}")
        for handler in _handlers[name]:
            handler(now=now(), **arguments)
    except Exception as problem:  # the worker outlives any job; the row keeps what went wrong
        db.session.rollback()
        error = f"{where(problem)}: {problem.code}" if isinstance(problem, Refusal) else where(problem)
        log.error("job_failed", job=job_id, name=name, exc_info=problem)
    db.session.rollback()
    job = db.session.get_one(Job, job_id, with_for_update=True)
    if job.lease != lease:  # our lease ran out and another worker has it now
        db.session.rollback()
        return
    job.lease = job.leased_until = None
    if error is None:
        job.state, job.done_at, job.last_error = "done", now(), None
    else:
        job.last_error = error
        job.state = "dead" if job.attempts >= MOST_ATTEMPTS else "waiting"
        job.run_at = now() + timedelta(seconds=min(3600, 5 * 3 ** (job.attempts - 1)))
    db.session.commit()


def tick(now: datetime, worker: str) -> None:
    """Say that a worker lives and enqueue what is due by the calendar."""
    seen = db.session.get(WorkerSeen, worker)
    if seen is None:
        db.session.add(WorkerSeen(worker=worker, at=now))
    else:
        seen.at = now
    for name, interval in _periodic.items():
        window = int(now.timestamp() // interval.total_seconds())
        enqueue(name, now, key=f"{name}:{window}")
    db.session.commit()


def last_seen() -> datetime | None:
    """When any worker last said it lives."""
    return db.session.execute(select(WorkerSeen.at).order_by(WorkerSeen.at.desc()).limit(1)).scalar()


def count_waiting() -> int:
    return db.session.execute(select(func.count()).select_from(Job).where(Job.state == "waiting")).scalar_one()


def is_worker_alive(now: datetime) -> bool:
    last = last_seen()
    return last is not None and last > now - WORKER_SEEN_WITHIN


def find_dead() -> list[Job]:
    return list(db.session.execute(select(Job).where(Job.state == "dead").order_by(Job.id)).scalars())


@commands.command("work")
@click.option("--once", is_flag=True, help="Do what is due, then stop.")
def work(once: bool) -> None:
    """Do jobs until told to stop (SIGTERM, Ctrl-C)."""
    worker = f"{socket.gethostname()}:{os.getpid()}"

    def now() -> datetime:
        clock.forget()
        return clock.now()

    if once:
        tick(now(), worker)
        click.echo(f"{work_off(now, worker)} jobs tried.")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    next_tick = time.monotonic()
    while not stop.is_set():
        try:
            if time.monotonic() >= next_tick:
                tick(now(), worker)
                next_tick = time.monotonic() + TICK
            if not work_one(now, worker):
                stop.wait(0.5)
        except OperationalError as problem:  # the database is away: it comes back
            db.session.rollback()
            log.error("database_unreachable", exc_info=problem)
            stop.wait(2)


@commands.command("list")
@click.option("--all", "everything", is_flag=True, help="Those done too.")
def list_jobs(everything: bool) -> None:
    """What waits, runs or died."""
    query = select(Job).order_by(Job.id)
    for job in db.session.execute(query if everything else query.where(Job.state != "done")).scalars():
        click.echo(f"{job.id}\t{job.state}\t{job.name}\t{job.attempts} tries\t{job.last_error or ''}".rstrip())


@commands.command("retry")
@click.argument("job_id", type=click.IntRange(1, 2**31 - 1))
def retry(job_id: int) -> None:
    """Give a dead job its tries back."""
    job = db.session.get(Job, job_id, with_for_update=True)
    if job is None or job.state != "dead":
        raise Refusal("not_dead", f"There is no dead job {job_id}: see flask jobs list.")
    job.state, job.attempts, job.run_at = "waiting", 0, clock.now()
    db.session.commit()
    click.echo(f"Job {job_id} will run again.")
