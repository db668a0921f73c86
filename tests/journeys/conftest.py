"""The demo as `make demo` runs it, in processes of its own, and a real browser to use it with."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
LONGEST_START = 180


@dataclass
class Demo:
    """A running demo, by what it printed: its addresses and the one-time links by role."""

    process: subprocess.Popen[str]
    site: str = ""
    mailbox: str = ""
    control: str = ""
    links: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        """Take its words until it says how to end it."""
        lines: Queue[str] = Queue()
        output = self.process.stdout
        if output is None:
            raise AssertionError("the demo has no output")
        threading.Thread(target=lambda: [lines.put(line) for line in output], daemon=True).start()
        said = ""
        while "Ctrl-C" not in said:
            said += lines.get(timeout=LONGEST_START)
        self.site = _after("Carnet is on", said)
        self.mailbox = _after("Mail it sent", said)
        self.control = _after("Payment simulator", said)
        self.links = dict(re.findall(r"as the (\w+) +(http\S+)", said))

    def end(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def _after(words: str, said: str) -> str:
    found = re.search(rf"{words} +(http\S+)", said)
    if found is None:
        raise AssertionError(f"the demo did not say {words!r}: {said}")
    return found[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_demo(instance: Path) -> Demo:
    command = [sys.executable, "-m", "demo", "--port", str(free_port()), "--instance", str(instance)]
    demo = Demo(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
    try:
        demo.read()
    except BaseException:
        demo.process.kill()
        raise
    return demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = start_demo(tmp_path_factory.mktemp("demo"))
    yield demo
    demo.end()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
    yield browser
    browser.close()
