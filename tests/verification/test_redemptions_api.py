"""Redemptions as a campus service or a shop asks for them, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app import clock
from app.benefits.codes import draw_code
from app.benefits.models import Benefit, Redemption
from app.benefits.service import add_benefit, change_benefit, set_partner
from app.extensions import db
from app.services.service import add_service, subject_for
from app.verification.models import Verification
from app.verification.retention import erase_details
from tests.cast import Cast
from tests.verification.asking import ask, live, set_clock, static
from tests.visitor import Visitor

PATH = "/api/v1/redemptions"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FIELDS = {
    "id", "state", "benefit", "subject", "limit_remaining", "check_identity", "discount_percent", "discount_cents",
    "currency", "reference", "created_at", "reserved_until", "confirmed_at", "cancelled_at",
}  # fmt: skip


class Shop:
    """A service with scope redeem, and a benefit of two uses a year."""

    def __init__(self, app: Flask, cast: Cast, scopes: tuple[str, ...] = ("redeem", "verify"), **facts: Any) -> None:
        limit = {"limit_count": 2, "limit_period": "term", "by_code": True}
        self.benefit: Benefit = add_benefit(
            "courses", "Courses", [cast.basic, cast.plus], True, cast.now, **(limit | facts)
        )
        self.service, self.key = add_service("Course shop", list(scopes), self.benefit, cast.now)
        db.session.commit()
        self.visitor = Visitor(app)

    def post(self, path: str = "", key: str | None = None, **body: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}", **({"Idempotency-Key": key} if key else {})}
        return self.visitor.post_json(PATH + path, body, **headers)

    def done(self, path: str = "", **body: Any) -> dict[str, Any]:
        response = self.post(path, **body)
        assert response.status_code == (200 if path else 201), response.get_data(as_text=True)
        answer: dict[str, Any] = response.json
        return answer

    def refused(self, path: str = "", **body: Any) -> tuple[int, str]:
        response = self.post(path, **body)
        assert response.mimetype == "application/problem+json", response.get_data(as_text=True)
        return response.status_code, response.json["code"]

    def draw(self, cast: Cast) -> str:
        code = draw_code(self.benefit, cast.alice.id, clock.now(), clock.today())
        db.session.commit()
        return code


def test_a_card_is_validated_reserved_confirmed_and_cancelled(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast, discount_percent=20)
    it = shop.done(credential=live(cast.alice), price_cents=30000, reference="order 7")
    assert set(it) == FIELDS
    assert (it["state"], it["benefit"], it["limit_remaining"]) == ("reserved", "courses", 1)
    assert (it["discount_percent"], it["discount_cents"], it["currency"]) == (20, 6000, "EUR")
    assert (it["reference"], it["subject"]) == ("order 7", subject_for(shop.service.id, cast.alice.id))
    assert (it["check_identity"], it["confirmed_at"], it["cancelled_at"]) == (False, None, None)
    assert it["created_at"].endswith("Z") and it["reserved_until"].endswith("Z")
    path = f"/{it['id']}"
    for _ in range(2):
        assert shop.done(f"{path}/confirm")["state"] == "confirmed"
    for _ in range(2):
        given_back = shop.done(f"{path}/cancel")
        assert (given_back["state"], given_back["limit_remaining"]) == ("cancelled", 2)
    assert shop.refused(f"{path}/confirm") == (409, "redemption_cancelled")
    shown = shop.visitor.get(PATH + path, headers={"Authorization": f"Bearer {shop.key}"})
    assert (shown.status_code, shown.json) == (200, given_back)


def test_a_drawn_code_stands_for_the_card(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    code = shop.draw(cast)
    it = shop.done(code=code, confirm=True)
    assert (it["state"], it["check_identity"]) == ("confirmed", False)
    assert it["subject"] == subject_for(shop.service.id, cast.alice.id)
    assert shop.refused(code=code) == shop.refused(code=code, confirm=True) == (409, "code_used")
    assert shop.done(f"/{it['id']}/confirm")["state"] == "confirmed"  # the same redemption, once more
    assert shop.refused(code="AAAA-AAAA-AAAA") == (404, "unknown_code")


def test_a_limit_used_up_is_a_reason_of_its_own_everywhere(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    for remaining in (2, 1):
        answer = ask(app, shop.key, live(cast.alice))
        assert (answer["reason"], answer["entitled"], answer["limit_remaining"]) == ("ok", True, remaining)
        shop.done(credential=live(cast.alice), confirm=True)
    answer = ask(app, shop.key, live(cast.alice))
    assert (answer["reason"], answer["valid"], answer["entitled"]) == ("limit_reached", True, False)
    assert answer["limit_remaining"] == 0
    assert shop.refused(credential=live(cast.alice)) == (409, "limit_reached")
    assert ask(app, shop.key, live(cast.alice), benefit="wifi")["limit_remaining"] is None
    bobs = ask(app, shop.key, live(cast.bob))
    assert (bobs["reason"], bobs["limit_remaining"]) == ("grace", 2)


@SQLITE
def test_a_question_asked_again_is_answered_as_it_was(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    first = ask(app, shop.key, live(cast.alice), nonce="n")
    shop.done(credential=live(cast.alice), confirm=True)
    assert ask(app, shop.key, live(cast.alice), nonce="n") == first
    assert ask(app, shop.key, live(cast.alice), nonce="m")["limit_remaining"] == 1


@SQLITE
def test_who_is_refused_is_told_why_and_the_question_is_in_the_log(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    for credential, reason in ((live(cast.carol), "lapsed"), ("123", "forged"), (live(cast.dan), "lapsed")):
        response = shop.post(credential=credential)
        assert (response.status_code, response.json["code"]) == (409, reason)
        assert response.mimetype == "application/problem+json" and response.json["detail"]
    reasons = list(db.session.scalars(sa.select(Verification.reason)))
    assert sorted(reasons) == ["forged", "lapsed", "lapsed"]
    change_benefit(shop.benefit, cast.now, tiers=[cast.basic])
    assert shop.refused(credential=live(cast.alice)) == (409, "not_entitled")
    change_benefit(shop.benefit, cast.now, available_from=cast.today + timedelta(days=1))
    assert ask(app, shop.key, live(cast.bob))["reason"] == "not_entitled"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Redemption)) == 0


def test_a_printed_card_asks_for_an_id_here_too(app: Flask, cast: Cast) -> None:
    assert Shop(app, cast).done(credential=static(cast.alice))["check_identity"] is True


@SQLITE
def test_a_member_number_needs_its_scope(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    assert shop.refused(credential=cast.alice.member_number) == (403, "missing_scope")
    _service, shop.key = add_service("Office", ["redeem", "verify", "verify:number"], shop.benefit, cast.now)
    assert shop.done(credential=cast.alice.member_number)["check_identity"] is True


@SQLITE
def test_a_service_without_the_scope_redeems_nothing(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    it = shop.done(credential=live(cast.alice))
    shop.key = cast.library_key
    assert shop.refused(credential=live(cast.alice)) == (403, "missing_scope")
    assert shop.refused(f"/{it['id']}/confirm") == (403, "missing_scope")
    shop.key = "carnet_x"
    assert shop.refused(credential=live(cast.alice)) == (401, "unknown_service_key")


@SQLITE
def test_a_partner_sees_and_redeems_only_its_own(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    it = shop.done(credential=live(cast.alice))
    set_partner(shop.benefit, shop.service.id, cast.now)
    _other, key = add_service("Other shop", ["redeem"], None, cast.now)
    own, shop.key = shop.key, key
    for path in (f"/{it['id']}/confirm", f"/{it['id']}/cancel", "/r_nothing/confirm"):
        assert shop.refused(path) == (404, "unknown_redemption")
    assert shop.refused(credential=live(cast.alice), benefit="courses") == (403, "not_your_benefit")
    assert shop.refused(credential=live(cast.alice)) == (400, "no_benefit")
    assert shop.done(credential=live(cast.alice), benefit="sports")["benefit"] == "sports"
    shop.key = own
    assert shop.done(f"/{it['id']}/confirm")["state"] == "confirmed"


def test_the_same_request_with_its_key_is_one_redemption(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    body = {"credential": static(cast.alice), "confirm": True}
    first = shop.post(key="k1", **body)
    again = shop.post(key="k1", **body)
    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert shop.post(key="k1", **(body | {"reference": "x"})).status_code == 422
    assert shop.post(key="k2", **body).json["id"] != first.json["id"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Redemption)) == 2


def test_a_reservation_ends_after_a_quarter_of_an_hour(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast, limit_count=1)
    it = shop.done(credential=live(cast.alice))
    assert shop.refused(credential=live(cast.alice)) == (409, "limit_reached")
    set_clock(clock.now() + timedelta(minutes=15, seconds=1))
    shown = shop.visitor.get(f"{PATH}/{it['id']}", headers={"Authorization": f"Bearer {shop.key}"}).json
    assert (shown["state"], shown["limit_remaining"]) == ("expired", 1)
    assert shop.refused(f"/{it['id']}/confirm") == (410, "redemption_expired")
    assert shop.done(f"/{it['id']}/cancel")["state"] == "expired"
    assert shop.done(credential=live(cast.alice))["limit_remaining"] == 0


def test_a_redemption_outlives_the_scan_it_followed(app: Flask, cast: Cast) -> None:
    shop = Shop(app, cast)
    it = shop.done(credential=live(cast.alice), confirm=True)
    erased_on = cast.today + timedelta(days=91)
    assert erase_details(erased_on) == 1
    db.session.commit()
    (row,) = db.session.scalars(sa.select(Redemption))
    assert row.verification_id is not None and db.session.get(Verification, row.verification_id) is None
    shown = shop.visitor.get(f"{PATH}/{it['id']}", headers={"Authorization": f"Bearer {shop.key}"})
    assert (shown.status_code, shown.json["state"]) == (200, "confirmed")
    assert ask(app, shop.key, live(cast.alice))["limit_remaining"] == 1


@SQLITE
@pytest.mark.parametrize(
    "body",
    [
        {}, {"credential": "1", "code": "2"}, {"credential": ""}, {"code": ""}, {"code": "A" * 41}, {"code": 1},
        {"code": "AAAA", "benefit": "NO"}, {"code": "AAAA", "confirm": "yes"}, {"code": "AAAA", "price_cents": -1},
        {"code": "AAAA", "price_cents": 1.5}, {"code": "AAAA", "price_cents": 10**9}, {"code": "AAAA", "reference": ""},
        {"code": "AAAA", "reference": "é"}, {"code": "AAAA", "reference": "x" * 101}, {"code": "AAAA", "more": 1},
    ],
)  # fmt: skip
def test_what_makes_no_question_is_refused(app: Flask, cast: Cast, body: dict[str, Any]) -> None:
    assert Shop(app, cast).refused(**body) == (422, "bad_question")
