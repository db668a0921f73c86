"""Codes and tokens: one try, one hour, for one partner; what is said with them is true now."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet

from app import clock
from app.audit import AuditEntry
from app.benefits.redeeming import redeem
from app.benefits.service import change_benefit, set_partner
from app.discounts.models import OpenIdCode, OpenIdConnection, OpenIdToken
from app.discounts.tokens import erase_expired
from app.extensions import db
from app.memberships.service import hold_person
from app.payments.checkouts import send_refund
from app.payments.refunds import request_refund
from app.payments.service import payments_of
from app.services.service import subject_for
from tests.cast import Cast
from tests.discounts.shop import Shop
from tests.kept import everything_kept
from tests.verification.asking import static
from tests.visitor import Visitor

WRONG = "wrong"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(app: Flask, cast: Cast) -> Shop:
    return Shop(app)


@pytest.fixture
def alice(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "alice@example.org")


def pass_by(seconds: float) -> None:
    """Make everything in the provider's tables that much older."""
    for table in (OpenIdCode, OpenIdToken, OpenIdConnection):
        for row in db.session.query(table):
            row.expires_at -= timedelta(seconds=seconds)
    db.session.commit()


def test_a_code_becomes_a_token_of_an_hour_and_an_id_token(app: Flask, cast: Cast, shop: Shop, alice: Visitor) -> None:
    answer = shop.redeem(shop.allowed_by(alice))
    said = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 3600, "openid membership")
    assert "refresh_token" not in said
    keys = KeySet.import_key_set(Visitor(app).get("/oauth/jwks").get_json())
    token = jwt.decode(said["id_token"], keys, ["RS256"])
    assert token.header["kid"] == "openid-1"
    claims = token.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (app.config["BASE_URL"], [shop.client_id], "n-1")
    assert claims["sub"] == subject_for(shop.service_id, cast.alice.id)
    assert claims["exp"] - claims["iat"] <= 3600 and abs(claims["auth_time"] - claims["iat"]) < 60
    assert set(claims) == {"iss", "aud", "iat", "exp", "auth_time", "nonce", "at_hash", "sub"}  # who, and no more


def test_userinfo_and_introspection_say_what_verification_would(cast: Cast, shop: Shop, alice: Visitor) -> None:
    token = shop.token_of(alice)
    said = shop.userinfo(token).get_json()
    assert said == {
        "sub": subject_for(shop.service_id, cast.alice.id), "membership_status": "active", "tier": "plus",
        "membership_valid_until": said["membership_valid_until"],
        "eduperson_scoped_affiliation": ["alum@127.0.0.1"],
        "eduperson_entitlement": ["urn:carnet:benefit:wifi", "urn:carnet:benefit:sports"],
    }  # fmt: skip
    looked_up = shop.introspect(token)
    assert looked_up["active"] is True and looked_up.items() >= said.items()
    assert looked_up["exp"] - looked_up["iat"] == 3600


@SQLITE
@pytest.mark.parametrize(
    ("who", "status", "benefits"),
    [("bob", "grace", ["wifi"]), ("carol", "lapsed", []), ("dan", "lapsed", []), ("mallory", "none", [])],
)
def test_everybody_may_sign_in_and_is_told_apart(
    app: Flask, shop: Shop, who: str, status: str, benefits: list[str]
) -> None:
    said = shop.userinfo(shop.token_of(Visitor(app, f"{who}@example.org"))).get_json()
    assert said["membership_status"] == status
    assert said.get("eduperson_entitlement", []) == [f"urn:carnet:benefit:{code}" for code in benefits]
    assert ("eduperson_scoped_affiliation" in said) == (status == "grace")


@SQLITE
def test_a_partner_hears_neither_of_another_partners_benefits_nor_of_what_is_used_up(
    app: Flask, cast: Cast, shop: Shop, alice: Visitor
) -> None:
    set_partner(cast.sports, cast.library.id, cast.now)
    change_benefit(cast.wifi, cast.now, limit_count=1, limit_period="term")
    token = shop.token_of(alice)
    assert shop.userinfo(token).get_json()["eduperson_entitlement"] == ["urn:carnet:benefit:wifi"]
    redeem(cast.wifi, cast.alice.id, shop.service_id, cast.now, cast.today, verification_id="v-1")
    db.session.commit()
    assert "eduperson_entitlement" not in shop.userinfo(token).get_json()


