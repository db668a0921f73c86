"""How every `flask ...` command of ours refuses: one plain line on standard error, exit 2, nothing changed."""

from __future__ import annotations

from typing import Any

import click
from flask import has_app_context

from app.errors import Refusal
from app.extensions import db


class PlainGroup(click.Group):
    """A package's command group as the application shows it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            said = error.format_message()
        except Refusal as refusal:
            said = refusal.detail
        if has_app_context():
            db.session.rollback()
        click.echo(" ".join(said.split()), err=True)
        ctx.exit(2)
