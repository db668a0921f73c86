"""Idempotency-Key: a POST that changes something, sent again, is done once and answered the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

from flask import Response, current_app, g, request
from sqlalchemy import delete, select, update

from app import clock
from app.api import LARGEST_BODY, also
from app.errors import Refusal
from app.extensions import changed_rows, db, insert_once
from app.services.models import IdempotentAnswer

View = TypeVar("View", bound=Callable[..., Any])

KEY = re.compile(r"[ -~]{1,255}")
KEPT = timedelta(days=1)
PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
    "description": "Recommended: a random text of yours for this change. Sent again with the same body within 24 "
    "hours, the change is made once and answered the same, marked Idempotent-Replayed: true.",
}


def idempotent(view: View) -> View:
    """Make a view of the API one that may be sent again. Stands right above @documented, beneath the access mark.

    Claim, change and kept answer are one transaction, which is committed here: the view itself must not commit.
    A twin at the same time waits for it. A Refusal changes nothing and is not kept: the key may be used again.
    """

    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            answer: Response = view(*args, **kwargs)
            db.session.commit()
            return answer
        if not KEY.fullmatch(key):
            raise Refusal("bad_idempotency_key", "An Idempotency-Key has 1 to 255 characters of plain ASCII.", 422)
        question = _question()
        if not _claim(key, question):
            return _again(key, question)
        transaction = db.session().get_transaction()
        answer = view(*args, **kwargs)
        if db.session().get_transaction() is not transaction:
            raise RuntimeError(f"{request.endpoint} commits, but @idempotent does that")
        db.session.execute(
            update(IdempotentAnswer)
            .where(IdempotentAnswer.service_id == g.service.id, IdempotentAnswer.key == key)
            .values(status=answer.status_code, body=answer.get_data(as_text=True))
        )
        db.session.commit()
        return answer

    once._apidoc.setdefault("arguments", {}).setdefault("parameters", []).append(PARAMETER)  # type: ignore[attr-defined]
    if 409 not in once._apidoc.get("response", {}).get("responses", {}):  # type: ignore[attr-defined]
        also(409, "The first request with this Idempotency-Key is still at work")(once)
    also(422, "A field is wrong, or the Idempotency-Key belongs to another request")(once)
    return once  # type: ignore[return-value]


def erase_old_answers(now: datetime) -> int:
    """Forget what was answered more than a day ago; how many that were."""
    return changed_rows(delete(IdempotentAnswer).where(IdempotentAnswer.asked_at < now - KEPT))


def _question() -> str:
    request.max_content_length = LARGEST_BODY
    said = f"{request.method} {request.full_path}\n".encode() + request.get_data()
    return hashlib.sha256(said).hexdigest()


def _claim(key: str, question: str) -> bool:
    """Whether this request is the first with its key. On PostgreSQL a twin waits here for the first to end."""
    return insert_once(
        IdempotentAnswer, service_id=g.service.id, key=key, question_hash=question, status=0, body="",
        asked_at=clock.now(),
    )  # fmt: skip


def _again(key: str, question: str) -> Response:
    query = select(IdempotentAnswer).where(IdempotentAnswer.service_id == g.service.id, IdempotentAnswer.key == key)
    earlier = db.session.execute(query).scalar_one_or_none()
    if earlier is None:  # erased this moment
        raise Refusal("request_in_progress", "Send this again in a moment.", 409)
    if earlier.question_hash != question:
        raise Refusal("idempotency_key_reused", "This Idempotency-Key belongs to another request. Send a new one.", 422)
    kind = "application/problem+json" if earlier.status >= 400 else "application/json"
    answer = current_app.response_class(earlier.body, earlier.status, mimetype=kind)
    answer.headers["Idempotent-Replayed"] = "true"
    return answer
