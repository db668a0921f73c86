"""One time for the demo: whoever moves a clock, the product's or the simulator's, moves both, day by day."""

from __future__ import annotations

import threading

from flask import Flask

from app import clock, jobs
from app.association import get_association
from app.extensions import db
from demo.simulator.server import Simulator

DAY = 86_400


class Clocks:
    """Each day that passes, the product does what a worker does that day: a notice goes before its charge."""

    def __init__(self, app: Flask, simulator: Simulator) -> None:
        self.app, self.simulator = app, simulator
        self.offset = simulator.account.clock_offset
        self._leads = False  # whether the product's clock is ahead already, by a command
        self._moving = threading.Lock()
        simulator.account.on_clock = self._follow

    def keep_together(self, ending: threading.Event) -> None:
        """`flask clock shift` moves the simulator too, until `ending` is set."""
        while not ending.wait(0.5):
            with self.app.app_context():
                wanted = get_association().clock_offset_seconds
            self._leads = wanted != self.offset
            while wanted != self.offset and not ending.is_set():
                self.simulator.account.move_clock(min(wanted, self.offset + DAY))
                self.simulator.webhooks.wait_until_tried(5)
            self._leads = False

    def _follow(self, offset: int) -> None:
        """The simulator's clock was moved."""
        with self._moving, self.app.app_context():
            self.offset = offset
            if not self._leads:
                get_association(for_update=True).clock_offset_seconds = offset
            db.session.commit()
            clock.forget()
            jobs.tick(clock.now(), "clock")
            jobs.work_off(clock.now)
