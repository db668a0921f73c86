"""From a partner's sign-in button to the way back: who is asked what, and what is never sent anywhere."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app.accounts.models import AccountSession
from app.accounts.service import add_person_to_account, open_account
from app.extensions import db
from app.people.service import add_person
from tests.cast import Cast
from tests.discounts.shop import BACK, Shop, press, query_of
from tests.kept import everything_kept
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ERRORS = {"error", "error_description", "state", "iss"}


@pytest.fixture
def shop(app: Flask, cast: Cast) -> Shop:
    return Shop(app)


@pytest.fixture
def alice(app: Flask, cast: Cast) -> Visitor:
    return Visitor(app, "alice@example.org")


def error_of(visitor: Visitor, address: str) -> str:
    """What the partner is told, with its state and our name."""
    sent = query_of(visitor.get(address))
    assert (sent["state"], sent["iss"]) == ("st&te", "http://127.0.0.1:8000")
    assert "code" not in sent
    return sent["error"]


def test_the_page_says_who_asks_what_for_and_how_long(shop: Shop, alice: Visitor) -> None:
    page = alice.get(shop.address(scope="openid membership email")).get_data(as_text=True)
    for words in (
        "Sign in to Courses with your membership?", "You are here as Alice Soler.", "What Courses learns",
        "Whether you are a member", "Plus", "alice@example.org", "for 60 minutes", "after 365 days",
        "go back to courses.example.org", "Nothing else: no member number",
    ):  # fmt: skip
        assert words in page
    assert "Your name" not in page


def test_allowing_sends_a_code_back_with_state_and_our_name(shop: Shop, alice: Visitor) -> None:
    response = press(alice, shop.address())
    assert response.status_code == 303 and response.headers["Location"].startswith(BACK + "?")
    assert set(query_of(response)) == {"code", "state", "iss"}
    assert query_of(response)["state"] == "st&te"


def test_not_allowing_says_access_denied_and_keeps_nothing(shop: Shop, alice: Visitor) -> None:
    sent = query_of(press(alice, shop.address(), "reject"))
    assert sent["error"] == "access_denied" and set(sent) == ERRORS
    before = everything_kept()
    assert before["openid_connection"] == before["openid_code"] == []


def test_what_was_allowed_is_not_asked_again_until_more_is_wanted(shop: Shop, alice: Visitor) -> None:
    press(alice, shop.address())
    assert "code" in query_of(alice.get(shop.address()))
    assert "code" in query_of(alice.get(shop.address(scope="openid")))
    assert alice.get(shop.address(scope="openid membership email")).status_code == 200
    assert alice.get(shop.address(prompt="consent")).status_code == 200
    press(alice, shop.address(scope="openid email"))
    assert "code" in query_of(alice.get(shop.address(scope="openid membership email")))


def test_looking_allows_nothing(shop: Shop, alice: Visitor) -> None:
    before = everything_kept()
    assert alice.get(shop.address()).status_code == 200
    assert everything_kept() == before


def test_a_stranger_signs_in_first_and_comes_back_to_the_question(app: Flask, shop: Shop) -> None:
    response = Visitor(app).get(shop.address())
    assert response.status_code == 302
    assert urlsplit(response.headers["Location"]).path == "/sign-in"
    assert query_of(response)["next"] == shop.address()


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": BACK + "/"},
        {"redirect_uri": BACK + "?x=1"},
        {"redirect_uri": 'https://evil.example/"<script>'},
        {"redirect_uri": None},
        {"client_id": "c-unknown"},
        {"client_id": "c\0"},
        {"client_id": None},
    ],
)
def test_an_address_we_do_not_know_gets_nothing_and_nobody(
    shop: Shop, alice: Visitor, changes: dict[str, str | None]
) -> None:
    for response in (alice.get(shop.address(**changes)), alice.post(shop.address(**changes), {"decision": "allow"})):
        assert response.status_code == 400
        assert "Location" not in response.headers
        assert "evil.example" not in response.get_data(as_text=True)


def test_a_parameter_sent_twice_is_read_neither_way(shop: Shop, alice: Visitor) -> None:
    assert alice.get(shop.address() + "&redirect_uri=https://evil.example").status_code == 400
    assert alice.get(shop.address() + "&scope=openid").status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": '"'}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"scope": "membership"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"nonce": "a\0b"}, "invalid_request"),
        ({"nonce": "n" * 256}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none"}, "consent_required"),
    ],
)
def test_a_request_that_cannot_be_served_is_told_so(
    shop: Shop, alice: Visitor, changes: dict[str, str | None], error: str
) -> None:
    assert error_of(alice, shop.address(**changes)) == error


def test_a_silent_request_shows_no_page_to_anybody(app: Flask, shop: Shop, alice: Visitor) -> None:
    silent = shop.address(prompt="none")
    assert error_of(Visitor(app), silent) == "login_required"
    press(alice, shop.address())
    assert "code" in query_of(alice.get(silent))
    for row in db.session.query(AccountSession):
        row.created_at -= timedelta(hours=1)
    assert error_of(alice, shop.address(prompt="none", max_age="3599")) == "login_required"
    assert error_of(Visitor(app, "admin@example.org"), silent) == "interaction_required"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "60"}])
def test_a_fresh_sign_in_is_asked_for_once_and_then_believed(
    app: Flask, shop: Shop, alice: Visitor, asked: dict[str, str]
) -> None:
    press(alice, shop.address())
    for row in db.session.query(AccountSession):
        row.created_at -= timedelta(seconds=61)
    address = shop.address(**asked)
    assert "Sign in once more" in alice.get(address).get_data(as_text=True)
    assert alice.post(address, {"decision": "allow", "person": "1"}).status_code == 303  # to that page again
    to_sign_in = alice.post(address, {"decision": "sign_in"})
    next_path = query_of(to_sign_in)["next"]
    assert alice.get("/account").status_code == 302  # signed out
    alice.sign_in("alice@example.org")
    assert "code" in query_of(alice.get(next_path))
    assert "Sign in once more" in Visitor(app, "bob@example.org").get(shop.address(prompt="login")).get_data(
        as_text=True
    )


def test_a_marker_of_ones_own_making_is_no_fresh_sign_in(shop: Shop, alice: Visitor) -> None:
    page = alice.get(shop.address(prompt="login", again="0")).get_data(as_text=True)
    assert "Sign in once more" in page


def test_of_a_family_one_is_chosen_and_only_that_one_is_told(app: Flask, cast: Cast, shop: Shop) -> None:
    account = open_account("alice@example.org", cast.now)
    child = add_person("Pol", "Soler", None, cast.now)
    add_person_to_account(account, child, cast.now)
    family = Visitor(app, "alice@example.org")
    response = family.get(shop.address())
    assert urlsplit(response.headers["Location"]).path == "/account/person"
    family.post("/account/person", {"person": str(child.id)})
    page = family.get(shop.address()).get_data(as_text=True)
    assert "You are here as Pol Soler." in page and "Somebody else?" in page
    as_seen = {"decision": "allow", "person": str(child.id)}
    family.post("/account/person", {"person": str(cast.alice.id)})  # in another tab, meanwhile
    assert urlsplit(family.post(shop.address(), as_seen).headers["Location"]).path == "/oauth/authorize"
    assert everything_kept()["openid_connection"] == []


def test_an_account_of_nobody_in_the_register_is_told_and_may_go_back(app: Flask, shop: Shop) -> None:
    admin = Visitor(app, "admin@example.org")
    assert "There is no membership to sign in with" in admin.get(shop.address()).get_data(as_text=True)
    assert admin.post(shop.address(), {"decision": "allow"}).headers["Location"].startswith("/oauth/authorize")
    assert query_of(admin.post(shop.address(), {"decision": "reject"}))["error"] == "access_denied"


def test_the_answer_needs_the_pages_own_form(app: Flask, shop: Shop, alice: Visitor) -> None:
    before = everything_kept(but=frozenset({"account_session"}))
    sent = {"decision": "allow", "person": "1"}
    assert alice.post_without_token(shop.address(), sent).status_code == 400
    assert alice.post_without_token(shop.address(), {**sent, "csrf_token": "x"}).status_code == 400
    assert Visitor(app).post(shop.address(), sent).status_code == 401
    assert alice._send("PUT", shop.address()).status_code in (400, 405)
    assert everything_kept(but=frozenset({"account_session"})) == before


def test_where_everything_stands_is_published(app: Flask, shop: Shop) -> None:
    said = Visitor(app).get("/.well-known/openid-configuration").get_json()
    assert said["issuer"] == app.config["BASE_URL"] == "http://127.0.0.1:8000"
    assert said["subject_types_supported"] == ["pairwise"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization", "token", "userinfo", "introspection", "revocation"):
        path = said[f"{name}_endpoint"].removeprefix(said["issuer"])
        assert Visitor(app).get(path).status_code in (400, 401, 405), name
    assert Visitor(app).get(said["jwks_uri"].removeprefix(said["issuer"])).status_code == 200
