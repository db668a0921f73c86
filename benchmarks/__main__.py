"""python -m benchmarks: runs every module here that has a `run()`, and writes results.md."""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
from datetime import UTC, datetime
from pathlib import Path

import benchmarks
from benchmarks.figures import Figure

FILE = Path(__file__).with_name("results.md")
HEAD = """# Benchmarks

Written by `make bench` ({machine}). Each row stands beside something that does as little as possible of the same kind,
measured in turns with it in the same run, or beside the limit it has to keep; compare ratios, not absolute values.
"""


def main() -> None:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    said = [HEAD.format(machine=machine)]
    for found in pkgutil.iter_modules(benchmarks.__path__):
        module = importlib.import_module(f"benchmarks.{found.name}")
        if not hasattr(module, "run"):
            continue
        print(f"{found.name} ...", flush=True)
        rows = [_row(figure) for figure in module.run()]
        print("\n".join(rows), flush=True)
        title = (module.__doc__ or found.name).splitlines()[0]
        said += ["", f"## {title}", "", "| | ours | beside | | ratio |", "|---|--:|---|--:|--:|", *rows]
    FILE.write_text("\n".join(said) + "\n", encoding="utf-8")


def _row(figure: Figure) -> str:
    ours, beside = (f"{_number(value)} {figure.unit}" for value in (figure.value, figure.baseline))
    return f"| {figure.name} | {ours} | {figure.against} | {beside} | {figure.ratio:.2f} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
