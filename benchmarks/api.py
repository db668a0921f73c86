"""Verifications a second: the API with its durable log, beside an empty Flask view under the same server

gunicorn with one worker and four threads, four clients on connections that stay open. CPU of server and database, by
request; each question is a printed card's code, asked under one of twenty keys.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import insert

import config as settings
from app import clock, create_app
from app.cards.models import Card
from app.cards.service import find_card, static_code
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import add_tier, standing_of
from app.people.models import Person
from app.services.service import add_service
from benchmarks.figures import Figure, compare
from tests.postgres import Postgres

MEMBERS = int(os.environ.get("BENCH_MEMBERS", "100000"))
ASKED = 200  # of them show their card
KEYS = 20  # each may ask 600 times a minute
CLIENTS, EACH = 4, 250  # in one round
ROUNDS = 5
PATH = "/api/v1/verifications"
TICK = os.sysconf("SC_CLK_TCK")


def run() -> list[Figure]:
    with association("sqlite") as (environment, questions):
        found = measured("SQLite", environment, questions, None)
    with association("postgresql") as (environment, questions):
        return found + measured("PostgreSQL", environment, questions, int(environment.pop("BENCH_POSTGRES")))


def measured(
    name: str, environment: dict[str, str], questions: list[tuple[str, str]], postgres: int | None
) -> list[Figure]:
    """CPU by request of both, and requests a second of both: the medians of rounds that take turns."""
    taken: dict[str, list[tuple[float, float]]] = {"ours": [], "empty": []}
    with served("wsgi:app", environment) as ours, served("benchmarks.empty_view:app", environment) as empty:
        for number in range(ROUNDS + 1):
            for which, (server, port) in (("ours", ours), ("empty", empty)):
                watched = [server, postgres] if which == "ours" and postgres else [server]
                before, began = sum(map(cpu_of, watched)), time.perf_counter()
                ask(port, questions)
                seconds, spent = time.perf_counter() - began, sum(map(cpu_of, watched)) - before
                if number:  # the first warms up
                    taken[which].append((spent / (CLIENTS * EACH) * 1e6, CLIENTS * EACH / seconds))
    cpu = {which: statistics.median(it[0] for it in rounds) for which, rounds in taken.items()}
    rate = {which: statistics.median(it[1] for it in rounds) for which, rounds in taken.items()}
    what = f"{name}: CPU of a verification, {MEMBERS:,} members"
    # The ratio as it is for a rate: 1 would be as cheap as doing nothing.
    by_cpu = Figure(what, "empty view", cpu["ours"], cpu["empty"], "µs", cpu["empty"] / cpu["ours"])
    return [by_cpu, compare(f"{name}: verifications a second", "empty view", rate["ours"], rate["empty"], "1/s")]


def ask(port: int, questions: list[tuple[str, str]]) -> None:
    """Every client its share, each answered 200 and valid."""
    failed: list[object] = []

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for turn in range(EACH):
            key, code = questions[(number * EACH + turn) % len(questions)]
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request("POST", PATH, json.dumps({"credential": code}), headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or not json.loads(body)["valid"]:
                failed.append((answer.status, body))
                break
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(f"not answered: {failed[0]!r}")


@contextmanager
def served(application: str, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """(process, port) of gunicorn with an application."""
    port = _free_port()
    command = [
        sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4",
        "--log-level", "error", application,
    ]  # fmt: skip
    # What it logs goes where nobody reads it; writing it is part of the work.
    server = subprocess.Popen(  # noqa: S603 - our own server
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("POST", PATH)
                connection.getresponse().read()
                break
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        yield server.pid, port
    finally:
        server.terminate()
        server.wait(20)


def cpu_of(process: int) -> float:
    """Seconds of CPU of a process, of those it started, and of those they did, ended ones too."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(fields[place]) for place in (11, 12, 13, 14)) / TICK
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return own + sum(cpu_of(int(child)) for child in children)


@contextmanager
def association(kind: str) -> Iterator[tuple[dict[str, str], list[tuple[str, str]]]]:
    """A database of its own with members and their cards: (environment of a server on it, (key, code) to ask)."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = Postgres() if kind == "postgresql" else None
        # The server of the tests does not wait for its disk; what it waits for is no CPU.
        url = postgres.url if postgres else f"sqlite:///{folder}/carnet.sqlite"
        environment = {"DATABASE_URL": url, "CARNET_INSTANCE": folder}
        if postgres:
            environment["BENCH_POSTGRES"] = str(postgres.server.pid)
        app = create_app(settings.load(environment, instance=Path(folder)))
        try:
            with app.app_context():
                upgrade()
                questions = fill()
                db.session.remove()
                db.engine.dispose()
            yield environment, questions
        finally:
            if postgres:
                postgres.stop()


def fill() -> list[tuple[str, str]]:
    now, today = clock.now(), clock.today()
    tier = add_tier("basic", "Basic", 3000, now)
    keys = [add_service(f"Reader {n}", ["verify"], None, now)[1] for n in range(KEYS)]
    people, starts_on = range(1, MEMBERS + 1), today - timedelta(days=100)
    ends_on = today + timedelta(days=264)
    db.session.execute(
        insert(Person), [{"id": n, "given_name": "A", "family_name": f"B{n}", "created_at": now} for n in people]
    )
    db.session.execute(
        insert(Term),
        [
            {
                "person_id": n, "tier_id": tier.id, "anchor_on": starts_on, "starts_on": starts_on, "ends_on": ends_on,
                "sold_ends_on": ends_on, "grace_ends_on": ends_on, "granted_by": "test", "granted_because": "test",
                "created_at": now,
            }
            for n in people
        ],
    )  # fmt: skip
    numbers: set[int] = set()
    while len(numbers) < MEMBERS:
        numbers.add(secrets.randbits(40))
    db.session.execute(
        insert(Card),
        [
            {"person_id": n, "number": number, "status_index": n, "issued_at": now}
            for n, number in zip(people, numbers, strict=True)
        ],
    )
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        db.session.execute(db.text("ANALYZE"))
    codes = []
    for n in range(1, ASKED + 1):
        card = find_card(n)
        if card is None:
            raise RuntimeError(f"member {n} has no card")
        codes.append(static_code(card, standing_of(n, now, today), today))
    db.session.commit()
    return [(keys[n % KEYS], codes[n % ASKED]) for n in range(CLIENTS * EACH)]


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    for figure in run():
        print(figure)
