"""What is kept of a verification: one row for each scan, nothing that names anybody."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from flask import Flask
from werkzeug.test import TestResponse

from app.extensions import db
from app.payments.checkouts import send_refund
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from app.services.service import add_service
from app.verification.models import Verification
from tests.cast import Cast
from tests.verification.asking import ask, live, send, static


def rows() -> list[Verification]:
    db.session.expire_all()
    return list(db.session.query(Verification))


def test_the_same_scan_sent_twice_is_one_row_and_one_answer(app: Flask, cast: Cast) -> None:
    code = live(cast.alice)
    first = ask(app, cast.library_key, code, nonce="a")
    assert ask(app, cast.library_key, code, nonce="a") == first
    assert [row.id for row in rows()] == [first["id"]]


def test_the_same_scan_sent_twice_at_once_is_one_row(app: Flask, cast: Cast) -> None:
    code, key = live(cast.alice), cast.library_key
    db.session.commit()
    start, answers = threading.Barrier(4), []

    def scan() -> None:
        with app.app_context():
            start.wait(10)
            answers.append(send(app, key, code, nonce="a"))

    threads = [threading.Thread(target=scan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(rows()) == 1


def test_a_scan_uploaded_again_keeps_its_first_answer(app: Flask, cast: Cast) -> None:
    code = live(cast.alice)
    first = ask(app, cast.library_key, code, nonce="a")
    send_refund(request_refund(payments_of(cast.alice.id)[0], 5000, "test", cast.now).id)
    assert ask(app, cast.library_key, code, nonce="a") == first
    assert ask(app, cast.library_key, code, nonce="b")["reason"] == "lapsed"


def refused(response: TestResponse) -> tuple[int, Any]:
    return response.status_code, response.json["code"]


def test_a_nonce_does_not_carry_an_answer_over_to_another_card_or_benefit(app: Flask, cast: Cast) -> None:
    ask(app, cast.library_key, live(cast.alice), nonce="a")
    for code, more in ((live(cast.carol), {}), ("999", {}), (live(cast.alice), {"benefit": "sports"})):
        response = send(app, cast.library_key, code, nonce="a", **more)
        assert refused(response) == (422, "nonce_reused")
    assert len(rows()) == 1


def test_a_nonce_belongs_to_its_service(app: Flask, cast: Cast) -> None:
    _service, key = add_service("Gym", ["verify"], None, cast.now)
    code = live(cast.alice)
    ids = {ask(app, each, code, nonce="a")["id"] for each in (key, cast.library_key)}
    assert len(ids) == len(rows()) == 2


def test_without_a_nonce_each_question_is_a_row(app: Flask, cast: Cast) -> None:
    code = live(cast.alice)
    assert ask(app, cast.library_key, code)["id"] != ask(app, cast.library_key, code)["id"]
    assert len(rows()) == 2


def test_a_person_has_one_subject_at_a_service_and_another_elsewhere(app: Flask, cast: Cast) -> None:
    _service, key = add_service("Gym", ["verify"], None, cast.now)
    here = {ask(app, cast.library_key, make(cast.alice))["subject"] for make in (live, static)}
    there = {ask(app, key, make(cast.alice))["subject"] for make in (live, static)}
    bobs = ask(app, cast.library_key, live(cast.bob))["subject"]
    assert len(here) == len(there) == 1
    assert len(here | there | {bobs}) == 3


def test_neither_code_nor_name_is_kept_or_logged(app: Flask, cast: Cast) -> None:
    codes = [static(cast.alice), live(cast.carol), "https://example.org/a-canary"]
    with structlog.testing.capture_logs() as logged:
        for number, code in enumerate(codes):
            ask(app, cast.library_key, code, nonce=f"n{number}")
    kept = str([{c.name: getattr(row, c.name) for c in Verification.__table__.columns} for row in rows()])
    assert len(rows()) == 3
    secrets = [*(code.rpartition("/")[2] for code in codes), "Alice", "Soler", "alice@", "Prats", cast.library_key]
    for secret in secrets:
        assert secret not in kept
        assert secret not in str(logged)
    assert "request" in {event["event"] for event in logged}
