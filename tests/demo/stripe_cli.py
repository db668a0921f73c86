"""Runs Stripe's own command line against simulators, and prints what came of each trigger as JSON.

Started by test_simulator_cli in a network of its own where nothing but loopback exists, since the command line
looks for news of itself: `python -m tests.demo.stripe_cli BINARY EVENT...`.
"""

import json
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from demo.simulator import server
from tests.demo.checking import Checker

LATER = {"checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"}
DAYS_UNTIL_LATER = 6
AT_ONCE = 3
STARTING = threading.Lock()


def trigger(binary: str, event: str, checker: Checker) -> dict[str, Any]:
    """`ok`, what it `said`, the `types` of the events it caused, and `problems` with what was sent and answered."""
    with STARTING:  # routes are compiled by Python's parser, which 3.11 cannot run in two threads
        simulator = server.start()
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [binary, "trigger", event, "--api-base", simulator.url, "--api-key", simulator.api_key],
            env={"HOME": home},
            capture_output=True,
            text=True,
            timeout=60,
        )
    if event in LATER:
        simulator.account.move_clock(DAYS_UNTIL_LATER * 86_400)
    rows = simulator.account.store.rows(
        "SELECT json_extract(body, '$.type') AS type FROM object WHERE kind = 'event' ORDER BY seq"
    )
    problems = checker.check(simulator)
    refused = [call.answer for call in simulator.calls if call.status != 200]
    simulator.stop()
    return {
        "ok": done.returncode == 0 and "Trigger succeeded" in done.stdout,
        "said": done.stdout + done.stderr,
        "types": [row["type"] for row in rows],
        "problems": problems,
        "refused": refused,
    }


def main() -> None:
    binary, events = sys.argv[1], sys.argv[2:]
    checker = Checker()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda event: trigger(str(Path(binary).absolute()), event, checker), events)
        print(json.dumps(dict(zip(events, results, strict=True))))


if __name__ == "__main__":
    main()
