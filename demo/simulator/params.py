"""Reading form-encoded parameters (`line_items[0][price_data][currency]=eur`) against a declared shape.

A shape is a dict of names; a value is one of the words below, a tuple of allowed words, a nested shape,
or a list holding one shape. A "moment" is Unix seconds or the word now. What is not declared is refused as
Stripe refuses an unknown parameter, so nothing the simulator ignores can slip through as if it had worked.
"""

import re
from collections.abc import Iterable
from typing import Any

from demo.simulator.errors import ApiError

STRING, INTEGER, BOOLEAN, STRINGS, METADATA = "string", "integer", "boolean", "strings", "metadata"
MOMENT, METADATA_CHANGE = "moment", "metadata change"
ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), STRING)
SHIPPING = {"address": ADDRESS, "name": STRING, "phone": STRING}
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500

Shape = dict[str, Any]


class Required:
    """Marks a parameter that must be given."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


class Clearable:
    """Marks a parameter that may be given as the empty string, which clears what is there."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def read(pairs: Iterable[tuple[str, str]], shape: Shape) -> dict[str, Any]:
    """Typed parameters from a form body or query string; raises ApiError naming the first wrong one."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _insert(tree, name, value)
    return _read_dict(tree, shape, "")


def _insert(tree: dict[str, Any], name: str, value: str) -> None:
    root = name.partition("[")[0]
    path = [root, *re.findall(r"\[([^\]]*)\]", name)]
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise ApiError(400, f"Invalid parameter: {name}", param=name)
    last = path[-1]
    tree[last or str(len(tree))] = value


def _read_dict(tree: Any, shape: Shape, at: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise ApiError(400, f"Invalid object: {at}", param=at)
    values = {}
    for name, raw in tree.items():
        where = f"{at}[{name}]" if at else name
        if name not in shape:
            raise ApiError(400, f"Received unknown parameter: {where}", code="parameter_unknown", param=where)
        kind = shape[name]
        values[name] = _read_value(raw, kind.kind if isinstance(kind, Required) else kind, where)
    for name, kind in shape.items():
        if isinstance(kind, Required) and name not in values:
            where = f"{at}[{name}]" if at else name
            raise ApiError(400, f"Missing required param: {where}.", code="parameter_missing", param=where)
    return values


def _read_value(raw: Any, kind: Any, at: str) -> Any:
    if isinstance(kind, Clearable):
        return "" if raw == "" else _read_value(raw, kind.kind, at)
    if isinstance(kind, dict):
        return _read_dict(raw, kind, at)
    if isinstance(kind, list):
        return [_read_dict(item, kind[0], f"{at}[{i}]") for i, item in enumerate(_items(raw, at))]
    if kind == METADATA:
        return {name: value for name, value in _read_metadata(raw, at).items() if value}
    if kind == METADATA_CHANGE:
        return _read_metadata(raw, at)
    if kind == STRINGS:
        return [_read_text(item, f"{at}[{i}]") for i, item in enumerate(_items(raw, at))]
    text = _read_text(raw, at)
    if isinstance(kind, tuple) and text not in kind:
        raise ApiError(400, f"Invalid {at}: must be one of {', '.join(kind)}", param=at)
    if kind == INTEGER or (kind == MOMENT and text != "now"):
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise ApiError(400, f"Invalid integer: {text}", code="parameter_invalid_integer", param=at)
        return int(text)
    if kind == BOOLEAN:
        if text not in ("true", "false"):
            raise ApiError(400, f"Invalid boolean: {text}", param=at)
        return text == "true"
    return text


def _items(raw: Any, at: str) -> list[Any]:
    if not isinstance(raw, dict):
        raise ApiError(400, "Invalid array", param=at)
    return list(raw.values())


def _read_text(raw: Any, at: str) -> str:
    if not isinstance(raw, str):
        raise ApiError(400, f"Invalid string: {at}", param=at)
    if raw == "":
        raise ApiError(
            400,
            f"You passed an empty string for '{at}'. We assume empty values are an attempt to unset a"
            f" parameter; however '{at}' cannot be unset. You should remove '{at}' from your request or"
            " supply a non-empty value.",
            code="parameter_invalid_empty",
            param=at,
        )
    return raw


def _read_metadata(raw: Any, at: str) -> dict[str, str]:
    if raw == "":
        return {}
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise ApiError(400, f"Invalid object: {at}", param=at)
    if len(raw) > METADATA_KEYS:
        raise ApiError(400, f"You can provide at most {METADATA_KEYS} metadata keys.", param=at)
    for name, value in raw.items():
        if len(name) > METADATA_KEY_LENGTH or len(value) > METADATA_VALUE_LENGTH:
            raise ApiError(
                400,
                f"Metadata names may have up to {METADATA_KEY_LENGTH} characters and values up to"
                f" {METADATA_VALUE_LENGTH}; {at}[{name[:METADATA_KEY_LENGTH]}] is longer.",
                param=f"{at}[{name[:METADATA_KEY_LENGTH]}]",
            )
    return raw


def change_metadata(thing: dict[str, Any], change: Any) -> None:
    """Merge a `METADATA_CHANGE` into an object's metadata: an empty value takes its key away, "" takes all."""
    if change == "":
        thing["metadata"] = {}
    elif change:
        merged = thing["metadata"] | change
        thing["metadata"] = {name: value for name, value in merged.items() if value}
