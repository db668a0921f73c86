"""The administrator's pages of services, and what a service's own people see."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.extensions import db
from app.services.keys import keys_of
from app.services.models import Service, ServiceKey
from app.services.people import add_person
from app.services.service import add_service, find_service
from tests.cast import Cast
from tests.kept import everything_kept
from tests.verification.asking import live, send
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KEY = re.compile(r"carnet_[\w-]{43}")


def admin(app: Flask) -> Visitor:
    return Visitor(app, "admin@example.org")


def test_a_service_is_added_and_its_key_shown_this_once(app: Flask, cast: Cast) -> None:
    visitor = admin(app)
    form = {"name": "Gym", "scopes": ["verify", "redeem"], "benefit": "sports"}
    answer = visitor.post("/admin/services", form)
    (key,) = KEY.findall(answer.get_data(as_text=True))
    gym = find_service("Gym")
    assert gym is not None and (gym.scopes, gym.benefit_id) == ("redeem,verify", cast.sports.id)
    assert send(app, key, live(cast.bob)).json["reason"] == "not_entitled"
    for page in ("/admin/services", f"/admin/services/{gym.id}"):
        assert key not in visitor.get(page).get_data(as_text=True)


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "scopes": ["verify"], "benefit": "-"},
        {"name": "Gym", "benefit": "-"},
        {"name": "Gym", "scopes": ["everything"], "benefit": "-"},
        {"name": "Gym", "scopes": ["members:email"], "benefit": "-"},
        {"name": "Gym", "scopes": ["verify"], "benefit": "nothing"},
        {"name": "Library", "scopes": ["verify"], "benefit": "-"},
        {"name": "x" * 61, "scopes": ["verify"], "benefit": "-"},
    ],
)
def test_what_makes_no_service_is_said_above_the_form(app: Flask, cast: Cast, form: dict[str, object]) -> None:
    visitor = admin(app)
    before = everything_kept()
    answer = visitor.post("/admin/services", form)
    assert answer.status_code in (400, 409) and 'role="alert"' in answer.get_data(as_text=True)
    assert everything_kept() == before


def test_keys_are_rotated_on_the_page(app: Flask, cast: Cast) -> None:
    visitor, address = admin(app), f"/admin/services/{cast.library.id}"
    (old,) = keys_of(cast.library.id)
    old_id = old.id
    (key,) = KEY.findall(visitor.post(f"{address}/keys", {"label": "Autumn"}).get_data(as_text=True))
    page = visitor.get(address).get_data(as_text=True)
    assert "Autumn" in page and "Make a key</button>" not in page  # two are live
    assert visitor.post(f"{address}/keys", {"label": "Third"}).status_code == 409
    assert visitor.post(f"{address}/keys/{old_id}/revoke").status_code == 303
    assert [send(app, it, "1").status_code for it in (cast.library_key, key)] == [401, 200]
    assert "1 revoked key" in visitor.get(address).get_data(as_text=True)
    of_desk = db.session.query(ServiceKey).filter_by(service_id=cast.desk.id).one().id
    for wrong in (of_desk, 999, "x", "9" * 30):
        assert visitor.post(f"{address}/keys/{wrong}/revoke").status_code == 404
    assert db.session.get_one(ServiceKey, of_desk).slot == 1


def test_what_a_service_may_do_is_changed_on_its_page(app: Flask, cast: Cast) -> None:
    visitor, address = admin(app), f"/admin/services/{cast.library.id}"
    assert visitor.post(address, {"scopes": ["verify", "verify:number"], "benefit": "wifi"}).status_code == 303
    answer = send(app, cast.library_key, cast.alice.member_number).json
    assert answer["valid"] and answer["entitled"]
    assert visitor.post(address, {"scopes": ["verify:number"], "benefit": "wifi"}).status_code == 400
    db.session.expire_all()
    assert db.session.get_one(Service, cast.library.id).scopes == "verify,verify:number"
    for nobody in ("999", "x", "9" * 30):
        assert visitor.get(f"/admin/services/{nobody}").status_code == 404


def test_a_services_own_people_see_its_things_and_no_others(app: Flask, cast: Cast) -> None:
    gym, gym_key = add_service("Gym", ["verify", "redeem", "verify:number"], cast.wifi, cast.now)
    visitor, address = admin(app), f"/admin/services/{cast.library.id}/people"
    library_id = cast.library.id
    assert visitor.post(address, {"email": "Lib@Example.org"}).status_code == 303
    assert visitor.post(address, {"email": "no address"}).status_code == 400
    send(app, cast.library_key, live(cast.alice))
    body = {"credential": cast.alice.member_number, "benefit": "wifi", "reference": "gym-order-1"}
    made = Visitor(app).post_json("/api/v1/redemptions", body, Authorization=f"Bearer {gym_key}")
    assert made.status_code == 201

    librarian = Visitor(app, "lib@example.org")
    home = librarian.get("/")
    assert (home.status_code, home.headers["Location"]) == (302, "/service")
    page = librarian.get("/service").get_data(as_text=True)
    assert "<h1>Library</h1>" in page and "Last used" in page
    assert "Gym" not in page and "gym-order-1" not in page
    for private in (cast.alice.email, cast.alice.full_name, cast.alice.member_number):
        assert private is not None and private not in page
    gym_id = gym.id
    assert librarian.get(f"/service?id={gym_id}").status_code == 404
    assert librarian.get("/admin/services").status_code == 403
    assert librarian.get(f"/admin/services/{library_id}").status_code == 403

    add_person(db.session.get_one(Service, gym_id), "lib@example.org", cast.now)
    both = librarian.get(f"/service?id={gym_id}").get_data(as_text=True)
    assert "<h1>Gym</h1>" in both and "gym-order-1" in both and made.json["subject"] in both

    account_id = cast.account("lib").id
    assert visitor.post(f"{address}/{account_id}/remove").status_code == 303
    assert librarian.get(f"/service?id={library_id}").status_code == 404
    assert visitor.post(f"{address}/{account_id}/remove").status_code == 404


def test_others_are_shown_no_service(app: Flask, cast: Cast) -> None:
    for email in ("alice@example.org", "treasurer@example.org", "admin@example.org"):
        assert Visitor(app, email).get("/service").status_code == 403
    assert Visitor(app).get("/service").status_code == 302
