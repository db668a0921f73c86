"""flask treasury ..."""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from pathlib import Path

import click
from flask.cli import AppGroup

from app.errors import Refusal
from app.extensions import only_read
from app.treasury.export import ledger_csv, payments_csv
from app.treasury.filters import read_filter

commands = AppGroup("treasury", help="The treasurer's work.")


@commands.command("export")
@click.argument("what")
@click.option("--from", "from_on", required=True, metavar="DAY")
@click.option("--to", "to_on", required=True, metavar="DAY")
@click.option("--format", "file_format", default="csv", show_default=True)
@click.option("--out", default="-", show_default=True, help="a file, or - for standard output")
def export(what: str, from_on: str, to_on: str, file_format: str, out: str) -> None:
    """Write payments or the ledger (WHAT) with a value date in these days, both included."""
    if what not in ("payments", "ledger"):
        raise Refusal("unknown_export", f"{what!r} cannot be exported yet; payments and ledger can.")
    if file_format != "csv":
        raise Refusal("unknown_format", f"{file_format!r} is not written yet; csv is.")
    wanted = read_filter({"from": from_on, "to": to_on})
    if wanted.from_on is None or wanted.to_on is None:
        raise Refusal("bad_filter", "Say both days, such as 2026-11-23.")
    only_read()
    lines = payments_csv(wanted) if what == "payments" else ledger_csv(wanted.from_on, wanted.to_on)
    if out == "-":
        sys.stdout.writelines(lines)
        return
    target = Path(out)
    if not target.name:
        raise Refusal("cannot_write", f"{out!r} is not a file.")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("x", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        draft.replace(target)  # whole or not at all
    except OSError as error:
        raise Refusal("cannot_write", f"{out} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            draft.unlink()
