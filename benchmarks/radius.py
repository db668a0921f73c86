"""Wi-Fi sign-ins a second: FreeRADIUS with the views, and with the web application, beside its own users file

PAP by radclient, 32 at a time, on the same server; the configuration is the shipped one.
"""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import insert

import config as settings
from app import clock, create_app
from app.benefits.service import add_benefit
from app.extensions import db
from app.memberships.models import Term
from app.memberships.service import add_tier
from app.people.models import Person
from app.services.service import add_service
from app.wifi import rules
from app.wifi.models import WifiCredential
from app.wifi.reading_role import grant_role
from benchmarks.figures import Figure, compare
from tests.postgres import Postgres
from tests.wifi.radius import SECRET, Radius, WebApp, free_port, program

MEMBERS = 10_000
ASKED = {"files": 4000, "sql": 2000, "rest": 1000}  # in one round
ROUNDS = 5
DEVICE_SECRET = "the-same-for-all"  # noqa: S105
PASSWORD = secrets.token_urlsafe(24)
SITE = """
server bench-{name} {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        carnet_name
        {module}
        pap
    }}
    authenticate {{
        Auth-Type PAP {{
            pap
        }}
    }}
}}
"""
FILES = """
files bench {
    filename = ${confdir}/users
    key = "%{Stripped-User-Name}"
}
"""


def run() -> list[Figure]:
    with network() as (radius, ports, folder):
        rates: dict[str, list[float]] = {name: [] for name in ASKED}
        for _ in range(ROUNDS):
            for name, count in ASKED.items():
                rates[name].append(signed_in(ports[name], folder / "asked", count))
        per_second = {name: statistics.median(of) for name, of in rates.items()}
    beside = ("FreeRADIUS files", per_second["files"])
    return [
        compare("sign-ins by the SQL views", beside[0], per_second["sql"], beside[1], "/s"),
        compare("sign-ins by the web application", beside[0], per_second["rest"], beside[1], "/s"),
    ]


def signed_in(port: int, folder: Path, count: int) -> float:
    """Sign-ins a second of so many devices, one after the other in turn."""
    began = time.perf_counter()
    done = subprocess.run(
        [program("radclient"), "-q", "-s", "-p", "32", "-r", "2", "-t", "5", "-f", str(folder / str(count)),
         f"127.0.0.1:{port}", "auth", SECRET],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    taken = time.perf_counter() - began
    if f"Accepted      : {count}" not in done.stdout:
        raise RuntimeError(f"not all of {count} were let in: {done.stdout}")
    return count / taken


@contextmanager
def network() -> Iterator[tuple[Radius, dict[str, int], Path]]:
    """PostgreSQL with members, the site in two processes, FreeRADIUS with the shipped site and two of our own."""
    postgres = Postgres()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        app = create_app(settings.load({"DATABASE_URL": postgres.url}, instance=folder))
        with app.app_context():
            upgrade()
            usernames = fill()
            grant_role("carnet_radius", PASSWORD)
            _service, key = add_service("Campus Wi-Fi", ["radius"], None, clock.now())
            db.session.commit()
            db.session.remove()
            db.engine.dispose()
        web = WebApp(postgres.url, folder, workers=2)
        database = f"host=127.0.0.1 port={postgres.port} dbname=postgres user=carnet_radius"
        ports = {"files": free_port(), "sql": free_port()}
        (folder / "asked").mkdir()
        for count in ASKED.values():
            asked = (f"User-Name={it}, User-Password={DEVICE_SECRET}, Message-Authenticator=0x00" for it in usernames)
            lines = "\n\n".join(line for line, _number in zip(asked, range(count), strict=False))
            (folder / "asked" / str(count)).write_text(lines + "\n", encoding="utf-8")
        radius = Radius(folder, web.url, key, database, PASSWORD, more(ports, usernames))
        try:
            yield radius, {**ports, "rest": radius.auth_port}, folder
        finally:
            radius.stop()
            web.stop()
            postgres.stop()


def more(ports: dict[str, int], usernames: list[str]) -> dict[str, str]:
    """Files beside the shipped ones: the users, the module that reads them, the two sites."""
    hashed = rules.ssha2_256(DEVICE_SECRET, bytes(rules.SALT_BYTES))
    users = "".join(f"{it} SSHA2-256-Password := 0x{hashed}\n\tSession-Timeout := 28800\n\n" for it in usernames)
    sites = {"files": SITE.format(name="files", port=ports["files"], module="bench")}
    sites["sql"] = SITE.format(name="sql", port=ports["sql"], module="sql")
    return {"users": users, "modules/bench": FILES} | {f"sites/bench-{name}": text for name, text in sites.items()}


def fill() -> list[str]:
    """Members with a device each; their user names."""
    now, today = clock.now(), clock.today()
    tier = add_tier("basic", "Basic", 3000, now)
    add_benefit("wifi", "Campus Wi-Fi", [tier], in_grace=True, now=now)
    db.session.flush()
    people = range(1, MEMBERS + 1)
    starts_on, ends_on = today - timedelta(days=165), today + timedelta(days=200)
    db.session.execute(
        insert(Person), [{"id": n, "given_name": "A", "family_name": f"B{n}", "created_at": now} for n in people]
    )
    db.session.execute(
        insert(Term),
        [
            {
                "person_id": n, "tier_id": tier.id, "anchor_on": starts_on, "starts_on": starts_on, "ends_on": ends_on,
                "sold_ends_on": ends_on, "grace_ends_on": ends_on + timedelta(days=30), "granted_by": "benchmark",
                "granted_because": "benchmark", "created_at": now,
            }
            for n in people
        ],
    )  # fmt: skip
    usernames = [rules.new_username(secrets.choice) for _ in people]
    db.session.execute(
        insert(WifiCredential),
        [
            {
                "person_id": n, "slot": 1, "label": "Phone", "username": username, "created_at": now,
                "ssha2_256": rules.ssha2_256(DEVICE_SECRET, n.to_bytes(rules.SALT_BYTES, "big")),
            }
            for n, username in zip(people, usernames, strict=True)
        ],
    )  # fmt: skip
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return usernames


if __name__ == "__main__":
    os.environ.setdefault("CARNET_INSTANCE", tempfile.mkdtemp())
    for figure in run():
        print(f"{figure.name}: {figure.value:,.0f}/s beside {figure.baseline:,.0f}/s, ratio {figure.ratio:.3f}")
