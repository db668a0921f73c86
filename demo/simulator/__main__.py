"""`python -m demo.simulator`: run until SIGTERM or Ctrl-C."""

import argparse
import signal
import threading

from demo.simulator import server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.simulator", description="Payment simulator on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", metavar="FILE", help="SQLite file that keeps the state; memory without it")
    parser.add_argument("--webhook-url", metavar="URL", help="where events are sent; nowhere without it")
    parser.add_argument("--webhook-secret", default=server.SIGNING_KEY, metavar="whsec_...")
    parser.add_argument("--api-key", default=server.API_KEY, metavar="sk_test_...")
    given = parser.parse_args()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    simulator = server.start(given.port, given.state, given.webhook_url, given.webhook_secret, given.api_key)
    print(f"Payment simulator on {simulator.url}, control page {simulator.url}/_control", flush=True)
    ended.wait()
    simulator.stop()


if __name__ == "__main__":
    main()
