"""Many histories, in several processes, with a seed each; what was done already is not done again.

    python -m tests.payments.histories.long --histories 20000 --progress build/histories.jsonl
    python -m tests.payments.histories.long --report docs/quality/histories.md --progress build/histories.jsonl

A chunk that finds something is kept with its shrunk history, and the run goes on; exit 1 when any did. The next run
does it again.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import structlog
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from app import create_app
from tests.databases import configuration, migrate
from tests.payments.histories.house import House
from tests.payments.histories.machine import Histories

ABOUT = """# Random histories

Written by `python -m tests.payments.histories.long --report`; "What they found" is written by hand
(tests/payments/histories/found.md). Each history is three people, their banks, the payment provider and the treasurer
doing things in random order on the real application over HTTP, with the provider's news delivered late, several times
at once, in any order or never. At its end, and often before, all is compared with a second opinion that knows only what
happened and when: nobody has a day twice, the days are those that the facts give, every account agrees to the cent with
the provider and with what was typed in, receipts have no gap, the card, the campus services' answer and `explain` say
the same, and a further sweep changes nothing.
"""
CHUNK = 50
STEPS = 20


def main() -> int:
    options = _options()
    if options.report:
        options.report.write_text(report(_done(options.progress)), encoding="utf-8")
        return 0
    known = {row["seed"] for row in _done(options.progress) if not row["found"]}
    seeds = [options.seed + n for n in range(options.histories // CHUNK)]
    options.progress.parent.mkdir(parents=True, exist_ok=True)
    failed = False
    with multiprocessing.get_context("spawn").Pool(options.processes, _open, (options.database,)) as pool:
        for row in pool.imap_unordered(_chunk, [number for number in seeds if number not in known]):
            with options.progress.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(_line(row), flush=True)
            failed |= bool(row["found"])
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--progress", type=Path, required=True, help="a file; what it holds is not done again")
    parser.add_argument("--database", help="a PostgreSQL database that may be emptied; else SQLite in memory")
    parser.add_argument("--report", type=Path, help="write what the progress file says, and do nothing else")
    return parser.parse_args()


def _open(database_url: str | None) -> None:
    """A house for this process, for as long as it lives."""
    global _house
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own within it
    folder = Path(tempfile.mkdtemp(prefix="histories-", dir=memory if os.access(memory, os.W_OK) else None))
    file = folder / "carnet.sqlite"
    url = database_url or f"sqlite:///{file}"
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    def make_app(**environment: str) -> Flask:
        app = create_app(configuration(url, folder, MAIL_URL=(folder / "mail").as_uri(), **environment))
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        return app

    migrate(url, folder)
    _house = House(make_app, None if database_url else file)
    Finalize(_house, shutil.rmtree, args=(folder,), exitpriority=1)


_house: House


def _chunk(number: int) -> dict[str, Any]:
    """So many histories from one seed; the first thing found, shrunk."""
    machine = type("History", (Histories,), {"house": _house, "begun": 0, "steps": 0, "seen": Counter()})
    profile = settings(
        deadline=None, database=None, max_examples=CHUNK, stateful_step_count=STEPS, print_blob=False,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    began, found = time.monotonic(), None
    try:
        run_state_machine_as_test(seed(number)(machine), settings=profile)
    except Exception as problem:  # whatever it is, it is what we look for
        found = "".join(traceback.format_exception(problem))
    return {
        "seed": number, "histories": machine.begun, "steps": machine.steps,  # type: ignore[attr-defined]
        "seconds": round(time.monotonic() - began, 1), "found": found, "seen": machine.seen,  # type: ignore[attr-defined]
    }  # fmt: skip


def _done(progress: Path) -> list[dict[str, Any]]:
    if not progress.exists():
        return []
    return [json.loads(line) for line in progress.read_text(encoding="utf-8").splitlines()]


def _line(row: dict[str, Any]) -> str:
    said = row["found"].splitlines()[-1][:200] if row["found"] else "nothing found"
    return f"seed {row['seed']}: {row['histories']} histories, {row['steps']} steps, {row['seconds']} s: {said}"


def report(rows: list[dict[str, Any]]) -> str:
    """The page for docs/quality: figures from the progress file, what was found from found.md beside this."""
    newest = {row["seed"]: row for row in rows}.values()
    histories, steps = (sum(row[name] for row in newest) for name in ("histories", "steps"))
    seconds = sum(row["seconds"] for row in newest)
    open_ones = [row for row in newest if row["found"]]
    once = {row["seed"] for row in rows if row["found"]} - {row["seed"] for row in open_ones}
    seen: Counter[str] = Counter()
    for row in newest:
        seen.update(row.get("seen", {}))
    lines = [
        *ABOUT.splitlines(), "",
        f"{histories} histories, {steps} steps, {seconds / 3600:.1f} hours of one process"
        f" ({histories / seconds if seconds else 0:.2f} histories a second in each), seeds"
        f" {min((row['seed'] for row in newest), default=0)} to {max((row['seed'] for row in newest), default=0)},"
        f" {CHUNK} histories of up to {STEPS} steps each.", "",
        f"{len(open_ones)} seeds find something now. {len(once)} found something once, were run again after it was"
        " mended, and find nothing since.", "",
        (Path(__file__).parent / "found.md").read_text(encoding="utf-8").rstrip(), "",
        "## What was in them", "", "| at the end of a history | how often |", "|---|---:|",
        *(f"| {name} | {seen[name]} |" for name in sorted(seen)), "",
    ]  # fmt: skip
    for row in open_ones:
        lines += [f"## Seed {row['seed']}", "", "```", *row["found"].splitlines()[-40:], "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
