"""Webhooks arrive, late rather than never, signed, and at nobody they were not meant for."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import delete, select
from standardwebhooks import Webhook, WebhookVerificationError

from app import clock, jobs, outgoing
from app.errors import Refusal
from app.extensions import db
from app.jobs import Job
from app.services import delivering, hook_log, hook_messages, hooks
from app.services.hook_messages import News
from app.services.hook_models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from app.services.service import add_service, subject_for
from tests.cast import Cast
from tests.command import is_refused, run
from tests.services.receiver import TAKEN, Answer, Heard, Receiver, receiving

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACTIVE = {"status": "active", "tier": "plus", "valid_until": "2027-08-14", "grace_until": "2027-09-13", "benefits": []}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def now(cast: Cast) -> datetime:
    """With no other job waiting."""
    db.session.execute(delete(Job))
    db.session.commit()
    return clock.now()


def listen(cast: Cast, url: str) -> tuple[WebhookEndpoint, str]:
    endpoint, secret = hooks.add_endpoint(cast.library.id, url, hooks.EVENTS, clock.now())
    db.session.commit()
    return endpoint, secret


def happen(cast: Cast, now: datetime, sequence: int = 1) -> None:
    """Something changes for alice."""
    hook_messages.tell([News(cast.library.id, cast.alice.id, sequence, "membership.changed", ACTIVE)], now)
    db.session.commit()


def work(at: datetime) -> None:
    """What a worker does at a moment, its clock's minute included."""
    jobs.enqueue("deliver_due_webhooks", at)
    db.session.commit()
    jobs.work_off(lambda: at)


def deliveries() -> list[WebhookDelivery]:
    db.session.rollback()
    return list(db.session.execute(select(WebhookDelivery).order_by(WebhookDelivery.id)).scalars())


def attempts() -> list[tuple[str, int | None]]:
    db.session.rollback()
    found = db.session.execute(select(WebhookAttempt).order_by(WebhookAttempt.id)).scalars()
    return [(it.reason, it.status) for it in found]


def verify(secret: str, heard: Heard) -> dict[str, object]:
    said: dict[str, object] = Webhook(secret).verify(heard.body, heard.headers)
    return said


def test_a_message_is_signed_as_the_standard_library_wants_it(cast: Cast, now: datetime, receiver: Receiver) -> None:
    _endpoint, secret = listen(cast, receiver.url)
    happen(cast, now)
    work(now)
    (heard,) = receiver.heard
    assert verify(secret, heard) == {
        "type": "membership.changed",
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {"subject": subject_for(cast.library.id, cast.alice.id), "sequence": 1, **ACTIVE},
    }
    assert heard.headers["content-type"] == "application/json"
    assert (deliveries()[0].state, attempts()) == ("delivered", [("delivered", 204)])
    with pytest.raises(WebhookVerificationError):
        verify(hooks.rotate_secret(db.session.get_one(WebhookEndpoint, 1), now), heard)


def test_a_moved_rehearsal_clock_does_not_move_the_time_a_receiver_compares(
    cast: Cast, now: datetime, receiver: Receiver, app: Flask
) -> None:
    _endpoint, secret = listen(cast, receiver.url)
    run(app, "clock", "shift", "40d")
    clock.forget()
    happen(cast, clock.now())
    work(clock.now())
    assert verify(secret, receiver.heard[0])


def test_while_a_secret_rotates_both_are_good_and_then_the_new_one_alone(
    cast: Cast, now: datetime, receiver: Receiver
) -> None:
    endpoint, old = listen(cast, receiver.url)
    new = hooks.rotate_secret(endpoint, now)
    with pytest.raises(Refusal, match="Two secrets"):
        hooks.rotate_secret(endpoint, now)
    happen(cast, now)
    work(now)
    assert verify(old, receiver.heard[0]) == verify(new, receiver.heard[0])
    happen(cast, now, 2)
    work(now + hooks.OLD_SECRET_LIVES)
    verify(new, receiver.heard[1])
    with pytest.raises(WebhookVerificationError):
        verify(old, receiver.heard[1])


