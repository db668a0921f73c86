"""Sessions end when a device is taken off or a membership ends early: Disconnect-Requests over real UDP."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock, jobs
from app.extensions import db
from app.jobs import Job
from app.memberships.service import hold_person, release_person, tell_of_change
from app.payments.checkouts import send_refund
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from app.wifi import disconnecting, service
from app.wifi.accounting import Report
from app.wifi.models import WifiCredential
from app.wifi.network import read_controllers
from config import ConfigurationError
from tests.cast import Cast, pay
from tests.visitor import Visitor
from tests.wifi.controllers import SECRET, Controller

ONCE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def controller(app: Flask) -> Iterator[Controller]:
    controller = Controller()
    app.config["WIFI_CONTROLLERS"] = controller.setting
    yield controller
    controller.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnecting, "TRIES", 1)
    monkeypatch.setattr(disconnecting, "TIMEOUT", 0.3)


@pytest.fixture
def phone(cast: Cast) -> WifiCredential:
    """A device of alice's."""
    device, _secret = service.create_credential(cast.alice.id, "Phone", cast.now)
    db.session.commit()
    work()
    return device


def identity(device: WifiCredential) -> str:
    return f"{device.username}@wifi.example.org"


def work() -> None:
    jobs.work_off(clock.now)


def asked_for(controller: Controller, device: WifiCredential) -> list[str | None]:
    """The sessions of a device that the controller was asked to end."""
    assert all(it.is_genuine for it in controller.asked)
    return [it.session for it in controller.asked if it.user == identity(device)]


def states(name: str) -> list[str]:
    return list(db.session.execute(select(Job.state).where(Job.name == name).order_by(Job.id)).scalars())


