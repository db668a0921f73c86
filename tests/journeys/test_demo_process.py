"""`make demo` as a program: it starts again with what was there, quickly, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.journeys.conftest import ROOT, Demo, start_demo


def children_of(process: int) -> set[int]:
    """The processes a process has started, and theirs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    found, before = {process}, set()
    while found != before:
        before = set(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def run_command(instance: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "demo.command", "--instance", str(instance), *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def simulators_offset(demo: Demo) -> int:
    with urllib.request.urlopen(f"{demo.control}/state", timeout=5) as answer:
        return int(json.load(answer)["clock_offset"])


def test_the_demo_ends_whole_and_starts_again_as_it_was_on_a_clock_to_move(
    tmp_path: Path,
) -> None:
    first = start_demo(tmp_path)
    family = children_of(first.process.pid)
    assert len(family) >= 4  # itself, the site's two, the worker
    assert first.end() == 0
    deadline = time.monotonic() + 5
    while alive := {pid for pid in family if Path(f"/proc/{pid}").exists()}:
        assert time.monotonic() < deadline, f"still there: {alive}"
        time.sleep(0.05)

    database = tmp_path / "carnet.sqlite"
    filled = os.stat(database).st_size
    second = start_demo(tmp_path)
    try:
        assert os.stat(database).st_size <= filled + 200_000  # nothing was filled in again
        with urllib.request.urlopen(second.site, timeout=5) as page:
            assert page.status == 200
        before = json.loads(run_command(tmp_path, "memberships", "explain", "marta@example.org", "--json"))
        run_command(tmp_path, "clock", "shift", "60d")
        after = json.loads(run_command(tmp_path, "memberships", "explain", "marta@example.org", "--json"))
        assert (before["status"], after["status"]) == ("active", "lapsed")
        deadline = time.monotonic() + 10
        while simulators_offset(second) != 60 * 86_400:
            assert time.monotonic() < deadline, "the simulator's clock did not follow"
            time.sleep(0.1)
    finally:
        second.end()