@SQLITE
def test_name_and_address_are_told_only_with_their_scopes(shop: Shop, alice: Visitor) -> None:
    said = shop.userinfo(shop.token_of(alice, scope="openid profile email")).get_json()
    assert (said["name"], said["given_name"], said["family_name"]) == ("Alice Soler", "Alice", "Soler")
    assert (said["email"], said["email_verified"]) == ("alice@example.org", True)
    assert set(shop.userinfo(shop.token_of(alice, scope="openid")).get_json()) == {"sub"}


@SQLITE
def test_two_partners_know_a_person_by_names_that_do_not_match(app: Flask, shop: Shop, alice: Visitor) -> None:
    other = Shop(app, "Bookshop")
    first, again = (shop.userinfo(shop.token_of(alice)).get_json()["sub"] for _ in range(2))
    assert first == again != other.userinfo(other.token_of(alice)).get_json()["sub"]


def test_a_refund_and_a_hold_show_at_the_next_question(app: Flask, cast: Cast, shop: Shop, alice: Visitor) -> None:
    token, bobs = shop.token_of(alice), shop.token_of(Visitor(app, "bob@example.org"))
    hold_person(cast.bob, "test", "office", cast.now)
    refund = request_refund(payments_of(cast.alice.id)[0], 5000, "test", cast.now)
    db.session.flush()
    send_refund(refund.id)
    db.session.commit()
    assert shop.userinfo(bobs).get_json()["membership_status"] == "suspended"
    for said in (shop.userinfo(token).get_json(), shop.introspect(token)):
        assert said["membership_status"] == "lapsed"
        assert "eduperson_entitlement" not in said


def test_a_code_that_comes_again_is_refused_and_ends_what_it_made(shop: Shop, alice: Visitor) -> None:
    code = shop.allowed_by(alice)
    token = shop.redeem(code).get_json()["access_token"]
    other = shop.token_of(alice)
    again = shop.redeem(code)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    assert shop.userinfo(token).status_code == 401
    assert shop.introspect(token) == {"active": False}
    assert shop.userinfo(other).status_code == 200
    assert db.session.query(AuditEntry).filter_by(action="openid_code_replayed").count() == 1


def test_of_two_who_redeem_a_code_at_once_neither_keeps_a_token(app: Flask, shop: Shop, alice: Visitor) -> None:
    code = shop.allowed_by(alice)
    answers: list[Any] = []

    def redeem() -> None:
        with app.app_context():
            answers.append(shop.redeem(code))

    threads = [threading.Thread(target=redeem) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    won = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert len(answers) == 4 and len(won) == 1
    assert shop.userinfo(won[0]["access_token"]).status_code == 401


@SQLITE
@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://courses.example.org/other"},
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code": "not-a-code"},
    ],
)
def test_a_code_is_good_for_one_right_try(shop: Shop, alice: Visitor, changes: dict[str, str]) -> None:
    code = shop.allowed_by(alice)
    refused = shop.redeem(changes.get("code", code), **{k: v for k, v in changes.items() if k != "code"})
    assert refused.status_code == 400 and refused.get_json()["error"] in ("invalid_grant", "invalid_request")
    assert shop.redeem(code).status_code == (200 if "code" in changes else 400)


@SQLITE
@pytest.mark.parametrize(("seconds", "status"), [(50, 200), (60, 400)])
def test_a_code_is_good_for_a_minute(shop: Shop, alice: Visitor, seconds: int, status: int) -> None:
    code = shop.allowed_by(alice)
    pass_by(seconds)
    assert shop.redeem(code).status_code == status


@SQLITE
def test_a_token_is_good_for_an_hour(shop: Shop, alice: Visitor) -> None:
    token = shop.token_of(alice)
    pass_by(3590)
    assert shop.userinfo(token).status_code == 200
    pass_by(10)
    answer = shop.userinfo(token)
    assert answer.status_code == 401 and 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert shop.introspect(token) == {"active": False}


