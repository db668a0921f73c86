"""Whatever is sent to the API, it is an answer or a problem: the server never breaks."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import Cast
from tests.verification.asking import PATH, static
from tests.visitor import Visitor

text = st.text(st.characters(), max_size=30)  # lone surrogates and NUL too
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
numbers = st.integers(0, 10**200).map(str) | st.integers(0, 10**10).map("M-{}".format)
questions = st.fixed_dictionaries(
    {"credential": numbers | text | json},
    optional={
        "benefit": st.sampled_from(["wifi", "sports", "", "WIFI"]) | text | json,
        "nonce": st.text(st.characters(codec="ascii"), max_size=120) | text | json,
        "more": json,
    },
)
header_text = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40)
headers = st.dictionaries(
    st.sampled_from(["Accept", "Accept-Language", "Content-Encoding", "Cookie", "Origin", "X-CSRFToken", "Expect"]),
    header_text,
    max_size=3,
)
kinds = st.sampled_from(["application/json", "application/json; charset=utf-16", "application/x+json"])
ANY = settings(
    max_examples=200, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_no_question_breaks_the_server(app: Flask, cast: Cast, unlimited: None) -> None:
    visitor, key = Visitor(app), f"Bearer {cast.library_key}"
    good = static(cast.alice)

    @ANY
    @given(questions | json, headers, st.booleans())
    def send(question: object, more: dict[str, str], with_key: bool) -> None:
        auth = {"Authorization": key} if with_key else {}
        response = visitor.post_json(PATH, question, **{**more, **auth})
        assert response.status_code in ({200, 400, 403, 413, 415, 422} if with_key else {401})
        assert response.is_json and response.json
        if response.status_code == 200:
            assert response.json["valid"] is False

    send()
    assert visitor.post_json(PATH, {"credential": good}, Authorization=key).json["valid"] is True


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_bytes_break_the_server(app: Flask, cast: Cast, unlimited: None) -> None:
    visitor = Visitor(app)

    @ANY
    @given(st.binary(max_size=200), kinds, header_text)
    def send(body: bytes, kind: str, key: str) -> None:
        for authorization in (f"Bearer {cast.library_key}", key):
            response = visitor._send(
                "POST", PATH, data=body, content_type=kind, headers={"Authorization": authorization}
            )
            assert response.status_code in (400, 401, 415, 422)
            assert response.mimetype == "application/problem+json"

    send()
