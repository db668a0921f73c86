"""`flask ...` as somebody at a terminal runs it, in this process."""

from __future__ import annotations

from click.testing import Result
from flask import Flask

from app.extensions import db


def run(app: Flask, *arguments: str) -> Result:
    """Like a process of its own, it shares no session and no `g` with the test. `.stdout`, `.stderr`, `.exit_code`."""
    db.session.commit()
    with app.app_context():
        return app.test_cli_runner().invoke(args=list(arguments))


def is_refused(result: Result) -> bool:
    """Exit 2, nothing on standard output, one plain line on standard error."""
    lines = result.stderr.splitlines()
    return result.exit_code == 2 and result.stdout == "" and len(lines) == 1 and not lines[0].startswith("Usage")
