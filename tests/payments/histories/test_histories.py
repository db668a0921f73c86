"""Random histories, the same ones on each run; twenty thousand others are long.py's."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.payments.histories.house import House
from tests.payments.histories.machine import Histories

STEADY = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), print_blob=False,
    phases=(Phase.generate, Phase.shrink), stateful_step_count=6,
)  # fmt: skip
HISTORIES = {"sqlite": 50, "postgresql": 4}


def test_whatever_happens_in_whatever_order_everything_agrees_after_a_sweep(house: House) -> None:
    machine = type("HistoriesHere", (Histories,), {"house": house})
    run_state_machine_as_test(machine, settings=settings(STEADY, max_examples=HISTORIES[house.kind]))
