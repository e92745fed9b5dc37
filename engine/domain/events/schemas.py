"""JSON Schemas (draft 2020-12) of what events say, made from their classes. Pure; they are published by `python -m tests.house`.

A schema states the canonical form, the one that `codec.write_event` gives: decimal strings, RFC 3339 with a zone. Reading
is more generous (whole numbers for quantities, bare dates for instants). A class is the only source: its docstrings
become descriptions, what its `problem` refuses becomes `x-refuses`, and `x-unit` says in what a number is counted.
msgspec's own generator can't write the defaults of our scaled integers, so the small walk over its type information
stands here.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import Any, Final, cast

import msgspec
from msgspec import inspect as types

from engine.domain import codec, wording
from engine.domain.errors import NotFound
from engine.domain.events import TYPES, Data, words
from engine.domain.events.examples import example
from engine.domain.values import Instant, Quantity

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
INSTANT: Final = {"type": "string", "format": "date-time"}
QUANTITY: Final = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$"}
"""A decimal with at most six places; micro-units within ±(2^53 − 1) have ten digits before the point."""
_BOUNDS: Final = {
    "min_length": ("minLength", "minItems"),
    "max_length": ("maxLength", "maxItems"),
    "pattern": ("pattern", ""),
    "ge": ("minimum", ""),
    "le": ("maximum", ""),
}


def event_class(name: str) -> type[Data]:
    """Give the class of a type by its full name or without `compute.` and `.v1`; `NotFound` names the nearest."""
    for known in (name, f"compute.{name}", f"compute.{name}.v1"):
        if known in TYPES:
            return TYPES[known]
    like = wording.nearest(name, [short(known) for known in TYPES])
    msg = f"There is no event type {name[:80]}."
    raise NotFound(msg, f"Did you mean {like[0]}?" if like else "`covenant events list` shows those there are.")


def short(name: str) -> str:
    """Give a type's name without what all of them share: compute.grant.issued.v1 → grant.issued."""
    return name.removeprefix("compute.").rpartition(".v")[0]


def topic(kind: type[Data]) -> str:
    """Give the topic on which a type travels."""
    return f"covenant.{kind.TOPIC or 'derived'}"


def aggregate(kind: type[Data]) -> str:
    """Say whom or what a type is about, as its class says: the holder, else the grant's alias."""
    return _plain(kind.about.__doc__).removeprefix("Give ").rstrip(".")


def description(kind: type[Any]) -> str:
    """Give what a class says of itself."""
    return _plain(kind.__doc__)


def standard(kind: type[Data]) -> str:
    """Say where a type's words come from."""
    return words.STANDARDS[short(kind.TYPE).partition(".")[0]]


def refuses(kind: type[Data]) -> str:
    """Say what is refused beyond the schema, as the class says; empty where nothing is."""
    said = [_plain(base.__dict__["problem"].__doc__) for base in kind.__mro__ if base is not Data and "problem" in base.__dict__]
    return "; ".join(text.removeprefix("Refuse ").rstrip(".") for text in said)


@cache
def schema(name: str) -> dict[str, Any]:
    """Give the schema of a type's `data`, its example in it."""
    kind = TYPES[name]
    parts: dict[str, Any] = {}
    body = _object(types.type_info(kind), short(name), parts)
    entity, _, verb = short(name).partition(".")
    about = {
        "x-topic": topic(kind),
        "x-aggregate": aggregate(kind),
        "x-standard": standard(kind),
    } | ({"x-refuses": refuses(kind)} if refuses(kind) else {})
    head = {"$schema": DIALECT, "$id": codec.SCHEMA_BASE + name, "title": f"{entity} {verb.replace('_', ' ')}".capitalize()}
    defs = {"$defs": dict(sorted(parts.items()))} if parts else {}
    return head | {"description": description(kind)} | about | body | defs | {"examples": [example(name)["data"]]}


def _object(info: types.Type, holder: str, parts: dict[str, Any]) -> dict[str, Any]:
    kind = cast("types.StructType", info)
    said = _docstrings(kind.cls)
    properties = {field.encode_name: _field(field, holder, said.get(field.name, ""), parts) for field in kind.fields}
    required = [field.encode_name for field in kind.fields if field.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _field(field: types.Field, holder: str, said: str, parts: dict[str, Any]) -> dict[str, Any]:
    text = said or words.about(words.WORDS, holder, field.encode_name)
    unit = words.about(words.UNITS, holder, field.encode_name) if _counted(field.type) else ""
    shape = _shape(field.type, parts)
    out = {"description": text} | ({"x-unit": unit} if unit else {}) | shape
    default = field.default if field.default is not msgspec.NODEFAULT else None
    if default is not None and not (default == "" and ("minLength" in shape or "pattern" in shape)):
        out["default"] = msgspec.json.decode(codec.encode(default))
    return out


def _counted(kind: types.Type) -> bool:
    """Tell whether a type holds a number of something."""
    if isinstance(kind, types.UnionType):
        return any(_counted(one) for one in kind.types)
    if isinstance(kind, types.DictType):
        return _counted(kind.value_type)
    return isinstance(kind, types.IntType) or (isinstance(kind, types.CustomType) and kind.cls is Quantity)


def _shape(kind: types.Type, parts: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, types.StructType):
        return _part(kind, parts)
    if isinstance(kind, types.CustomType):
        return dict({Instant: INSTANT, Quantity: QUANTITY}[kind.cls])
    if isinstance(kind, types.UnionType):
        return {"anyOf": [_shape(one, parts) for one in kind.types]}
    if isinstance(kind, types.LiteralType):
        return {"enum": list(kind.values)}
    if isinstance(kind, types.VarTupleType):
        return {"type": "array", "items": _shape(kind.item_type, parts)} | _bounds(kind, 1)
    if isinstance(kind, types.DictType):
        shape = {"propertyNames": _shape(kind.key_type, parts), "additionalProperties": _shape(kind.value_type, parts)}
        return {"type": "object"} | shape
    return {"type": _PLAIN[type(kind)]} | _bounds(kind, 0)


_PLAIN: Final[dict[type, str]] = {
    types.StrType: "string",
    types.IntType: "integer",
    types.BoolType: "boolean",
    types.NoneType: "null",
}


def _part(kind: types.StructType, parts: dict[str, Any]) -> dict[str, Any]:
    """Describe a part once, however often it occurs."""
    name = kind.cls.__name__
    if name not in parts:
        parts[name] = {}
        holder = short(kind.cls.TYPE) if issubclass(kind.cls, Data) else name
        parts[name] = {"description": description(kind.cls)} | _object(kind, holder, parts)
    return {"$ref": f"#/$defs/{name}"}


def _bounds(kind: types.Type, place: int) -> dict[str, Any]:
    found = {names[place]: getattr(kind, bound, None) for bound, names in _BOUNDS.items() if names[place]}
    return {name: value for name, value in found.items() if value is not None}


@cache
def _docstrings(kind: type) -> dict[str, str]:
    """Read what a class and its bases say of their fields: the text that follows a field in the source."""
    said: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not base.__module__.startswith("engine.domain.events"):
            continue
        body = cast("ast.ClassDef", ast.parse(inspect.getsource(base)).body[0])
        for field, text in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                said[field.target.id] = _plain(ast.literal_eval(text.value))
    return said


def _plain(text: str | None) -> str:
    """Put a docstring's lines together, its paragraphs apart."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text or "").split("\n\n"))
