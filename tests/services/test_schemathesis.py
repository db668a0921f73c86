"""Schemathesis reads the API's document and asks whatever it allows, and what it does not.

50 examples of each operation here; `API_EXAMPLES=400` asks more and looks only whether the server breaks. What it
found then is written where `API_RESULT` says: make test-long keeps it in docs/quality/api.md.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from app.extensions import db
from app.services.service import SCOPES, add_service
from tests.cast import Cast
from tests.visitor import Visitor

EXAMPLES = int(os.environ.get("API_EXAMPLES", "50"))
IS_LONG = EXAMPLES > 50
# Left out: that a text which the document allows is accepted. No document says which cards and benefits there are.
LEFT_OUT = {"positive_data_acceptance"}
ASKING = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip

load_all_checks()


def as_server(app: Flask) -> Callable[..., list[bytes]]:
    """Each request in a context of its own, as in production; what waits for the answer is done, too."""

    def serve(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with app.app_context():
            answer: Iterable[bytes] = app.wsgi_app(environ, start_response)
            try:
                return list(answer)
            finally:
                answer.close()  # type: ignore[attr-defined]

    return serve


def checks() -> list[Any]:
    names = ["not_a_server_error"] if IS_LONG else [it for it in CHECKS.get_all_names() if it not in LEFT_OUT]
    return list(CHECKS.get_by_names(names))


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"] if IS_LONG else ["sqlite"], indirect=True)
def test_no_question_the_document_allows_or_forbids_surprises_the_api(app: Flask, cast: Cast, unlimited: None) -> None:
    _service, key = add_service("Reader", SCOPES, None, cast.now)
    body = {"credential": cast.alice.member_number, "benefit": "wifi"}
    known = Visitor(app).post_json("/api/v1/redemptions", body, Authorization=f"Bearer {key}").json["id"]
    db.session.remove()
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", as_server(app))
    statuses: dict[str, Counter[int]] = {}
    began = time.process_time()
    for found in document.get_all_operations():
        operation = found.ok()
        answers = statuses.setdefault(f"{operation.method.upper()} {operation.path}", Counter())
        ask(operation, key, known, body, answers)
    seconds = time.process_time() - began
    del statuses["GET /api/v1/card-status"]  # it takes no question, so there is one way to ask it
    assert all(answers.total() >= EXAMPLES for answers in statuses.values()), statuses
    assert not [status for answers in statuses.values() for status in answers if status >= 500]
    if "API_RESULT" in os.environ:
        write_result(Path(os.environ["API_RESULT"]), db.engine.dialect.name, statuses, seconds)


def ask(operation: Any, key: str, known: str, body: dict[str, str], answers: Counter[int]) -> None:
    """Its examples: a third of them what the document allows, a third about what is there, a third what it forbids."""
    allowed = operation.as_strategy()
    about = {"path_parameters": {it.name: known for it in operation.path_parameters}}
    if about["path_parameters"]:
        there = operation.as_strategy(**about)
    elif operation.body:
        there = operation.as_strategy(body=body)
    else:
        there = allowed
    kinds = [allowed, there]
    kinds.append(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    needs_key = "security" in operation.definition.raw

    @ASKING
    @given(case=st.one_of(kinds))
    def one(case: Any) -> None:
        headers = {"Authorization": f"Bearer {key}"} if needs_key else {}
        response = case.call(headers=headers)
        answers[response.status_code] += 1
        case.validate_response(response, checks=checks(), headers=headers)

    one()


def write_result(path: Path, database: str, statuses: dict[str, Counter[int]], seconds: float) -> None:
    """A table of what was answered; the first database begins the file."""
    head = (
        "# What schemathesis asked the API\n\nWritten by `make test-long`: at least "
        f"{EXAMPLES} examples of each operation of the OpenAPI document, allowed by it and not, on both databases, "
        "with the check `not_a_server_error`. None failed.\n"
    )
    said = path.read_text(encoding="utf-8") if path.exists() and database != "sqlite" else head
    rows = [
        f"| `{name}` | {answers.total()} | "
        + ", ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
        + " |"
        for name, answers in statuses.items()
    ]
    title = f"\n## {database}, {seconds:.0f} s of CPU\n\n| operation | asked | answered |\n|---|--:|---|\n"
    path.write_text(said + title + "\n".join(rows) + "\n", encoding="utf-8")
