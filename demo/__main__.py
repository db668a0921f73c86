"""`make demo`: the product on a sample association, with a payment simulator and a mailbox; nothing else needed.

The site and its worker are the production programs in processes of their own. Ctrl-C ends everything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from demo import command, mailbox
from demo.simulator import server as simulator_server

ROOT = Path(__file__).resolve().parent.parent
CAST = (
    ("alumna", "marta@example.org", "member"),
    ("desk", "desk@example.org", "scanner"),
    ("treasurer", "treasurer@example.org", "treasurer"),
    ("administrator", "admin@example.org", "admin"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--instance", type=Path, default=command.INSTANCE, help="where its files live")
    parser.add_argument("--reset", action="store_true", help="start anew")
    given = parser.parse_args()
    if not is_free(given.port):
        sys.exit(f"Port {given.port} is taken. Choose another: make demo PORT={given.port + 100}")
    if given.reset:
        shutil.rmtree(given.instance, ignore_errors=True)
    given.instance.mkdir(parents=True, exist_ok=True)
    ending = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    run(given.port, given.instance.absolute(), ending)


def run(port: int, instance: Path, ending: threading.Event) -> None:
    """Bring everything up, say where it is, wait for the end, take everything down."""
    os.environ.update(environment(port, instance))
    simulator = simulator_server.start(
        port=port_from(port + 1), state=str(instance / "payments.sqlite"), webhook_url=None, retry_seconds=1.0
    )
    os.environ["STRIPE_API_BASE"] = simulator.url
    command.keep(environment(port, instance) | {"STRIPE_API_BASE": simulator.url}, instance)
    mails = mailbox.start(port_from(port + 2), instance / "mail")
    children: list[subprocess.Popen[bytes]] = []
    shop = None
    try:
        from demo import clocks, sample  # import the application, which reads the environment set above
        from demo.course_shop.server import CourseShop

        app = sample.prepare(simulator)
        shop_port = port_from(port + 3)
        shop = CourseShop(shop_port, sample.connect_shop(app, f"http://127.0.0.1:{shop_port}", instance))
        if ending.is_set():
            return
        simulator.webhooks.url = f"http://127.0.0.1:{port}/stripe/webhook"
        children = [start_site(port, instance), start_worker(instance)]
        threading.Thread(target=clocks.Clocks(app, simulator).keep_together, args=(ending,), daemon=True).start()
        if wait_until_up(port, instance, children, ending):
            cast = (*CAST, *sample.shoppers(app))
            greet(port, sample.invite(app, cast), f"{simulator.url}/_control", mails.url, shop.url)
            while not ending.wait(0.5):
                if any(child.poll() is not None for child in children):
                    sys.exit(f"A part of the demo ended; its words are in {instance / 'log'}.")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(8)
            except subprocess.TimeoutExpired:
                child.kill()
        if shop is not None:
            shop.stop()
        mails.stop()
        simulator.stop()


def environment(port: int, instance: Path) -> dict[str, str]:
    """Every setting, so that nothing of the surroundings (a real database, real keys) is touched."""
    return {
        "BASE_URL": f"http://127.0.0.1:{port}",
        "CARD_BASE_URL": "",
        "CARNET_INSTANCE": str(instance),
        "DATABASE_URL": f"sqlite:///{instance / 'carnet.sqlite'}",
        "MAIL_URL": (instance / "mail").as_uri(),
        "STRIPE_SECRET_KEY": simulator_server.API_KEY,
        "STRIPE_WEBHOOK_SECRET": simulator_server.SIGNING_KEY,
        "TIME_ZONE": "Europe/Madrid",
        "DEFAULT_LOCALE": "en",
        "REDIS_URL": "",
        "OIDC_KEYS": "",
        "TRUSTED_PROXIES": "0",
        "FLASK_APP": "wsgi",
    } | {
        f"{name}_FILE": ""
        for name in ("SECRET_KEY", "CARD_KEYS", "OIDC_KEYS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
    }


def start_site(port: int, instance: Path) -> subprocess.Popen[bytes]:
    arguments = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "8", "wsgi:app"]
    return start(arguments, instance)


def start_worker(instance: Path) -> subprocess.Popen[bytes]:
    return start(["flask", "jobs", "work"], instance)


def start(arguments: list[str], instance: Path) -> subprocess.Popen[bytes]:
    """One of our own programs in a session of its own: Ctrl-C reaches it through us, in order."""
    with (instance / "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, "-m", *arguments], cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )


def wait_until_up(port: int, instance: Path, children: list[subprocess.Popen[bytes]], ending: threading.Event) -> bool:
    while not ending.is_set():
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()  # noqa: S310
            return True
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            if any(child.poll() is not None for child in children):
                sys.exit(f"The site did not start; its words are in {instance / 'log'}.")
            time.sleep(0.05)
    return False


def greet(port: int, links: dict[str, str], control: str, mails: str, shop: str) -> None:
    lines = ["", f"  Carnet is on        http://127.0.0.1:{port}", "", "  Sign in, once each:"]
    lines += [f"    as the {role:<13} {link}" for role, link in links.items()]
    lines += ["", f"  Mail it sent        {mails}", f"  Payment simulator   {control}"]
    lines += [f"  Course shop         {shop}"]
    lines += ["    Another organisation’s site: sign in there with a membership, or give it a code."]
    lines += ["    The alumna had her course this year, the graduate has not, the leaver’s year is over.", ""]
    lines += ["  Any command on it    .venv/bin/python -m demo.command clock shift 30d", ""]
    lines += ["  To join as somebody new: open the first address and read the mail it sends.", "  Ctrl-C ends it.", ""]
    print("\n".join(lines), flush=True)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_from(port: int) -> int:
    """This port or the next one that is free."""
    return next(candidate for candidate in range(port, port + 200) if is_free(candidate))


if __name__ == "__main__":
    main()
