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

PATIENCE = 30  # seconds


def dies_at(house: House, step: int, work: Callable[[], object]) -> bool:
    """Do `work` in a process of its own that dies at its n-th step; False when it had fewer and ended by itself.

    The process is a fork, so `work` may wait for no lock of the simulator's: other threads may hold them for ever.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _work_and_die(house, step, work)
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
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return False


def _work_and_die(house: House, step: int, work: Callable[[], object]) -> None:
    """In the child: connections are its own, and nothing of the parent's is tidied up."""
    try:
        with house.app.app_context():
            db.engine.dispose(close=False)
        _count_steps(step)
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _count_steps(step: int) -> None:
    left = step

    def pass_by(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", pass_by)
    event.listen(Session, "after_commit", pass_by)
    for owner, name in ((stripe._http_client.HTTPClient, "request_with_retries"), (mail, "_keep")):
        setattr(owner, name, _between(getattr(owner, name), pass_by))


def _between(call: Callable[..., Any], pass_by: Callable[[], None]) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        pass_by()
        answer = call(*arguments, **named)
        pass_by()
        return answer

    return called