def test_an_old_secret_can_be_ended_at_once(cast: Cast, now: datetime) -> None:
    endpoint, _old = listen(cast, "http://127.0.0.1:9/")
    new = hooks.rotate_secret(endpoint, now)
    hooks.end_old_secret(endpoint, now)
    hooks.end_old_secret(endpoint, now)
    assert hooks.live_secrets(endpoint, now) == [new]


def test_the_database_alone_signs_nothing(cast: Cast, now: datetime, app: Flask) -> None:
    endpoint, secret = listen(cast, "http://127.0.0.1:9/")
    app.config["SECRET_KEY"] += "2"
    assert hooks.live_secrets(endpoint, now) != [secret]


def test_a_receiver_that_is_down_for_an_hour_gets_everything_later_and_once(cast: Cast, now: datetime) -> None:
    with receiving() as gone:
        listen(cast, gone.url)
    for sequence in (1, 2, 3):
        happen(cast, now, sequence)
    for minutes in range(0, 60, 6):
        work(now + minutes * MINUTE)
    assert {it.state for it in deliveries()} == {"waiting"}
    assert {reason for reason, _status in attempts()} == {"unreachable"}
    with receiving(gone.port) as back:
        for minutes in range(60, 90, 6):
            work(now + minutes * MINUTE)
    assert sorted(json.loads(it.body)["data"]["sequence"] for it in back.heard) == [1, 2, 3]
    assert {it.state for it in deliveries()} == {"delivered"}


def test_a_refusal_is_kept_with_the_beginning_of_what_was_said_and_tried_again(
    cast: Cast, now: datetime, receiver: Receiver
) -> None:
    receiver.answer = lambda _heard: (500, {}, b"<h1>Broken</h1>\n\x00" + b"x" * 10_000)
    listen(cast, receiver.url)
    happen(cast, now)
    work(now)
    work(now + 4 * timedelta(seconds=1))
    attempt = db.session.execute(select(WebhookAttempt)).scalar_one()
    assert (attempt.reason, attempt.status) == ("status", 500)
    assert (
        attempt.answer is not None and attempt.answer.startswith("<h1>Broken</h1> xxx") and len(attempt.answer) == 200
    )
    receiver.answer = lambda _heard: TAKEN
    work(now + 5 * timedelta(seconds=1))
    assert receiver.heard[0].id == receiver.heard[1].id and receiver.heard[0].body == receiver.heard[1].body
    assert attempts() == [("status", 500), ("delivered", 204)]


def test_a_slow_receiver_is_left_in_time_and_gets_it_later(
    cast: Cast, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "TIME_LIMIT", 0.3)
    awake = threading.Event()

    def slowly(_heard: Heard) -> Answer:
        awake.wait(5)
        return TAKEN

    receiver.answer = slowly
    listen(cast, receiver.url)
    happen(cast, now)
    work(now)
    attempt = db.session.execute(select(WebhookAttempt)).scalar_one()
    assert attempt.reason == "timeout" and 250 <= attempt.milliseconds < 3000
    awake.set()
    work(now + MINUTE)
    assert [it.state for it in deliveries()] == ["delivered"]


def test_a_redirect_is_a_failure_and_nobody_is_followed_inward(cast: Cast, now: datetime, receiver: Receiver) -> None:
    with receiving() as inside:
        receiver.answer = lambda _heard: (307, {"location": inside.url}, b"")
        listen(cast, receiver.url)
        happen(cast, now)
        work(now)
    assert (attempts(), inside.heard) == ([("redirect", 307)], [])
    assert [it.state for it in deliveries()] == ["waiting"]


