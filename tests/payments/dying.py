"""The application as gunicorn serves it, in a worker that is killed at one step of settling, once.

The file named by DIE_AT holds the step; whoever dies of it takes it away.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app import create_app
from app.memberships.models import Term

DIE_AT = Path(os.environ["DIE_AT"])
_now = threading.local()

app = create_app()


def die_at(step: str) -> None:
    if getattr(_now, "settles", False) and DIE_AT.exists() and DIE_AT.read_text() == step:
        DIE_AT.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


@event.listens_for(Session, "after_begin")
def _begin(*_: Any) -> None:
    _now.settles = False


@event.listens_for(Session, "after_flush")
def _look(session: Session, _context: Any) -> None:
    _now.settles |= any(isinstance(row, Term) for row in session.new)


@event.listens_for(Engine, "commit")
def _all_is_written(_connection: Any) -> None:
    die_at("before commit")


@event.listens_for(Session, "after_commit")
def _all_is_committed(_session: Session) -> None:
    die_at("after commit")
