"""The API's document: OpenAPI 3.1 at /api/v1/openapi.json, for people at /api/v1/docs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue

from app.accounts import access
from app.services.documenting import METHODS, api_document

bp = Blueprint("api_docs", __name__, url_prefix="/api/v1")


@bp.get("/openapi.json")
@access.public
def openapi() -> ResponseReturnValue:
    """The OpenAPI 3.1 document."""
    return jsonify(api_document())


@bp.get("/docs")
@access.public
def docs() -> ResponseReturnValue:
    """The same document for people."""
    document = api_document()
    schemas = document["components"]["schemas"]
    operations = [
        _shown(path, method, shape[method], schemas)
        for path, shape in document["paths"].items()
        for method in METHODS
        if method in shape
    ]
    return render_template(
        "services/api_docs.html", operations=operations, problem=_fields(schemas["Problem"], schemas)
    )


def _shown(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """One operation as the page shows it."""
    scopes = [scope for it in operation.get("security", []) for scope in it.get("serviceKey", [])]
    question = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = [(int(status), said) for status, said in sorted(operation["responses"].items())]
    shape = next((_json(said) for status, said in answers if status < 300), None)
    return {
        "path": path, "method": method.upper(), "id": operation["operationId"], "scope": scopes[0] if scopes else None,
        "summary": operation.get("summary", ""), "description": operation.get("description", ""),
        "parameters": [
            {**it, "shape": _words(it.get("schema", {}))} for it in operation.get("parameters", []) if "name" in it
        ],
        "question": _fields(question, schemas) if question else [],
        "answer": _fields(shape, schemas) if shape else [],
        "statuses": [(status, said.get("description", "")) for status, said in answers],
        "samples": operation["x-codeSamples"],
    }  # fmt: skip


def _json(said: dict[str, Any]) -> dict[str, Any] | None:
    schema: dict[str, Any] | None = said.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _fields(schema: dict[str, Any], schemas: dict[str, Any], inside: str = "") -> list[dict[str, Any]]:
    """The fields of an object, those of the objects in its lists too."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    rows: list[dict[str, Any]] = []
    for name, shape in schema.get("properties", {}).items():
        said = {"name": inside + name, "shape": _words(shape), "is_optional": name not in schema.get("required", [])}
        rows.append({**said, "description": shape.get("description", "")})
        items = shape.get("items", {})
        if "$ref" in items or "properties" in items:
            rows += _fields(items, schemas, f"{inside}{name}[].")
    return rows


def _words(shape: dict[str, Any]) -> str:
    """string, integer | null, one of ..."""
    if "enum" in shape:
        return " | ".join(str(value) for value in shape["enum"])
    kind = shape.get("type", "object")
    said = kind if isinstance(kind, str) else " | ".join(kind)
    return f"{said} ({shape['format']})" if "format" in shape else said