def leads_inside(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Every name leads to this machine, whatever port is asked for."""
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    monkeypatch.setattr(outgoing, "getaddrinfo", lambda _host, _port: [here])


def test_a_name_that_leads_inside_is_refused_with_a_reason_and_not_called(
    cast: Cast, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_inside(monkeypatch, receiver.port)
    listen(cast, f"https://hooks.example.org:{receiver.port}/")
    happen(cast, now)
    work(now)
    assert (attempts(), receiver.heard) == ([("forbidden", None)], [])
    assert [it.state for it in deliveries()] == ["waiting"]  # a name can be mended


def test_what_went_wrong_on_the_way_has_a_name(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    def nowhere(_host: str, _port: int) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak_no_http() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail.example.org ESMTP\r\n\r\n")

        threading.Thread(target=speak_no_http, daemon=True).start()
        listen(cast, f"http://127.0.0.1:{server.getsockname()[1]}/")
        happen(cast, now)
        work(now)
    monkeypatch.setattr(outgoing, "getaddrinfo", nowhere)
    hooks.change_endpoint(db.session.get_one(WebhookEndpoint, 1), "https://nobody.example.org/", hooks.EVENTS, now)
    db.session.commit()
    work(now + MINUTE)
    assert attempts() == [("bad_answer", None), ("no_such_name", None)]


def certificate(name: str, folder: Path) -> Path:
    """A certificate of its own authority for a name, and its key, in one file."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - DAY)
        .not_valid_after(datetime.now(UTC) + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, SHA256())
    )
    path = folder / "receiver.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


