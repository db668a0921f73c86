"""A PostgreSQL of our own for the tests: Debian's server, initdb as a non-root user, a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

SPEED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


class Postgres:
    """A running server; `url` is its maintenance database."""

    def __init__(self) -> None:
        self.bin = _find_binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="carnet-pg-"))
        self.port = _free_port()
        self.as_user: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "carnet", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = [f"-c{name}={value}" for name, value in SPEED.items()]
        command = ["postgres", "-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "127.0.0.1"]
        self.server = subprocess.Popen(
            [*self.as_user, str(self.bin / command[0]), *command[1:], "-p", str(self.port), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://carnet@127.0.0.1:{self.port}/postgres"

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run([*self.as_user, str(self.bin / name), *arguments], check=True, capture_output=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            ready = subprocess.run(
                [str(self.bin / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)],
                capture_output=True,
                check=False,
            )
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL did not start within 30 seconds")


def _find_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    raise RuntimeError("PostgreSQL's server is not installed: run `make test`, which installs it.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