def test_a_device_taken_off_is_put_off_the_network(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    controller.online.add(identity(phone))
    Visitor(app, "alice@example.org").post(f"/wifi/{phone.id}/revoke")
    work()
    assert asked_for(controller, phone) == [None] and controller.online == set()
    assert abs(controller.asked[0].at - clock.now().timestamp()) < 60
    assert states("wifi_disconnect_at") == ["done"]


@ONCE
def test_the_members_other_devices_stay(app: Flask, cast: Cast, phone: WifiCredential, controller: Controller) -> None:
    other, _secret = service.create_credential(cast.alice.id, "Laptop", cast.now)
    service.revoke_credential(cast.alice.id, phone.id, clock.now(), "member")
    db.session.commit()
    work()
    assert len(asked_for(controller, phone)) == 1 and asked_for(controller, other) == []


def test_a_session_that_accounting_told_of_is_named(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    for ref in ("S-1", "S-2"):
        service.note_accounting(Report("Start", f"unique-{ref}", phone.username, "127.0.0.1", ref), clock.now())
    service.note_accounting(Report("Start", "elsewhere", phone.username, "192.0.2.7", "S-3"), clock.now())
    service.revoke_credential(cast.alice.id, phone.id, clock.now(), "member")
    db.session.commit()
    work()
    assert asked_for(controller, phone) == ["S-1", "S-2"]


def test_a_refund_ends_the_sessions_of_all_devices(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    (payment,) = payments_of(cast.alice.id)
    laptop, _secret = service.create_credential(cast.alice.id, "Laptop", cast.now)
    refund = request_refund(payment, payment.amount_cents, "test", clock.now())
    db.session.commit()
    send_refund(refund.id)
    db.session.commit()
    work()
    assert len(asked_for(controller, phone)) == len(asked_for(controller, laptop)) == 1


@ONCE
def test_a_hold_ends_them_and_a_renewal_does_not(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    pay(cast.alice, cast.plus, cast.today)
    db.session.commit()
    work()
    assert controller.asked == []
    hold_person(cast.alice, "test", "system", clock.now())
    db.session.commit()
    work()
    assert len(asked_for(controller, phone)) == 1


@ONCE
def test_who_was_let_in_again_before_the_controller_was_asked_stays(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    hold_person(cast.alice, "test", "system", clock.now())
    db.session.commit()
    while "wifi_disconnect_at" not in set(db.session.execute(select(Job.name)).scalars()):
        assert jobs.work_one(clock.now, "test")
    release_person(cast.alice, "system", clock.now())
    db.session.commit()
    work()
    assert asked_for(controller, phone) == []


@ONCE
def test_asked_twice_it_does_no_harm(app: Flask, cast: Cast, phone: WifiCredential, controller: Controller) -> None:
    controller.online.add(identity(phone))
    service.revoke_credential(cast.alice.id, phone.id, clock.now(), "member")
    for _again in range(2):
        tell_of_change(cast.alice.id, clock.now())
        db.session.commit()
        work()
    assert len(controller.asked) == 3 and set(states("wifi_disconnect_at")) == {"done"}


@ONCE
def test_a_device_taken_off_long_ago_has_no_session_left_to_ask_about(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    service.revoke_credential(cast.alice.id, phone.id, clock.now() - timedelta(hours=9), "member")
    db.session.commit()
    work()
    assert controller.asked == []


def test_a_controller_that_does_not_answer_is_asked_again_and_keeps_no_other_waiting(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    second = Controller(identity(phone))
    app.config["WIFI_CONTROLLERS"] = f"{controller.setting}\n{second.setting}"
    controller.is_deaf = True
    service.revoke_credential(cast.alice.id, phone.id, clock.now(), "member")
    db.session.commit()
    work()
    second.stop()
    assert second.online == set() and sorted(states("wifi_disconnect_at")) == ["done", "waiting"]
    controller.is_deaf = False
    later = clock.now() + timedelta(minutes=1)
    jobs.work_off(lambda: later)
    assert asked_for(controller, phone) == [None] and states("wifi_disconnect_at") == ["done", "done"]


@ONCE
def test_a_controller_that_will_not_is_asked_again(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    controller.error_cause = 501  # "Administratively Prohibited"
    service.revoke_credential(cast.alice.id, phone.id, clock.now(), "member")
    db.session.commit()
    work()
    assert states("wifi_disconnect_at") == ["waiting"]


@ONCE
def test_without_a_controller_nothing_is_asked(app: Flask, cast: Cast, phone: WifiCredential) -> None:
    service.revoke_credential(cast.alice.id, phone.id, clock.now(), "member")
    db.session.commit()
    work()
    assert states("wifi_disconnect") == ["done"] and states("wifi_disconnect_at") == []


@ONCE
def test_a_controller_taken_out_of_the_settings_is_not_asked_any_more(
    app: Flask, cast: Cast, phone: WifiCredential, controller: Controller
) -> None:
    controller.is_deaf = True
    service.revoke_credential(cast.alice.id, phone.id, clock.now(), "member")
    db.session.commit()
    work()
    app.config["WIFI_CONTROLLERS"] = ""
    later = clock.now() + timedelta(minutes=1)
    jobs.work_off(lambda: later)
    assert states("wifi_disconnect_at") == ["done"]


def test_a_real_radius_server_takes_our_requests(tmp_path: Path) -> None:
    """FreeRADIUS checks both authenticators before it answers; a wrong secret gets no answer."""
    assert shutil.which("freeradius"), "install freeradius: make/system_packages.sh"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "radiusd.conf").write_text(FREERADIUS.format(folder=tmp_path, port=port, secret=SECRET.decode()))
    command = ["freeradius", "-f", "-d", str(tmp_path), "-D", "/usr/share/freeradius", "-n", "radiusd", "-l", "stdout"]
    with (tmp_path / "out").open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _wait in range(100):
            if b"Ready to process requests" in (tmp_path / "out").read_bytes():
                break
            assert server.poll() is None, (tmp_path / "out").read_text()
            time.sleep(0.1)
        (genuine,) = read_controllers(f"127.0.0.1:{port} {SECRET.decode()}")
        assert disconnecting.end_session(genuine, "online@wifi.example.org", "S-1", datetime.now(UTC)) is True
        assert disconnecting.end_session(genuine, "gone@wifi.example.org", None, datetime.now(UTC)) is False
        (forged,) = read_controllers(f"127.0.0.1:{port} another-secret-of-letters")
        with pytest.raises(disconnecting.ControllerTrouble, match="does not answer"):
            disconnecting.end_session(forged, "online@wifi.example.org", None, datetime.now(UTC))
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("wlc.example.org a-secret-of-letters", ["wlc.example.org:3799"]),
        ("192.0.2.9:1700 a-secret-of-letters,192.0.2.9:3799 b-secret-of-letters", ["192.0.2.9:1700", "192.0.2.9:3799"]),
        ("[2001:db8::9] a-secret-of-letters\n\n", ["[2001:db8::9]:3799"]),
    ],
)
def test_controllers_are_read_from_their_setting(text: str, names: list[str]) -> None:
    assert [it.name for it in read_controllers(text)] == names
    assert "secret" not in repr(read_controllers(text))


@pytest.mark.parametrize(
    "text",
    [
        "wlc.example.org",
        "wlc.example.org short",
        "wlc:0 a-secret-of-letters",
        "wlc:99999 a-secret-of-letters",
        "a b c d",
    ],
)
def test_a_setting_that_is_none_stops_the_start_and_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="WIFI_CONTROLLERS"):
        read_controllers(text)


FREERADIUS = """
prefix = /usr
localstatedir = {folder}
libdir = /usr/lib/freeradius
confdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/radiusd.pid
security {{
    allow_vulnerable_openssl = yes
}}
client carnet {{
    ipaddr = 127.0.0.1
    secret = {secret}
    require_message_authenticator = yes
}}
modules {{
    always ok {{
        rcode = ok
    }}
    always reject {{
        rcode = reject
    }}
}}
server controller {{
    listen {{
        type = coa
        ipaddr = 127.0.0.1
        port = {port}
    }}
    recv-coa {{
        if (&User-Name == "online@wifi.example.org") {{
            ok
        }}
        else {{
            update reply {{
                &Error-Cause := Session-Context-Not-Found
            }}
            reject
        }}
    }}
}}
"""
