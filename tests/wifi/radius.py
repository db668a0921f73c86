"""The real FreeRADIUS with the shipped configuration, the web application beside it, and clients nobody here wrote."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config import ROOT

SHIPPED = ROOT / "deploy" / "freeradius"
SERVER_NAME = "radius.alumni.test"
SECRET = "between-us-and-the-controller"  # noqa: S105


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is not installed: run `make test`, which installs it"
    return found


@dataclass(frozen=True)
class Answer:
    """`code` is Access-Accept, Access-Reject, Accounting-Response or none at all."""

    code: str
    attributes: Mapping[str, str]


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WebApp:
    """The site as it is served in production, which can be stopped and started again at the same address."""

    def __init__(self, database_url: str, instance: Path, workers: int = 1) -> None:
        self.workers = workers
        self.port = free_port(socket.SOCK_STREAM)
        self.environment = {**os.environ, "DATABASE_URL": database_url, "CARNET_INSTANCE": str(instance)}
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable, "-m", "gunicorn", f"--workers={self.workers}", "--threads=4",
            f"--bind=127.0.0.1:{self.port}", "--log-level=critical", "--no-control-socket", "wsgi:app",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=subprocess.DEVNULL)
        wait_until(self._answers, 60)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
        return False


class Radius:
    """`freeradius` on loopback: what is shipped, and settings.conf, clients.conf, certificates as README.md says."""

    def __init__(
        self, folder: Path, web_url: str, key: str, database: str, password: str, more: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder / "freeradius"
        shutil.copytree(SHIPPED, self.folder)
        for name, text in (more or {}).items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self.auth_port, self.acct_port = free_port(), free_port()
        make_certificates(self.folder / "certificates")
        settings = {
            "carnet_url": f'"{web_url}"', "carnet_key": f'"{key}"', "carnet_database": f'"{database}"',
            "carnet_database_password": f'"{password}"',
            "carnet_address": "127.0.0.1", "carnet_auth_port": str(self.auth_port),
            "carnet_acct_port": str(self.acct_port), "carnet_run": str(folder), "carnet_log": str(folder),
        }  # fmt: skip
        text = (SHIPPED / "settings.example.conf").read_text(encoding="utf-8")
        for name, value in settings.items():
            text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
            assert count == 1, name
        (self.folder / "settings.conf").write_text(text, encoding="utf-8")
        clients = (SHIPPED / "clients.example.conf").read_text(encoding="utf-8")
        (self.folder / "clients.conf").write_text(clients.replace('""', f'"{SECRET}"'), encoding="utf-8")
        self.log = folder / "carnet.log"
        self.server = subprocess.Popen(
            [program("freeradius"), "-f", "-d", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: self.log.exists() and "Ready to process requests" in self.log.read_text(), 30)

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(20)

    def pap(self, username: str, password: str) -> Answer:
        """A bare password from this machine."""
        return self._radclient(self.auth_port, "auth", {"User-Name": username, "User-Password": password})

    def account(self, **attributes: str) -> Answer:
        return self._radclient(self.acct_port, "acct", {k.replace("_", "-"): v for k, v in attributes.items()})

    def _radclient(self, port: int, kind: str, attributes: Mapping[str, str]) -> Answer:
        lines = [f'{name} = "{value}"' for name, value in attributes.items()]
        if kind == "auth":
            lines.append("Message-Authenticator = 0x00")
        done = subprocess.run(
            [program("radclient"), "-x", "-r", "1", "-t", "8", f"127.0.0.1:{port}", kind, SECRET],
            input="\n".join(lines), capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        _sent, _space, received = done.stdout.partition("Received ")
        found = re.findall(r"(?m)^\t([A-Za-z-]+) = (.*)$", received)
        return Answer(received.split(" ")[0] if received else "none", {k: v.strip('"') for k, v in found})

    def ttls(
        self, username: str, password: str, authority: str = "ca.pem", server_name: str = SERVER_NAME,
        phase2: str = "auth=PAP", method: str = "TTLS",
    ) -> Answer:  # fmt: skip
        """EAP as a phone speaks it; `code` is none where the phone refuses the server."""
        folder = self.folder / "certificates"
        network = (
            f'network={{\nkey_mgmt=WPA-EAP\neap={method}\nidentity="{username}"\n'
            f'anonymous_identity="anonymous@alumni.test"\npassword="{password}"\nphase2="{phase2}"\n'
            f'ca_cert="{folder / authority}"\ndomain_match="{server_name}"\n}}\n'
        )
        settings = self.folder / f"eapol_test.{username.replace('/', '')}.{time.monotonic_ns()}.conf"
        settings.write_text(network, encoding="utf-8")
        server = ["-a", "127.0.0.1", "-p", str(self.auth_port), "-s", SECRET]
        done = subprocess.run(
            [program("eapol_test"), "-c", settings, *server, "-t", "8"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        received = done.stdout.rpartition("Received RADIUS message")[2]
        found = re.findall(r"Attribute \d+ \(([A-Za-z-]+)\) length=\d+\n +Value: (.*)\n", received)
        codes = re.findall(r"RADIUS message: code=\d+ \((Access-Accept|Access-Reject)\)", done.stdout)
        assert (done.returncode == 0) == (codes[-1:] == ["Access-Accept"])
        return Answer(codes[-1] if codes else "none", {name: value.strip("'") for name, value in found})


def at_once(calls: Sequence[tuple[object, ...]]) -> list[Answer]:
    """Several questions, each (method, arguments...), at the same time: each refusal waits a second."""
    with ThreadPoolExecutor(len(calls)) as pool:
        asked = [pool.submit(method, *arguments) for method, *arguments in calls]  # type: ignore[arg-type]
        return [it.result() for it in asked]


def wait_until(is_so: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come up"
        time.sleep(0.05)


def make_certificates(folder: Path) -> None:
    """An authority and the server's certificate by it; another authority, which signed nothing."""
    folder.mkdir()
    authority, key = _signed("Alumni test authority", None, None)
    server, server_key = _signed(SERVER_NAME, authority, key)
    stranger, _key = _signed("Another authority", None, None)
    for name, certificate in (("ca.pem", authority), ("server.pem", server), ("other_ca.pem", stranger)):
        (folder / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _signed(
    name: str, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=10))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return made.sign(issuer_key or key, hashes.SHA256()), key
