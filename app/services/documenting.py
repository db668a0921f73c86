"""The API's OpenAPI 3.1 document: what the operations declare, with scopes, and a curl and a Python example of each."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Flask, current_app

from app.accounts.access import declared
from app.api import rest
from app.services.idempotency import PARAMETER

ABOUT = (
    "Is somebody a member today, and what is theirs. Send your service key as `Authorization: Bearer`. Errors are "
    "problem documents (RFC 9457) with a `code`. Ids and subjects are texts: do not take them apart. New fields may "
    "be added to answers; those that are here stay."
)
BODY = {"413", "415"}
METHODS = ("get", "post", "put", "delete")
# Of a field that says no example of its own.
EXAMPLES: dict[str, Any] = {"credential": "M-000123", "benefit": "wifi"}


def api_document() -> dict[str, Any]:
    """The document as a dict; made once in a process and application."""
    known: dict[str, Any] | None = current_app.extensions.get("api_document")
    if known is None:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        known = app.extensions["api_document"] = _document(app)
    return known


def _document(app: Flask) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(rest.spec.to_dict()))  # a copy of our own
    document["info"]["description"] = ABOUT
    document["servers"] = [{"url": app.config["BASE_URL"]}]
    scopes = _scopes(app)
    for path, operations in document["paths"].items():
        for method in METHODS:
            operation = operations.get(method)
            if operation is None:
                continue
            if method == "get":  # it has no body to be wrong
                operation["responses"] = {it: said for it, said in operation["responses"].items() if it not in BODY}
            scope = scopes.get((path, method))
            if scope:
                operation["security"] = [{"serviceKey": [scope]}]
            operation.setdefault("operationId", f"{method}-{path.removeprefix('/api/v1/')}".translate(_IDS))
            operation["x-codeSamples"] = [
                {"lang": "curl", "source": _curl(method, path, operation, document)},
                {"lang": "Python", "source": _python(method, path, operation, document)},
            ]
    return document


_IDS = str.maketrans({"/": "-", "{": None, "}": None, "_": "-"})


def _scopes(app: Flask) -> dict[tuple[str, str], str]:
    """Which scope an operation asks for, by path and method."""
    found: dict[tuple[str, str], str] = {}
    for rule in app.url_map.iter_rules():
        kind, scope = declared(app.view_functions[rule.endpoint]) or ("", None)
        if kind == "service":
            path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
            found.update({(path, method.lower()): str(scope) for method in rule.methods or ()})
    return found


def _curl(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    address = re.sub(r"\{(\w+)\}", lambda match: f"${match[1].upper()}", path)
    lines = [f'curl -sS --fail-with-body "$CARNET_URL{address}"']
    if method != "get":
        lines[0] = f'curl -sS --fail-with-body -X {method.upper()} "$CARNET_URL{address}"'
    if operation.get("security"):
        lines.append('-H "Authorization: Bearer $CARNET_KEY"')
    if _is_idempotent(operation):
        lines.append('-H "Idempotency-Key: $(openssl rand -hex 16)"')
    body = _body(operation, document)
    if body is not None:
        said = json.dumps(body).replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{said}'"]
    return " \\\n  ".join(lines)


def _python(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    body, headers = _body(operation, document), []
    modules = ["json", "os", "urllib.request"]
    if operation.get("security"):
        headers.append('"Authorization": "Bearer " + os.environ["CARNET_KEY"],')
    if _is_idempotent(operation):
        modules.append("uuid")
        headers.append('"Idempotency-Key": str(uuid.uuid4()),')
    if body is not None:
        headers.append('"Content-Type": "application/json",')
    parts = [f'os.environ["CARNET_URL"] + "{path}"']
    for name in re.findall(r"\{(\w+)\}", path):
        parts[0] = parts[0].replace(f"{{{name}}}", f'" + os.environ["{name.upper()}"] + "').removesuffix(' + ""')
    if body is not None:
        parts.append(f"data=json.dumps({body!r}).encode()")
    if headers:
        parts.append("headers={\n        " + "\n        ".join(headers) + "\n    }")
    parts.append(f'method="{method.upper()}"')
    is_json = any("application/json" in it.get("content", {}) for it in operation["responses"].values())
    if not is_json:
        modules.remove("json")
    return "\n".join(
        [
            *(f"import {name}" for name in modules),
            "",
            "request = urllib.request.Request(",
            *(f"    {part}," for part in parts),
            ")",
            "with urllib.request.urlopen(request, timeout=10) as answer:",
            "    print(json.load(answer))" if is_json else "    print(answer.read().decode())",
        ]
    )


def _is_idempotent(operation: dict[str, Any]) -> bool:
    return any(it.get("name") == PARAMETER["name"] for it in operation.get("parameters", []))


def _body(operation: dict[str, Any], document: dict[str, Any]) -> Any:
    """The example an operation declares, else one made of its schema's required fields and what EXAMPLES knows."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    if "example" in content:
        return content["example"]
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    fields = schema.get("properties", {})
    wanted = {name for name in fields if name in EXAMPLES or "example" in fields[name]} | {*schema.get("required", ())}
    return {name: _example(name, fields[name]) for name in fields if name in wanted}


def _example(name: str, field: dict[str, Any]) -> Any:
    if "example" in field:
        return field["example"]
    if name in EXAMPLES:
        return EXAMPLES[name]
    by_type = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return by_type.get(str(field.get("type")), (field.get("enum") or ["text"])[0])
