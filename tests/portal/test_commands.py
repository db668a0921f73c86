"""Naming the association."""

from __future__ import annotations

import pytest
from flask import Flask

from app import audit
from app.association import get_association
from tests.command import is_refused, run


def test_the_association_is_named_and_what_is_left_out_stays(app: Flask) -> None:
    before = get_association().kind
    result = run(app, "association", "set", "--name", "University of Example", "--contact-email", "us@example.org")
    assert result.exit_code == 0
    it = get_association()
    assert (it.name, it.kind, it.contact_email) == ("University of Example", before, "us@example.org")
    assert audit.find_break() is None


@pytest.mark.parametrize("arguments", [(), ("--name", " "), ("--contact-email", "nobody")])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_name_or_address_that_is_none_is_refused_and_nothing_changes(app: Flask, arguments: tuple[str, ...]) -> None:
    before = get_association().name
    assert is_refused(run(app, "association", "set", *arguments))
    assert get_association().name == before
