"""Runs Stripe's own command line against simulators, and prints what came of each trigger as JSON.

Started by test_simulator_cli in a network of its own where nothing but loopback exists, since the command line
looks for news of itself: `python -m tests.demo.stripe_cli EVENT...`.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from demo.simulator import server
from tests.demo.checking import Checker

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".assets" / "node_modules" / "@stripe"
LATER = {"checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"}
DAYS_UNTIL_LATER = 6
AT_ONCE = 3
STARTING = threading.Lock()


def alone(module: str, *arguments: str) -> Any:
    """What a module of the tests prints as JSON, run in a network that has only loopback where that can be made."""
    command = [sys.executable, "-m", module, *arguments]
    own_network = ["unshare", "--map-root-user", "--net"]
    if _can(*own_network, "true"):
        command = [*own_network, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _can(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except FileNotFoundError:
        return False


def pull(url: str, api_key: str, event: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """`stripe trigger EVENT` against one simulator."""
    binaries = [*PACKAGES.glob("cli-*/bin/stripe")]
    assert binaries, "Stripe's command line is not installed: make test does that, or make/assets.py --tests"
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [binaries[0], "trigger", event, *flags, "--api-base", url, "--api-key", api_key],
            env={"HOME": home},
            capture_output=True,
            text=True,
            timeout=60,
        )


def has_succeeded(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode == 0 and "Trigger succeeded" in done.stdout


def trigger(event: str, checker: Checker) -> dict[str, Any]:
    """`ok`, what it `said`, the `types` of the events it caused, and `problems` with what was sent and answered."""
    with STARTING:  # routes are compiled by Python's parser, which 3.11 cannot run in two threads
        simulator = server.start()
    done = pull(simulator.url, simulator.api_key, event)
    if event in LATER:
        simulator.account.move_clock(DAYS_UNTIL_LATER * 86_400)
    rows = simulator.account.store.rows(
        "SELECT json_extract(body, '$.type') AS type FROM object WHERE kind = 'event' ORDER BY seq"
    )
    problems = checker.check(simulator)
    refused = [call.answer for call in simulator.calls if call.status != 200]
    simulator.stop()
    return {
        "ok": has_succeeded(done),
        "said": done.stdout + done.stderr,
        "types": [row["type"] for row in rows],
        "problems": problems,
        "refused": refused,
    }


def main() -> None:
    events = sys.argv[1:]
    checker = Checker()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda event: trigger(event, checker), events)
        print(json.dumps(dict(zip(events, results, strict=True))))


if __name__ == "__main__":
    main()
