"""Everything the database holds, to see that something refused changed nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.extensions import db


def everything_kept(*, but: frozenset[str] = frozenset()) -> dict[str, list[tuple[Any, ...]]]:
    """All rows by table, in no order of their own; tables named in `but` are left out."""
    db.session.rollback()
    return {
        table.name: sorted((tuple(row) for row in db.session.execute(sa.select(table))), key=repr)
        for table in db.metadata.sorted_tables
        if table.name not in but
    }