def test_a_host_inside_that_the_administrator_allows_is_called_by_its_name_over_tls(
    cast: Cast, now: datetime, app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app.config["WEBHOOK_PRIVATE_HOSTS"] = ("library.internal", "other.internal")
    pem = certificate("library.internal", tmp_path)
    trusting = ssl.create_default_context(cafile=str(pem))
    monkeypatch.setattr(delivering, "tls", lambda: trusting)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    with receiving(tls=serving) as receiver:
        leads_inside(monkeypatch, receiver.port)
        for host in ("library", "other"):
            listen(cast, f"https://{host}.internal:{receiver.port}/hooks")
        happen(cast, now)
        work(now)
    assert [heard.headers["host"] for heard in receiver.heard] == [f"library.internal:{receiver.port}"]
    assert attempts() == [("delivered", 204), ("tls", None)]


class Killed(BaseException):
    """What nothing catches: the worker is gone."""


def test_a_worker_killed_between_sending_and_noting_sends_it_again_with_the_same_id(
    cast: Cast, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise Killed

    listen(cast, receiver.url)
    happen(cast, now)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(hook_log, "note", die)
        work(now)
    db.session.rollback()
    work(now + MINUTE)
    assert len(receiver.heard) == 1  # it may still be at work
    work(now + hook_log.CLAIMED_FOR)
    first, again = receiver.heard
    assert (first.id, first.body) == (again.id, again.body)
    work(now + HOUR)
    assert len(receiver.heard) == 2 and [it.state for it in deliveries()] == ["delivered"]


def test_a_message_that_kills_every_worker_ends_in_the_log(cast: Cast, now: datetime) -> None:
    listen(cast, "http://127.0.0.1:9/")
    happen(cast, now)
    deliveries()[0].attempts = hook_log.TRIES
    db.session.commit()
    work(now)
    assert [it.state for it in deliveries()] == ["failed"]


def test_one_message_that_is_always_refused_does_not_hold_up_the_others(
    cast: Cast, now: datetime, receiver: Receiver
) -> None:
    def first_never(heard: Heard) -> Answer:
        return (500, {}, b"") if json.loads(heard.body)["data"]["sequence"] == 1 else TAKEN

    receiver.answer = first_never
    listen(cast, receiver.url)
    for sequence in (1, 2, 3):
        happen(cast, now, sequence)
    work(now)
    work(now + MINUTE)
    assert [it.state for it in deliveries()] == ["waiting", "delivered", "delivered"]


def letters(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.glob("*.eml")] if folder.exists() else []


def give_up(now: datetime) -> datetime:
    """Work through every try; answers when the last was."""
    at = now
    work(at)
    for after in hook_log.AGAIN_AFTER:
        at += after
        work(at)
    return at


def test_what_nobody_took_for_three_days_stays_and_the_endpoint_waits_for_somebody(
    cast: Cast, now: datetime, tmp_path: Path
) -> None:
    with receiving() as gone:
        endpoint, _secret = listen(cast, gone.url)
    happen(cast, now)
    at = give_up(now)
    assert [(it.state, it.attempts) for it in deliveries()] == [("failed", hook_log.TRIES)]
    db.session.refresh(endpoint)
    assert (endpoint.disabled_because, len(attempts())) == ("failing", hook_log.TRIES)
    (letter,) = letters(tmp_path / "mail")
    assert "To: admin@example.org" in letter and "Library is not told of changes any more" in letter
    happen(cast, at, 2)
    work(at + DAY)
    assert len(attempts()) == hook_log.TRIES
    hooks.enable_endpoint(endpoint, True, at + DAY)
    db.session.commit()
    with receiving(gone.port) as back:
        work(at + DAY)
        work(at + DAY + HOUR)
    assert [json.loads(it.body)["data"]["sequence"] for it in back.heard] == [1, 2]


def test_enabled_from_now_on_it_gets_nothing_old_but_the_log_keeps_it(
    cast: Cast, now: datetime, receiver: Receiver
) -> None:
    endpoint, _secret = listen(cast, receiver.url)
    hooks.disable_endpoint(endpoint, "administrator", now)
    happen(cast, now)
    hooks.enable_endpoint(endpoint, False, now)
    happen(cast, now, 2)
    work(now)
    assert [it.state for it in deliveries()] == ["failed", "delivered"]


def test_a_receiver_that_says_it_is_gone_is_disabled_at_once(cast: Cast, now: datetime, receiver: Receiver) -> None:
    receiver.answer = lambda _heard: (410, {}, b"")
    endpoint, _secret = listen(cast, receiver.url)
    for sequence in (1, 2):
        happen(cast, now, sequence)
    work(now)
    work(now + DAY)
    db.session.refresh(endpoint)
    assert (endpoint.disabled_because, len(receiver.heard)) == ("gone", 1)
    assert [it.state for it in deliveries()] == ["waiting", "waiting"]


def test_failing_is_forgotten_with_the_next_success(cast: Cast, now: datetime, receiver: Receiver) -> None:
    receiver.answer = lambda _heard: (503, {}, b"")
    endpoint, _secret = listen(cast, receiver.url)
    happen(cast, now)
    work(now)
    db.session.refresh(endpoint)
    assert endpoint.failing_from_at == now
    receiver.answer = lambda _heard: TAKEN
    work(now + MINUTE)
    db.session.refresh(endpoint)
    assert (endpoint.failing_from_at, endpoint.rests_until_at) == (None, None)


def test_a_delivery_is_sent_again_by_command_with_its_id(
    cast: Cast, now: datetime, receiver: Receiver, app: Flask
) -> None:
    listen(cast, receiver.url)
    happen(cast, now)
    work(now)
    number = str(deliveries()[0].id)
    assert run(app, "webhooks", "resend", number).stdout == "1 on their way again.\n"
    work(clock.now())
    assert len({heard.id for heard in receiver.heard}) == 1 and len(receiver.heard) == 2
    said = run(app, "webhooks", "log", "1").stdout.split("\t")
    assert (said[0], said[1], said[3]) == (number, "membership.changed", "delivered")
    assert is_refused(run(app, "webhooks", "resend", "99"))


def test_all_that_failed_is_sent_again_by_one_command(
    cast: Cast, now: datetime, receiver: Receiver, app: Flask
) -> None:
    endpoint, _secret = listen(cast, receiver.url)
    for sequence in (1, 2):
        happen(cast, now, sequence)
    for delivery in deliveries():
        delivery.state, delivery.next_at = "failed", None
    db.session.commit()
    assert run(app, "webhooks", "resend", "--failed-of", str(endpoint.id)).stdout == "2 on their way again.\n"
    work(clock.now())
    assert [it.state for it in deliveries()] == ["delivered", "delivered"]


def test_a_disabled_endpoint_is_enabled_before_anything_is_sent_again(cast: Cast, now: datetime) -> None:
    endpoint, _secret = listen(cast, "http://127.0.0.1:9/")
    happen(cast, now)
    hooks.disable_endpoint(endpoint, "administrator", now)
    db.session.commit()
    with pytest.raises(Refusal, match="Enable it first"):
        hook_log.resend(deliveries()[0], now)


def test_a_test_goes_to_one_endpoint_and_is_about_nobody(cast: Cast, now: datetime, receiver: Receiver) -> None:
    with receiving() as other:
        listen(cast, other.url)
        endpoint, secret = listen(cast, receiver.url)
        hook_messages.send_test(endpoint, now)
        db.session.commit()
        work(now)
        assert other.heard == []
    said = verify(secret, receiver.heard[0])
    assert (said["type"], said["data"]) == ("webhook.test", {"endpoint": endpoint.id})


def test_an_endpoint_hears_what_it_wants_and_a_service_what_is_its_own(
    cast: Cast, now: datetime, receiver: Receiver
) -> None:
    shop, _key = add_service("Shop", ["verify"], None, now)
    for service, events in ((cast.library, ["card.revoked"]), (shop, list(hooks.EVENTS))):
        hooks.add_endpoint(service.id, receiver.url, events, now)
    happen(cast, now)
    assert deliveries() == []
    hook_messages.tell([News(cast.library.id, cast.alice.id, 2, "card.revoked", ACTIVE)], now)
    assert [it.message.type for it in hook_log.deliveries_of(cast.library.id)] == ["card.revoked"]
    assert hook_log.deliveries_of(shop.id) == []


def test_the_database_refuses_the_same_announcement_twice(cast: Cast, now: datetime) -> None:
    listen(cast, "http://127.0.0.1:9/")
    happen(cast, now)
    with pytest.raises(Exception, match="(?i)unique"):
        happen(cast, now)
    db.session.rollback()


def test_the_log_is_kept_for_ninety_days(cast: Cast, now: datetime) -> None:
    listen(cast, "http://127.0.0.1:9/")
    happen(cast, now)
    work(now)
    for at, left in ((now + 90 * DAY, 1), (now + 91 * DAY, 0)):
        jobs.enqueue("erase_old_webhooks", at)
        db.session.execute(delete(Job).where(Job.name != "erase_old_webhooks"))
        db.session.commit()
        jobs.work_off(lambda at=at: at)
        assert len(db.session.execute(select(WebhookMessage)).all()) == left
    assert (deliveries(), attempts()) == ([], [])


def test_a_removed_endpoint_leaves_nothing_that_is_tried(cast: Cast, now: datetime, receiver: Receiver) -> None:
    endpoint, _secret = listen(cast, receiver.url)
    happen(cast, now)
    hooks.remove_endpoint(endpoint, now)
    db.session.commit()
    work(now)
    assert (hooks.list_endpoints(), deliveries(), receiver.heard) == ([], [], [])


@pytest.mark.parametrize(
    "url",
    [
        "shop.example.org", "ftp://shop.example.org/", "http://shop.example.org/", "https://", "https://u:p@shop.example.org/",
        "https://shop.example.org/#part", "https://shop.example.org/a b", "https://shop.example.org:99999/", "https://[::1",
        "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::ffff:192.168.0.1]/",
        "https://shop.example.org/" + "x" * 500, "https://sh\u00f6p.example.org/", "https://shop.example.org/\x00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_address_that_will_never_be_called_is_refused_at_once(cast: Cast, url: str) -> None:
    with pytest.raises(Refusal):
        hooks.add_endpoint(cast.library.id, url, hooks.EVENTS, cast.now)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("events", [[], ["person.renamed"]])
def test_an_endpoint_is_told_of_something_that_there_is(cast: Cast, events: list[str]) -> None:
    with pytest.raises(Refusal):
        hooks.add_endpoint(cast.library.id, "https://shop.example.org/", events, cast.now)
