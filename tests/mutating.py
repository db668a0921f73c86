"""Change each rule a little and see that a test notices: mutmut, in a copy of the project, with its fast tests.

    python -m tests.mutating [--write] [--workers N]

What no test notices stands in docs/quality/mutants.md with its reason; any other survivor fails this program.
--write writes that file anew and keeps the reasons, the only words in it written by hand.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "quality" / "mutants.md"
MUTMUT = Path(sys.executable).with_name("mutmut")
NEEDED = ("app", "config.py", "demo", "migrations", "pyproject.toml", "tests")
# The same tests in the same order each time; conftest.py starts no PostgreSQL when it is told of one.
ENVIRONMENT = {**os.environ, "PYTHONHASHSEED": "0", "TEST_POSTGRES_URL": "unused"}
NOTICED = ("killed", "timeout")
HEAD = """# Mutants that no test notices

Written on {day} by `.venv/bin/python -m tests.mutating --write`; only the reasons are written by hand. Without
`--write`, in `make test-long`, the same program fails when a mutant survives that has no reason here.

mutmut changes one thing at a time in the functions of the rules and of the ledger (a comparison, a number, an
argument left out) and runs the plain examples that `[tool.mutmut]` in `pyproject.toml` names, on SQLite. Property
tests and PostgreSQL are left out, so that the result is the same each time. A test that never ends has noticed. No
module constants (the order of reasons, the groups of the queue) and no properties are changed.

"""


@dataclass(frozen=True)
class Mutant:
    name: str
    status: str

    @property
    def file(self) -> str:
        return self.name.split(".x", 1)[0].replace(".", "/") + ".py"

    @property
    def function(self) -> str:
        """`lay` of app.memberships.layers.x_lay__mutmut_3; methods are written xǁClassǁmethod."""
        mangled = self.name.rpartition(".")[2].rpartition("__mutmut_")[0]
        return mangled.removeprefix("x").removeprefix("_").strip("ǁ").replace("ǁ", ".")

    def row(self, diff: str) -> str:
        """The row of the table, its reason aside."""
        lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
        was, became = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
        cells = (f"{self.file}, {self.function}", was, became)
        return "| " + " | ".join("`" + cell.replace("|", "\\|") + "`" for cell in cells)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.mutating")
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--workers", default=str(os.cpu_count()))
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="carnet-mutants-") as folder:
        copy_project(Path(folder))
        run = subprocess.run([MUTMUT, "run", "--max-children", asked.workers], cwd=folder, env=ENVIRONMENT)
        if run.returncode != 0:
            return 1
        found = re.findall(r"(\S+__mutmut_\d+): (.+)", say(folder, "results", "--all", "True"))
        mutants = [Mutant(name, status) for name, status in found]
        rows = [mutant.row(say(folder, "show", mutant.name)) for mutant in mutants if mutant.status not in NOTICED]
    reasons = read_reasons()
    if asked.write:
        TABLE.write_text(page(mutants, rows, reasons), encoding="utf-8")
    for row in rows:
        print(f"{row} | {reasons.get(row, '')} |")
    without = [row for row in rows if not reasons.get(row)]
    print(f"{len(mutants)} mutants, {len(rows)} survived, {len(without)} of them without a reason in {TABLE.name}")
    return 1 if without or not mutants else 0


def copy_project(folder: Path) -> None:
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)


def say(folder: str, *arguments: str) -> str:
    done = subprocess.run([MUTMUT, *arguments], cwd=folder, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


def read_reasons() -> dict[str, str]:
    """What the table says now: each row's reason."""
    lines = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    rows = [line.removesuffix(" |").rpartition(" | ") for line in lines if line.startswith("| `app/")]
    return {row: reason for row, _, reason in rows if row.count(" | ") == 2}


def page(mutants: list[Mutant], rows: list[str], reasons: dict[str, str]) -> str:
    all_of = Counter(mutant.file for mutant in mutants)
    noticed = Counter(mutant.file for mutant in mutants if mutant.status in NOTICED)
    lines = ["| file | mutants | noticed | survived |", "|---|---:|---:|---:|"]
    lines += [f"| {file} | {n} | {noticed[file]} | {n - noticed[file]} |" for file, n in sorted(all_of.items())]
    lines += [f"| together | {len(mutants)} | {len(mutants) - len(rows)} | {len(rows)} |", ""]
    lines += ["| where | was | became | why no test notices |", "|---|---|---|---|"]
    lines += [f"{row} | {reasons.get(row, '')} |" for row in rows]
    return HEAD.format(day=datetime.now(UTC).date()) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
