"""The administrator says where a service is told, sees how it went, and sends again what matters."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app import clock, jobs
from app.extensions import db
from app.jobs import Job
from app.services import hook_messages, hooks
from app.services.hook_messages import News
from app.services.hook_models import WebhookDelivery, WebhookEndpoint
from tests.cast import Cast
from tests.command import run
from tests.services.receiver import receiving
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SECRET = re.compile(r"whsec_[\w+/=]+")


@pytest.fixture
def admin(app: Flask, cast: Cast) -> Visitor:
    db.session.execute(delete(Job))
    db.session.commit()
    return Visitor(app, "admin@example.org")


def add(admin: Visitor, cast: Cast, **more: str) -> str:
    """The page that answers."""
    form = {"service": str(cast.library.id), "url": "http://127.0.0.1:9/", "membership": "y", **more}
    return admin.post("/admin/webhooks", form).get_data(as_text=True)


def happen(cast: Cast, sequence: int = 1) -> None:
    news = News(cast.library.id, cast.alice.id, sequence, "membership.changed", {"status": "grace"})
    hook_messages.tell([news], clock.now())
    db.session.commit()
    jobs.work_off(clock.now)


def test_the_secret_is_shown_once_and_kept_nowhere(admin: Visitor, cast: Cast) -> None:
    page = add(admin, cast)
    (secret,) = SECRET.findall(page)
    endpoint = db.session.execute(select(WebhookEndpoint)).scalar_one()
    assert hooks.live_secrets(endpoint, clock.now()) == [secret] and endpoint.wants == ["membership.changed"]
    for path in ("/admin/webhooks", f"/admin/webhooks/{endpoint.id}"):
        assert "Library" in (shown := admin.get(path).get_data(as_text=True)) and not SECRET.search(shown)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "http://shop.example.org/"}, "https address of the open internet"),
        ({"url": "https://192.168.1.4/"}, "https address of the open internet"),
        ({"url": "shop"}, "Give the whole address"),
        ({"url": ""}, "Give the address"),
        ({"membership": ""}, "Choose at least one"),
        ({"service": "999"}, "needs another look"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field(admin: Visitor, cast: Cast, wrong: dict[str, str], said: str) -> None:
    form = {"service": str(cast.library.id), "url": "http://127.0.0.1:9/", "membership": "y", **wrong}
    response = admin.post("/admin/webhooks", {name: value for name, value in form.items() if value})
    assert response.status_code == 400 and said in response.get_data(as_text=True)
    assert hooks.list_endpoints() == []


def test_the_log_says_what_happened_and_sends_it_again(admin: Visitor, cast: Cast) -> None:
    with receiving() as receiver:
        receiver.answer = lambda _heard: (500, {}, b"<b>no</b>")
        add(admin, cast, url=receiver.url)
        happen(cast)
        page = admin.get("/admin/webhooks/1").get_data(as_text=True)
        assert "It answered 500." in page and "&lt;b&gt;no&lt;/b&gt;" in page and "Failing" in page
        assert "Nothing here." in admin.get("/admin/webhooks/1?state=delivered").get_data(as_text=True)
        receiver.answer = lambda _heard: (200, {}, b"")
        delivery = db.session.execute(select(WebhookDelivery)).scalar_one()
        assert admin.post(f"/admin/webhooks/1/deliveries/{delivery.id}/resend").status_code == 303
        jobs.work_off(clock.now)
        assert receiver.heard[0].id == receiver.heard[1].id
    page = admin.get("/admin/webhooks/1").get_data(as_text=True)
    assert "Delivered" in page and "2 tries" in page and "Works" in page
    assert admin.post(f"/admin/webhooks/2/deliveries/{delivery.id}/resend").status_code == 404


def test_a_webhook_is_changed_tested_disabled_enabled_and_removed(admin: Visitor, cast: Cast) -> None:
    with receiving() as receiver:
        add(admin, cast)
        admin.post("/admin/webhooks/1", {"url": receiver.url, "card": "y"})
        admin.post("/admin/webhooks/1/test")
        jobs.work_off(clock.now)
        assert '"webhook.test"' in receiver.heard[0].body
        admin.post("/admin/webhooks/1", {"url": receiver.url, "membership": "y"})
        admin.post("/admin/webhooks/1/disable")
        happen(cast)
        assert "Waits until it is enabled." in admin.get("/admin/webhooks/1").get_data(as_text=True)
        assert len(receiver.heard) == 1
        admin.post("/admin/webhooks/1/enable", {"missed": "send"})
        jobs.enqueue("deliver_due_webhooks", clock.now())
        jobs.work_off(clock.now)
        assert len(receiver.heard) == 2
    admin.post("/admin/webhooks/1/remove")
    assert admin.get("/admin/webhooks/1").status_code == 404


def test_a_new_secret_signs_beside_the_old_one_until_that_is_ended(admin: Visitor, cast: Cast) -> None:
    (old,) = SECRET.findall(add(admin, cast))
    (new,) = SECRET.findall(admin.post("/admin/webhooks/1/secret").get_data(as_text=True))
    assert admin.post("/admin/webhooks/1/secret").status_code == 409
    endpoint = db.session.get_one(WebhookEndpoint, 1)
    assert hooks.live_secrets(endpoint, clock.now()) == [new, old]
    admin.post("/admin/webhooks/1/secret/end")
    assert hooks.live_secrets(endpoint, clock.now()) == [new]


@pytest.mark.parametrize("path", ["/admin/webhooks/99999999999999", "/admin/webhooks/1", "/admin/webhooks/x"])
def test_there_is_no_page_of_a_webhook_that_is_not(admin: Visitor, path: str) -> None:
    assert admin.get(path).status_code == 404


def test_commands_do_the_same_and_the_doctor_notices(admin: Visitor, cast: Cast, app: Flask) -> None:
    assert SECRET.fullmatch(run(app, "webhooks", "add", "Library", "http://127.0.0.1:9/").stdout.strip())
    assert SECRET.fullmatch(run(app, "webhooks", "rotate", "1").stdout.strip())
    assert "signs no more" in run(app, "webhooks", "rotate", "1", "--end-old").stdout
    assert "On its way" in run(app, "webhooks", "test", "1").stdout
    assert "webhooks" in (said := run(app, "doctor").stdout) and "1 told of changes" in said
    hooks.disable_endpoint(db.session.get_one(WebhookEndpoint, 1), "failing", clock.now())
    assert "1 of 1 disabled" in run(app, "doctor").stdout
    assert "disabled (failing)\t1 waiting" in run(app, "webhooks", "list").stdout
    assert run(app, "webhooks", "enable", "1", "--with-missed").stdout == "Enabled.\n"
