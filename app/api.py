"""What every package's API stands on: one blueprint under /api/v1, one document, problem documents (RFC 9457).

A package's api module says

    @bp.route("/things", methods=["POST"])
    @access.service("verify")
    @limited
    @documented
    @bp.response(200, Thing)
    @bp.arguments(NewThing, example={...})
    def add_thing(thing): ...

and create_app imports it and hands it to `register_api`. Schemas need names of their own within the whole document.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any, TypeVar, cast

from flask import Flask, Request, Response, g
from flask_smorest import Api, Blueprint
from marshmallow import Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from app.errors import Refusal
from app.extensions import csrf, limiter

View = TypeVar("View", bound=Callable[..., Any])

LARGEST_BODY = 16_000  # bytes
PER_SERVICE = "600 per minute"  # of each operation


class QuestionParser(FlaskParser):
    """Reads a JSON body; what is wrong with it, or with the query, is said as a Refusal."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        if not req.is_json:
            raise Refusal("not_json", "Send JSON, with Content-Type: application/json.", 415)
        req.max_content_length = LARGEST_BODY
        try:
            return req.get_json()
        except (BadRequest, RecursionError):
            raise Refusal("bad_json", "The body is not JSON.") from None

    def handle_error(self, error: ValidationError, *_args: Any, **_kwargs: Any) -> Any:
        (said,) = error.messages_dict.values()  # of the body or of the query
        detail = "; ".join(f"{name[:50]}: {_flat(texts)}" for name, texts in said.items() if name != "_schema")
        detail = detail or "Send a JSON object."
        raise Refusal("bad_question", detail, 422) from None


def _flat(texts: Any) -> str:
    """What is wrong with a field; of a list or an object within, whatever is wrong inside."""
    if isinstance(texts, dict):
        return " ".join(_flat(inner) for inner in texts.values())
    return " ".join(str(text) for text in texts)


bp = Blueprint("api", __name__, url_prefix="/api/v1", description="Is somebody a member, and what is theirs.")
bp.ARGUMENTS_PARSER = QuestionParser()


class UtcInstant(fields.DateTime):
    """2026-11-23T10:00:00Z, of an aware UTC datetime."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


class Problem(Schema):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)


class CarnetApi(Api):
    ERROR_SCHEMA = Problem  # in place of the library's own shape
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_pagination_header(self) -> None:
        """Lists here go on by cursor."""


rest = CarnetApi()
PROBLEMS = {
    400: "Cannot be read, or there is no such thing",
    401: "No valid service key",
    403: "Scope missing",
    413: "Too large",
    415: "Not JSON",
    422: "A field is wrong",
    429: "Too many questions: wait as Retry-After says",
}


LIMIT_HEADERS = {
    "X-RateLimit-Limit": {"schema": {"type": "integer"}, "description": "Questions a minute."},
    "X-RateLimit-Remaining": {"schema": {"type": "integer"}, "description": "How many are left in this minute."},
    "X-RateLimit-Reset": {"schema": {"type": "integer"}, "description": "When it ends, in seconds since 1970."},
}


def documented(view: View) -> View:
    """Say in the document that an operation takes a service key, and how it refuses."""
    for answers in view._apidoc["response"]["responses"].values():  # type: ignore[attr-defined]
        for answer in answers:
            answer["headers"] = LIMIT_HEADERS
    for status, text in PROBLEMS.items():
        also(status, text)(view)
    view._apidoc.setdefault("manual_doc", {})["security"] = [{"serviceKey": []}]  # type: ignore[attr-defined]
    return view


def also(status: int, text: str) -> Callable[[View], View]:
    """One more refusal of an operation, or other words for one of PROBLEMS: stands above @documented."""

    def documenting(view: View) -> View:
        if not hasattr(view, "_apidoc"):
            raise TypeError("stands above bp.response")
        said = {"schema": Problem(), "description": text, "content_type": "application/problem+json"}
        view._apidoc.setdefault("response", {}).setdefault("responses", {})[status] = [said]
        return view

    return documenting


def limited(view: View) -> View:
    """As many questions a minute as one service may ask of one operation."""
    return cast(View, limiter.limit(PER_SERVICE, key_func=lambda: f"service:{g.service.id}")(view))


@bp.after_request
def name_the_scheme(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


_elsewhere: dict[str, dict[str, Any]] = {}


def describe(endpoint: str, **operations: Any) -> None:
    """Put a page that is not on `bp` into the document: get={...}, after OpenAPI."""
    _elsewhere[endpoint] = operations


def register_api(app: Flask, *_modules: ModuleType) -> None:
    """Bind the API to the application. `_modules` are those whose import has put their operations on `bp`."""
    rest.init_app(app)
    rest.spec.components.security_scheme("serviceKey", {"type": "http", "scheme": "bearer"})
    rest.register_blueprint(bp)
    csrf.exempt(bp)
    for endpoint, operations in _elsewhere.items():
        (rule,) = app.url_map.iter_rules(endpoint)
        rest.spec.path(rule=rule, operations=operations)
