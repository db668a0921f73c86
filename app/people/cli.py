"""flask people ..."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from flask.cli import AppGroup

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.people.importing import ImportReport, import_register, read_register
from app.people.rules import RegisterRow

commands = AppGroup("people", help="The register of alumni.")


@commands.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and count; change nothing.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write reasons per line as CSV.")
def import_people(file: Path, dry_run: bool, report: Path | None) -> None:
    """Take a register's CSV: everything or, when a line is wrong, nothing (exit 2)."""
    outcome = import_register(read_register(file), clock.now(), _watched)
    if report:
        _write_report(report, outcome)
    if outcome.refused:
        db.session.rollback()
        for line, reason in outcome.refused[:20]:
            click.echo(f"line {line}: {reason}", err=True)
        detail = f"Nothing was imported: {len(outcome.refused)} problems in {outcome.rows} rows."
        raise Refusal("import_refused", detail)
    for line, reason in outcome.review:
        click.echo(f"line {line}: to review: {reason}", err=True)
    if dry_run:
        db.session.rollback()
    else:
        db.session.commit()
    verb = "would be" if dry_run else "were"
    click.echo(f"{outcome.added} {verb} added, {outcome.changed} changed, {outcome.unchanged} left as they were.")


def _watched(rows: list[RegisterRow]) -> Iterator[RegisterRow]:
    """A progress bar for somebody at a terminal, nothing for a script."""
    if not sys.stderr.isatty():
        yield from rows
        return
    with click.progressbar(rows, label="Reading people", file=sys.stderr) as bar:
        yield from bar


def _write_report(path: Path, outcome: ImportReport) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(["line", "kind", "reason"])
            writer.writerows((line, "refused", reason) for line, reason in outcome.refused)
            writer.writerows((line, "review", reason) for line, reason in outcome.review)
    except OSError as error:
        raise Refusal("report_unwritable", f"{path} cannot be written: {error.strerror}.") from None
