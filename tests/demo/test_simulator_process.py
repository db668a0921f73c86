"""The simulator as a program: it starts, keeps its state, and ends when told."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

ROOT = Path(__file__).parents[2]


class Program:
    """`python -m demo.simulator` with a state file."""

    def __init__(self, state: Path, *more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo.simulator", "--state", str(state), "--api-key", "sk_test_x", *more],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline()
        [self.url] = re.findall(r"simulator on (http://127\.0\.0\.1:\d+),", self.line)
        self.client = stripe.StripeClient("sk_test_x", base_addresses={"api": self.url}, max_network_retries=0)

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        status = self.process.wait(timeout=5)
        assert self.process.stdout
        self.process.stdout.close()
        return status


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Any]:
    started: list[Program] = []

    def start(*more: str) -> Program:
        started.append(Program(tmp_path / "simulator.db", *more))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            program.end(signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_at_once(programs: Any, how: signal.Signals) -> None:
    program = programs()
    assert program.line == f"Payment simulator on {program.url}, control page {program.url}/_control\n"
    children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children")
    assert not children.exists() or children.read_text() == ""
    assert program.end(how) == 0
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", int(program.url.rpartition(":")[2])))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_everything_is_there_after_a_restart(
    programs: Any, fee: dict[str, Any], receiver: Any, how: signal.Signals
) -> None:
    receiver.answers = [500] * 1000
    first = programs("--webhook-url", receiver.url)
    session = first.client.v1.checkout.sessions.create(fee, {"idempotency_key": "k"})
    first.client.v1.customers.create({"email": "alice@example.org"})
    first.end(how)
    receiver.answers = []
    before = len(receiver.got)
    second = programs("--webhook-url", receiver.url, "--port", first.url.rpartition(":")[2])
    assert second.url == first.url
    again = second.client.v1.checkout.sessions.create(fee, {"idempotency_key": "k"})
    assert again.id == session.id
    assert [customer.email for customer in second.client.v1.customers.list().data] == ["alice@example.org"]
    import requests

    assert requests.post(f"{second.url}/_control/idle", json={}, timeout=20).json()["idle"]
    assert set(receiver.types[before:]) == {"customer.created"}  # perhaps twice: the dead one's last try was on its way


def test_it_leaves_no_telemetry_and_needs_no_stripe_library(tmp_path: Path) -> None:
    code = "import sys, demo.simulator.server; sys.exit('stripe' in sys.modules)"
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=20)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []
