"""kill -9 at every step of every deed, on both databases, as `make test-long` does it.

    python -m tests.payments.histories.killed [--write] [--workers N]

`make test` kills at some steps only. --write keeps the figures in docs/quality/killed.md; without it, or when anything
failed, that file stays as it is.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree  # our own test report

ROOT = Path(__file__).resolve().parents[3]
TABLE = ROOT / "docs" / "quality" / "killed.md"
HEAD = """# Killed at every step

Written on {day} by `.venv/bin/python -m tests.payments.histories.killed --write`, the same program as in
`make test-long`.

Each deed was done once undisturbed, and then again and again from the same beginning in a process that got kill -9 one
step later each time: before and after each commit, each call of the payment provider and each letter. Then the
provider sent its news again, people pressed their button again, and another worker went on. Each time everything had
to be as after the undisturbed deed: terms, receipts, ledger, payments, the treasurer's queue, cards, letters, jobs,
the audit chain, and at the provider charges, refunds, checkouts and subscriptions.

{deeds} deeds, {kills} kills, none of which lost anything or did anything twice.

| deed | SQLite | PostgreSQL |
|---|---:|---:|
"""


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.payments.histories.killed")
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--workers", default=str(os.cpu_count()))
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="carnet-killed-") as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "--tb=short", "-n", asked.workers, "--dist", "load",
            f"--junitxml={report}", "tests/payments/histories/test_killed.py",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "ALL_STEPS": "1"})
        if done.returncode == 0 and asked.write:
            TABLE.write_text(page(report), encoding="utf-8")
    return done.returncode


def page(report: Path) -> str:
    kills: dict[str, dict[str, int]] = defaultdict(dict)
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        named = re.search(r"\[(.+)-(sqlite|postgresql)\]$", case.get("name", ""))
        steps = case.find("properties/property[@name='steps']")
        if named is not None and steps is not None:
            kills[named[1].replace("_", " ")][named[2]] = int(steps.get("value", ""))
    total = sum(sum(on.values()) for on in kills.values())
    rows = [f"| {deed} | {on['sqlite']} | {on['postgresql']} |" for deed, on in sorted(kills.items())]
    return HEAD.format(day=datetime.now(UTC).date(), deeds=len(kills), kills=total) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
