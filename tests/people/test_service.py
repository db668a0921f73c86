"""Finding people, and naming one."""

from __future__ import annotations

import pytest
from flask import Flask

from app import clock
from app.errors import Refusal
from app.extensions import db
from app.people.models import Person
from app.people.service import add_person, find_people, get_person, is_email, resolve_person


@pytest.fixture
def marta(app: Flask) -> Person:
    person = add_person("Marta", "Soler Núñez", "Marta@Example.org", clock.now())
    add_person("Pau", "Soler", "soler@example.org", clock.now())
    add_person("Anna", "Soler", "soler@example.org", clock.now())
    db.session.commit()
    return person


@pytest.mark.parametrize(
    "text", ["M-000001", "m-1", "1", "000001", " M-000001 ", "marta@example.org", "MARTA@EXAMPLE.ORG"]
)
def test_a_person_is_named_by_number_address_or_id(marta: Person, text: str) -> None:
    assert resolve_person(text) is marta


@pytest.mark.parametrize(
    "text", ["", "M-", "0", "-1", "M-000099", "9999999999999", "Marta", "nobody@example.org", "１", "M-000001x"]
)
def test_nobody_is_named_by_anything_else(marta: Person, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        resolve_person(text)
    assert refused.value.code == "unknown_person"


def test_a_shared_address_names_nobody_and_says_whom_it_could_mean(marta: Person) -> None:
    with pytest.raises(Refusal, match="M-000002, M-000003"):
        resolve_person("soler@example.org")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("soler", ["Anna", "Pau", "Marta"]),
        ("marta soler", ["Marta"]),
        ("  SOLER   marta ", ["Marta"]),
        ("marta@example.org", ["Marta"]),
        ("M-000002", ["Pau"]),
        ("2", ["Pau"]),
        ("M-000099", []),
        ("", []),
        ("%", []),
        ("_", []),
        ("\x00", []),
        ("' OR 1=1 --", []),
    ],
)
def test_people_are_found_by_part_of_a_name_an_address_or_a_number(marta: Person, text: str, names: list[str]) -> None:
    assert [person.given_name for person in find_people(text, limit=10)] == names


def test_a_search_shows_no_more_than_was_asked_for(marta: Person) -> None:
    assert len(find_people("soler", limit=2)) == 2


@pytest.mark.parametrize(("given", "family"), [("", "Soler"), ("Marta", "  "), ("\x00", "Soler"), ("\u0007", "\n")])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nobody_is_without_a_name(app: Flask, given: str, family: str) -> None:
    with pytest.raises(Refusal) as refused:
        add_person(given, family, None, clock.now())
    assert refused.value.code == "name_missing"


def test_names_are_kept_as_one_line(app: Flask) -> None:
    person = add_person("  Marta\x00 \n Maria ", "Soler", None, clock.now())
    assert person.full_name == "Marta Maria Soler"
    assert person.member_number == f"M-{person.id:06d}"


def test_somebody_who_is_not_there_is_not_found(app: Flask) -> None:
    with pytest.raises(Refusal) as refused:
        get_person(1)
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("text", "good"),
    [("marta@example.org", True), ("m@x.y", True), ("marta@localhost", False), ("marta@example.org\n", False),
     ("mar\x00ta@example.org", False), ("a b@example.org", False), ("@example.org", False), ("marta@.org", False)],
)  # fmt: skip
def test_an_address_is_one_that_mail_could_be_sent_to(text: str, good: bool) -> None:
    assert is_email(text) is good
