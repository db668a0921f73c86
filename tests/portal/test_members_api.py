"""GET /api/v1/members: how everybody stands, page by page, to a service that may know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.extensions import db
from app.memberships.service import hold_person, standing_of
from app.people.service import add_person
from app.services.service import add_service, subject_for
from tests.cast import Cast, pay
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def key_for(cast: Cast, *scopes: str) -> tuple[int, str]:
    service, key = add_service(f"Reader {' '.join(scopes)}", scopes, None, cast.now)
    return service.id, key


def get(app: Flask, key: str, query: str = "", path: str = "/api/v1/members") -> Any:
    return Visitor(app).get(f"{path}{query}", headers={"Authorization": f"Bearer {key}"})


def pages(app: Flask, key: str, limit: int, path: str = "/api/v1/members") -> list[list[dict[str, Any]]]:
    found, query = [], f"?limit={limit}"
    while True:
        page = get(app, key, query, path).json
        found.append(page["items"])
        if page["next"] is None:
            return found
        query = f"?limit={limit}&cursor={page['next']}"


def test_everybody_who_was_ever_a_member_is_told_with_how_they_stand(app: Flask, cast: Cast) -> None:
    service_id, key = key_for(cast, "members")
    (items,) = pages(app, key, 200)
    people = (cast.alice, cast.bob, cast.carol, cast.dan)
    assert [item["subject"] for item in items] == [subject_for(service_id, person.id) for person in people]
    assert [item["status"] for item in items] == ["active", "grace", "lapsed", "lapsed"]
    for item, person in zip(items, people, strict=True):
        standing = standing_of(person.id, cast.now, cast.today)
        assert item["valid_until"] == (standing.valid_until.isoformat() if standing.valid_until else None)
        assert item["number"] is None and item["email"] is None
    assert items[0]["tier"] == "plus" and items[1]["grace_until"] is not None


def test_somebody_on_hold_is_suspended(app: Flask, cast: Cast) -> None:
    hold_person(cast.alice, "test", "test", cast.now)
    _id, key = key_for(cast, "members")
    assert pages(app, key, 200)[0][0]["status"] == "suspended"


@SQLITE
def test_number_and_address_are_told_only_to_those_who_may_know_them(app: Flask, cast: Cast) -> None:
    for scopes, number, email in (
        (("members",), None, None),
        (("members", "members:number"), cast.alice.member_number, None),
        (("members", "members:email"), None, "alice@example.org"),
    ):
        _id, key = key_for(cast, *scopes)
        first = pages(app, key, 200)[0][0]
        assert (first["number"], first["email"]) == (number, email)


@SQLITE
def test_two_services_know_nobody_by_the_same_subject(app: Flask, cast: Cast) -> None:
    keys = [key_for(cast, "members")[1], key_for(cast, "members", "members:number")[1]]
    first, second = ({item["subject"] for item in pages(app, key, 200)[0]} for key in keys)
    assert len(first) == len(second) == 4 and not first & second


@SQLITE
def test_a_key_without_the_scope_is_told_nothing(app: Flask, cast: Cast) -> None:
    answer = get(app, cast.library_key)
    assert (answer.status_code, answer.json["code"]) == (403, "missing_scope")
    assert Visitor(app).get("/api/v1/members").status_code == 401


def test_pages_keep_their_place_while_people_join(app: Flask, cast: Cast) -> None:
    _id, key = key_for(cast, "members")
    first = get(app, key, "?limit=2").json
    newcomer = add_person("Nina", "Nou", "nina@example.org", cast.now)
    pay(newcomer, cast.basic, cast.today)
    second = get(app, key, f"?limit=2&cursor={first['next']}").json
    third = get(app, key, f"?limit=2&cursor={second['next']}").json
    told = [item["subject"] for page in (first, second, third) for item in page["items"]]
    assert len(told) == len(set(told)) == 5
    assert third["next"] is None
    assert get(app, key, f"?limit=2&cursor={first['next']}").json["items"] == second["items"]


@SQLITE
def test_a_cursor_says_nothing_and_is_good_for_one_service_and_list(app: Flask, cast: Cast) -> None:
    _id, key = key_for(cast, "members", "payments")
    cursor = get(app, key, "?limit=1").json["next"]
    assert str(cast.alice.id) != cursor and cast.alice.member_number not in cursor
    _id, other = key_for(cast, "members")
    for answer in (
        get(app, other, f"?cursor={cursor}"),
        get(app, key, f"?cursor={cursor}", "/api/v1/payments"),
        get(app, key, f"?cursor={cursor[:-4]}AAAA"),
        get(app, key, "?cursor=1"),
    ):
        assert (answer.status_code, answer.json["code"]) == (400, "bad_cursor")
        assert answer.mimetype == "application/problem+json"
    for query in ("?cursor=", "?cursor=%00", "?cursor=%C3%A9", "?limit=0", "?limit=201", "?limit=x"):
        answer = get(app, key, query)
        assert (answer.status_code, answer.json["code"]) == (422, "bad_question"), query


def test_a_page_costs_the_same_number_of_queries_whatever_is_on_it(app: Flask, cast: Cast) -> None:
    for number in range(12):
        person = add_person(f"P{number}", "Test", f"p{number}@example.org", cast.now)
        pay(person, cast.plus, cast.today - timedelta(days=number))
    _id, key = key_for(cast, "members", "payments")
    db.session.commit()
    for path in ("/api/v1/members", "/api/v1/payments"):
        get(app, key, "?limit=1", path)
        counts = []
        for limit in (2, 12):
            asked: list[str] = []

            def note(*it: Any, asked: list[str] = asked) -> None:
                asked.append(it[2])

            event.listen(db.engine, "before_cursor_execute", note)
            assert len(get(app, key, f"?limit={limit}", path).json["items"]) == limit
            event.remove(db.engine, "before_cursor_execute", note)
            counts.append(len([it for it in asked if it.startswith("SELECT")]))
        assert counts[0] == counts[1] < 10
