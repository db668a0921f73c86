"""Any `flask` command on the demo's association: python -m demo.command memberships explain M-000001."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from flask.cli import main as flask

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance" / "demo"
SETTINGS = "environment.json"


def keep(environment: dict[str, str], instance: Path) -> None:
    """Note the settings a demo runs with, for commands beside it."""
    (instance / SETTINGS).write_text(json.dumps(environment), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.command", add_help=False)
    parser.add_argument("--instance", type=Path, default=INSTANCE)
    given, command = parser.parse_known_args()
    try:
        os.environ.update(json.loads((given.instance / SETTINGS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        sys.exit("There is no demo here yet: start one with make demo.")
    sys.argv = ["flask", *command]
    flask()


if __name__ == "__main__":
    main()
