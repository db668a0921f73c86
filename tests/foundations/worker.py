"""A worker process whose one job says that it began, and then takes its time: to be killed while it does."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app import clock, create_app, jobs


def begin_and_wait(**_arguments: object) -> None:
    Path(sys.argv[1]).write_text("begun", encoding="utf-8")
    time.sleep(60)


if __name__ == "__main__":
    jobs.handles("slow", begin_and_wait)
    with create_app().app_context():
        jobs.work_off(clock.now, "doomed")
