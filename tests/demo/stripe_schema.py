"""JSON Schemas read from the type hints that Stripe generates into its Python library.

stripe-python's classes are "generated from our OpenAPI spec", so the pinned wheel itself says which
properties an object has and which parameters a request may carry, without a network or a copy kept here.

Enumerations Stripe marks as open (`Literal[...] | str`) are closed: the simulator must only say words
that Stripe knows today. An object class outside `objects` matches nothing, so the simulator cannot
answer with one unnoticed.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import stripe

Schema = dict[str, Any]
ROOT = Path(stripe.__file__).parent
_PRIMITIVES: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "Decimal": {"type": ["string", "number"]},
    "Any": {},
    "object": {},
    "UntypedStripeObject": {"type": "object"},
    "StripeObject": {"type": "object"},
}


@dataclass(frozen=True)
class Module:
    """A module of the library: its name, what it imports from where, and its classes."""

    name: str
    imports: dict[str, tuple[str, str]]
    classes: dict[str, ast.ClassDef]


@dataclass(frozen=True)
class Operation:
    """A call of the client library: parameters are None where it takes none."""

    method: str
    path: str
    params: Schema | None
    answer: Schema


@cache
def load(name: str) -> Module:
    path = ROOT.joinpath(*name.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imports = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return Module(name, imports, {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)})


class StripeSchemas:
    """Definitions by name, built as they are reached. `objects` are the modules of the objects in scope."""

    def __init__(self, objects: Iterable[str]) -> None:
        self.defs: dict[str, Schema] = {}
        self._objects = set(objects)
        self.names = {
            name: {"$ref": f"#/$defs/{self._define(module, [node.name])}"}
            for module in map(load, sorted(self._objects))
            for node in module.classes.values()
            if (name := _object_name(node))
        }

    def define(self, module: str, name: str) -> Schema:
        """A class that is no object of its own, such as the error."""
        return {"$ref": f"#/$defs/{self._define(load(module), [name])}"}

    def whole(self, schema: Schema) -> Schema:
        """`schema` as a document of its own."""
        return {**schema, "$defs": self.defs}

    def operations(self, service: str) -> list[Operation]:
        """What a service module of the client library can ask."""
        module = load(service)
        found = []
        for function in (f for node in module.classes.values() for f in node.body):
            if not isinstance(function, ast.FunctionDef) or function.returns is None:
                continue
            for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
                if not (isinstance(call.func, ast.Attribute) and call.func.attr == "_request"):
                    continue
                method, path = (next(_strings(argument)) for argument in call.args[:2])
                params = next((a.annotation for a in function.args.args if a.arg == "params"), None)
                found.append(
                    Operation(
                        method.upper(),
                        re.sub(r"{\w+}", "{}", path),
                        self._schema(params, module, []) if params else None,
                        self._schema(function.returns, module, []),
                    )
                )
        return found

    def _schema(self, hint: ast.expr, module: Module, scope: list[str]) -> Schema:
        if isinstance(hint, ast.Constant):
            if hint.value is None:
                return {"type": "null"}
            return self._schema(ast.parse(hint.value, mode="eval").body, module, scope)
        if isinstance(hint, ast.BinOp):
            return _any_of([self._schema(side, module, scope) for side in (hint.left, hint.right)])
        if isinstance(hint, ast.Subscript):
            arguments = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
            return self._generic(ast.unparse(hint.value).split(".")[-1], arguments, module, scope)
        name = ast.unparse(hint)
        return _PRIMITIVES[name] if name in _PRIMITIVES else self._reference(name, module, scope)

    def _generic(self, name: str, arguments: list[ast.expr], module: Module, scope: list[str]) -> Schema:
        if name == "SearchResultObject":
            return {"not": {}}
        if name == "Literal":
            return {"enum": [ast.literal_eval(value) for value in arguments]}
        inner = [self._schema(argument, module, scope) for argument in arguments]
        if name in ("NotRequired", "Required"):
            return inner[0]
        if name == "Optional":
            return _any_of([*inner, {"type": "null"}])
        if name == "ExpandableField":
            return _any_of([{"type": "string"}, *inner])
        if name == "Union":
            return _any_of(inner)
        if name in ("List", "Sequence"):
            return {"type": "array", "items": inner[0]}
        if name in ("Dict", "Mapping", "UntypedStripeObject"):
            return {"type": "object", "additionalProperties": inner[-1]}
        if name == "ListObject":
            properties: Schema = {"object": {"enum": ["list"]}, "data": {"type": "array", "items": inner[0]}}
            properties |= {"has_more": {"type": "boolean"}, "url": {"type": "string"}}
            required = sorted(properties)
            return {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            }
        raise ValueError(f"no schema for {name}[...] in {module.name}")

    def _reference(self, name: str, module: Module, scope: list[str]) -> Schema:
        where, path = _find(name.split("."), module, scope)
        if _object_name(where.classes[path[0]]) and where.name not in self._objects:
            return {"not": {}}
        return {"$ref": f"#/$defs/{self._define(where, path)}"}

    def _define(self, module: Module, path: list[str]) -> str:
        key = ".".join([module.name, *path])
        if key not in self.defs:
            schema: Schema = {
                "type": "object",
                "properties": {},
                "required": [],
                "additionalProperties": False,
            }
            self.defs[key] = schema
            for line in _class_at(module, path).body:
                if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
                    continue
                name, hint = line.target.id, ast.unparse(line.annotation)
                if name == "OBJECT_NAME" or name.startswith("_") or hint.startswith("ClassVar"):
                    continue
                schema["properties"][name] = self._schema(line.annotation, module, path)
                if not hint.startswith(("Optional", "NotRequired")):
                    schema["required"].append(name)
        return key


def _strings(node: ast.AST) -> Iterable[str]:
    return (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def _object_name(node: ast.ClassDef) -> str | None:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == "OBJECT_NAME" and line.value:
            return str(ast.literal_eval(line.value))
    return None


def _class_at(module: Module, path: list[str]) -> ast.ClassDef:
    node = module.classes[path[0]]
    for name in path[1:]:
        node = next(b for b in node.body if isinstance(b, ast.ClassDef) and b.name == name)
    return node


def _find(name: list[str], module: Module, scope: list[str]) -> tuple[Module, list[str]]:
    """The class meant by `name` inside `scope`: innermost first, then the module's own, then imported."""
    for depth in range(len(scope), -1, -1):
        path = [*scope[:depth], *name]
        if path[0] in module.classes:
            try:
                _class_at(module, path)
            except StopIteration:
                continue
            return module, path
    origin, original = module.imports[name[0]]
    return _find([original, *name[1:]], load(origin), [])


def _any_of(choices: list[Schema]) -> Schema:
    flat = [c for choice in choices for c in (choice["anyOf"] if set(choice) == {"anyOf"} else [choice])]
    if any("enum" in choice and choice["enum"] != [""] for choice in flat):
        flat = [choice for choice in flat if choice != {"type": "string"}]
    unique = [choice for i, choice in enumerate(flat) if choice not in flat[:i]]
    return unique[0] if len(unique) == 1 else {"anyOf": unique}
