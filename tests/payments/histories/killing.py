"""A process that is killed, as by kill -9, at the n-th of its steps: before and after each commit and each call."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import stripe
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app import mail
from app.extensions import db
from tests.payments.histories.house import House

PATIENCE = 120  # seconds, on a machine that has other things to do
DIED = -1


def count_steps(house: House, work: Callable[[], object]) -> int:
    """Do `work` in a process of its own; how many steps it had."""
    return _work(house, 0, work)


def dies_at(house: House, step: int, work: Callable[[], object]) -> None:
    """Do `work` in a process of its own that dies at its n-th step."""
    assert _work(house, step, work) == DIED, f"there is no step {step}"


def _work(house: House, step: int, work: Callable[[], object]) -> int:
    """In a fork, so that `work` may wait for no lock of the simulator's: other threads may hold them for ever."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    with house.account.store.changed:  # no thread of the simulator's is inside SQLite, whose locks the child inherits
        child = os.fork()
        if child == 0:
            _work_and_die(house, step, work, writing)
    os.close(writing)
    until = time.monotonic() + PATIENCE
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"stuck on the way to step {step}")
        time.sleep(0.002)
    with os.fdopen(reading, "rb") as said:
        passed = said.read()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return DIED
    assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return int(passed)


def _work_and_die(house: House, step: int, work: Callable[[], object], writing: int) -> None:
    """In the child: connections are its own, and nothing of the parent's is tidied up."""
    try:
        with house.app.app_context():
            db.engine.dispose(close=False)
        passed = _watch_steps(step)
        work()
        os.write(writing, str(passed()).encode())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _watch_steps(step: int) -> Callable[[], int]:
    """Die at the n-th step; answers how many have passed."""
    passed = 0

    def pass_by(*_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", pass_by)
    event.listen(Session, "after_commit", pass_by)
    for owner, name in ((stripe._http_client.HTTPClient, "request_with_retries"), (mail, "_keep")):
        setattr(owner, name, _between(getattr(owner, name), pass_by))
    return lambda: passed


def _between(call: Callable[..., Any], pass_by: Callable[[], None]) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        pass_by()
        answer = call(*arguments, **named)
        pass_by()
        return answer

    return called