@SQLITE
def test_another_partner_can_do_nothing_with_a_code_or_a_token(app: Flask, shop: Shop, alice: Visitor) -> None:
    other = Shop(app, "Bookshop")
    code = shop.allowed_by(alice)
    assert other.redeem(code).get_json()["error"] == "invalid_grant"
    token = shop.redeem(code).get_json()["access_token"]  # which did not use it up
    assert other.introspect(token) == {"active": False}
    assert other.call("/oauth/revoke", {"token": token}).status_code == 400
    assert shop.userinfo(token).status_code == 200


@SQLITE
def test_a_wrong_secret_opens_nothing(app: Flask, shop: Shop, alice: Visitor) -> None:
    code = shop.allowed_by(alice)
    for path, data in (
        ("/oauth/token", {"grant_type": "client_credentials"}), ("/oauth/introspect", {"token": "x"}),
        ("/oauth/revoke", {"token": "x"}), ("/oauth/token", {"grant_type": "authorization_code", "code": code}),
    ):  # fmt: skip
        answer = shop.call(path, data, secret=WRONG)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
        in_the_form = {**data, "client_id": shop.client_id, "client_secret": WRONG}
        assert Visitor(app).post_without_token(path, in_the_form).get_json()["error"] == "invalid_client"
        public = {**data, "client_id": shop.client_id}
        assert Visitor(app).post_without_token(path, public).get_json()["error"] == "invalid_client"
    assert shop.redeem(code).status_code == 200  # the code was not used up by a stranger


@SQLITE
def test_a_revoked_token_is_no_longer_good(shop: Shop, alice: Visitor) -> None:
    token = shop.token_of(alice)
    for _ in range(2):
        assert shop.call("/oauth/revoke", {"token": token}).status_code == 200
    assert shop.userinfo(token).status_code == 401


@SQLITE
def test_only_what_is_needed_to_recognise_them_is_kept(shop: Shop, alice: Visitor) -> None:
    code = shop.allowed_by(alice)
    token = shop.redeem(code).get_json()["access_token"]
    kept = str(everything_kept())
    for secret in (code, token, shop.secret):
        assert secret not in kept


@SQLITE
def test_programs_without_a_person_ask_the_api_for_an_hour(app: Flask, cast: Cast, shop: Shop, alice: Visitor) -> None:
    said = shop.call("/oauth/token", {"grant_type": "client_credentials"}).get_json()
    assert (said["scope"], said["expires_in"]) == ("verify", 3600) and "id_token" not in said
    assert shop.userinfo(said["access_token"]).status_code == 403

    def ask(token: str) -> int:
        question = {"credential": static(cast.alice)}
        path = "/api/v1/verifications"
        return Visitor(app).post_json(path, question, Authorization=f"Bearer {token}").status_code

    assert ask(said["access_token"]) == 200
    assert ask(shop.token_of(alice)) == 401  # a person's sign-in is no key
    pass_by(3600)
    assert ask(said["access_token"]) == 401
    for scope in ("identity", "verify scan", "openid"):
        refused = shop.call("/oauth/token", {"grant_type": "client_credentials", "scope": scope})
        assert refused.get_json()["error"] == "invalid_scope"


@SQLITE
def test_only_the_two_grants_are_spoken_and_only_by_post(app: Flask, shop: Shop) -> None:
    for grant in ("password", "refresh_token", "implicit", '"'):
        assert shop.call("/oauth/token", {"grant_type": grant}).get_json()["error"] == "unsupported_grant_type"
    for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
        assert Visitor(app).get(path).status_code == 405
    for header in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer \xff"}):
        assert Visitor(app).get("/oauth/userinfo", headers=header).status_code == 401


def test_what_is_past_its_time_is_erased_and_a_replay_is_known_until_then(shop: Shop, alice: Visitor) -> None:
    code = shop.allowed_by(alice)
    token = shop.redeem(code).get_json()["access_token"]
    now = clock.now()
    assert erase_expired(now + timedelta(hours=1)) == 0
    assert shop.userinfo(token).status_code == 200
    assert erase_expired(now + timedelta(hours=26)) == 2
    assert erase_expired(now + timedelta(hours=26)) == 0
    db.session.commit()
    assert db.session.query(OpenIdConnection).count() == 1
    assert erase_expired(now + timedelta(days=731)) == 1
