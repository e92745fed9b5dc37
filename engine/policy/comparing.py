"""Comparisons that can't come out as meant: an input's field against a constant of another type, or one it never has.

Owns what `opa check` lets pass: in Rego every type has its place in one order, so `"5" > 100` is true and nobody is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.policy.modules import INPUT, Module
from engine.policy.thresholds import Problem

OPERATORS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "equal": "==", "eq": "=", "neq": "!=", "member_2": "in"}
WORDS: Final = {"integer": "a whole number", "number": "a number", "string": "a text", "boolean": "true or false", "null": "null"}
FITS: Final = {"number": ("integer", "number"), "string": ("string",), "boolean": ("boolean",), "null": ("null",)}
"""Type of a constant in Rego → types of the schema that it can be compared with."""


def miscompared(module: Module) -> Iterator[Problem]:
    """Give the comparisons of a file that can't be meant."""
    schema = json.loads(INPUT.read_text(encoding="utf-8"))
    for head in module.heads:
        names: dict[str, tuple[str, ...]] = {}
        for terms, row in _comparisons(head.body, names):
            yield from _compared(terms, f"{module.name}:{row or head.row}", names, schema)


def _comparisons(node: Any, names: dict[str, tuple[str, ...]]) -> Iterator[tuple[list[Any], int]]:
    """Give terms and line of every comparison below a node, and note which names stand for which fields."""
    if isinstance(node, dict):
        terms = node.get("terms")
        if isinstance(terms, list) and len(terms) == 3 and (called := _path(terms[0])):
            if called[-1] in ("assign", "eq") and terms[1]["type"] == "var" and _path(terms[2])[:1] == ("input",):
                names[terms[1]["value"]] = _path(terms[2])
            elif called[-1] in OPERATORS:
                yield terms, node.get("location", {}).get("row", 0)
        for value in node.values():
            yield from _comparisons(value, names)
    elif isinstance(node, list):
        for value in node:
            yield from _comparisons(value, names)


def _path(term: Mapping[str, Any]) -> tuple[str, ...]:
    parts = term["value"] if term.get("type") == "ref" else []
    return tuple(part["value"] if part["type"] in ("var", "string") else "*" for part in parts)


def _compared(terms: list[Any], place: str, names: Mapping[str, tuple[str, ...]], schema: Mapping[str, Any]) -> Iterator[Problem]:
    operator = _path(terms[0])[-1]
    for one, other in ((terms[1], terms[2]), (terms[2], terms[1])):
        path = _path(one) or (names.get(one["value"], ()) if one["type"] == "var" else ())
        field = _field(schema, path)
        constants = other["value"] if operator == "member_2" and other["type"] in ("set", "array") else [other]
        for constant in constants if field and other is not one else []:
            if constant["type"] in FITS:
                yield from _constant(field, ".".join(path), constant, place, OPERATORS[operator])


def _field(schema: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    if path[:1] != ("input",) or path[1:2] == ("unknown",):
        return {}
    for part in path[1:]:
        schema = schema.get("properties", {}).get(part, {})
    return schema if schema.get("type") in WORDS else {}


def _constant(field: Mapping[str, Any], path: str, constant: Mapping[str, Any], place: str, operator: str) -> Iterator[Problem]:
    said = json.dumps(constant["value"])
    if field["type"] not in FITS[constant["type"]]:
        what = f"{path} is {WORDS[field['type']]}, and {said} isn't; `{operator}` between them never comes out as meant."
        yield Problem(place, what, f"Compare it with {WORDS[field['type']]}.")
    elif "enum" in field and constant["value"] not in field["enum"] and path != "input.event.type":
        yield Problem(place, f"{path} is never {said}.", f"It is one of {', '.join(map(str, field['enum']))}.")
