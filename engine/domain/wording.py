"""What a person reads when an object doesn't fit its class: which field, what was expected, what to do. Pure.

Turns msgspec's `ValidationError` into a `Refusal` by looking the failing path up in the class and in the value. Runs
only once something is wrong, so it may take its time; it never decides whether something is wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import inspect

from engine.domain import units
from engine.domain.errors import Refusal
from engine.domain.values import Instant, Quantity

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_FIELD: Final = re.compile(r"field `(.*)`", re.DOTALL)
_PATTERNS: Final = {
    units.PATTERN: "a unit such as CCU or GPU-h, or one of your own as x-NAME",
    r"^[a-z][a-z_]{0,31}$": "a kind such as login or email (up to 32 small letters and _)",
    r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$": "an ISO 3166 country or subdivision such as US-CA",
    r"^[^/]*$": "a text without a slash, of 1 to 64 characters, such as acme",
}
_SHOWN_MAX: Final = 40
_LISTED_MAX: Final = 12


def refusal(error: msgspec.ValidationError, kind: type, raw: Any, at: str = "", do: str = "Correct the field.") -> Refusal:
    """Say what is wrong with `raw`, which was to become a `kind`; `at` is the raw value's own path, such as data."""
    sentence, _, path = str(error).partition(" - at ")
    steps = [name or int(index) for name, index in _STEP.findall(path.strip("`").removeprefix("$"))]
    cause = error.__cause__.__cause__ if error.__cause__ is not None else None
    found = _FIELD.search(sentence)
    inner = inspect.type_info(kind)
    for step in steps:
        inner = _inside(inner, step)
    if found and sentence.startswith("Object missing"):
        field = _path(at, [*steps, found[1]])
        msg = f"{field}: missing; expected {expected(_inside(inner, found[1]))}."
        return Refusal(msg, f"Give {field}.", code="missing", field=field)
    if found:
        return unknown(found[1], _fields(inner), _path(at, steps))
    field = _path(at, steps)
    value = _value(raw, steps)
    if isinstance(cause, Refusal):
        return Refusal(f"{field}: {_small(cause.message)}.", do, code=cause.code, field=field)
    code = _code(sentence, inner, value)
    if code == "unknown-unit":
        like = nearest(str(value), units.KNOWN)
        do = f"Did you mean {like[0]}?" if like else f"Known are {', '.join(units.KNOWN)}; write one of your own as x-NAME."
    subject = f"{field}: " if field else ""
    return Refusal(f"{subject}expected {expected(inner)}, got {shown(value)}.", do, code=code, field=field)


def _code(sentence: str, kind: inspect.Type, value: Any) -> str:
    """Give the rule that a value breaks, where there is a better word for it than that it is invalid."""
    if " of length <= " in sentence:
        return "too-long"
    if isinstance(kind, inspect.UnionType):
        kind = next((one for one in kind.types if not isinstance(one, inspect.NoneType)), kind)
    if isinstance(kind, inspect.StrType) and kind.pattern == units.PATTERN and isinstance(value, str):
        return "unknown-unit"
    if isinstance(kind, inspect.IntType) and isinstance(value, int) and not isinstance(value, bool):
        if value < 0 and kind.ge == 0:
            return "negative-quantity"
        if kind.le is not None and value > kind.le:
            return "absurd-quantity"
    return "invalid"


def unknown(name: str, known: list[str], where: str) -> Refusal:
    """Refuse a field that an object doesn't have; `where` is the object's path, empty at the top."""
    field = _path(where, [name])
    place = where or "this object"
    like = nearest(name, known)
    if like:
        do = f"Did you mean {_path(where, [like[0]])}?"
    else:
        listed = ", ".join(known[:_LISTED_MAX]) + (" and others" if len(known) > _LISTED_MAX else "")
        do = f"Leave it out; {place} may have {listed}."
    return Refusal(f"{cut(field)}: {place} has no field of this name.", do, code="unknown-field", field=field[:256])


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Give the known word most like one that isn't; none where none is like it."""
    by_fold = {name.casefold(): name for name in known}
    return [by_fold[match] for match in difflib.get_close_matches(word[:256].casefold(), by_fold, 1, 0.6)]


def shown(value: Any) -> str:
    """Name a value's type in plain words, and the value itself, cut short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"{cut(value)!r}" if value else "an empty text"
    if isinstance(value, (int, float)):
        return f"the number {value}" if abs(value) < 1e16 else "a number out of range"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"


def cut(text: str) -> str:
    """Cut a foreign text to what a sentence can carry."""
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"


def expected(kind: inspect.Type) -> str:  # noqa: PLR0911 - one line a kind of type
    """Say in plain words what a type accepts."""
    if isinstance(kind, inspect.UnionType):
        return " or ".join(expected(one) for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(str(value) for value in kind.values) if len(kind.values) > 1 else str(kind.values[0])
    if isinstance(kind, inspect.StrType):
        return _text(kind)
    if isinstance(kind, inspect.IntType):
        return "a whole number" + _between(kind.ge, kind.le)
    if isinstance(kind, inspect.FloatType):
        return "a number"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, (inspect.VarTupleType, inspect.ListType)):
        most = f", at most {kind.max_length}," if kind.max_length is not None else ""
        return f"a list{most} of which each is {expected(kind.item_type)}"
    if isinstance(kind, inspect.CustomType):
        return _custom(kind.cls)
    names = ", ".join(_fields(kind)[:_LISTED_MAX])
    return f"an object with {names}" if names else "an object"


def _custom(kind: type) -> str:
    if kind is Instant:
        return "an RFC 3339 time such as 2026-01-31T08:00:00Z"
    return 'a decimal number in quotes such as "12.5"' if kind is Quantity else kind.__name__


def _text(kind: inspect.StrType) -> str:
    if kind.pattern is not None:
        return _PATTERNS.get(kind.pattern, f"a text of the form {kind.pattern}")
    if kind.max_length is None:
        return "a text"
    return f"a text of {kind.min_length or 0} to {kind.max_length} characters"


def _between(least: int | None, most: int | None) -> str:
    if least is None:
        return "" if most is None else f" of at most {most}"
    return f" of at least {least}" if most is None or most > 2**32 else f" from {least} to {most}"


def _fields(kind: inspect.Type) -> list[str]:
    if isinstance(kind, inspect.UnionType):
        return [name for one in kind.types for name in _fields(one)]
    return [field.encode_name for field in kind.fields] if isinstance(kind, inspect.StructType) else []


def _inside(kind: inspect.Type, step: str | int) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        kind = next((one for one in kind.types if not isinstance(one, inspect.NoneType)), kind)
    if isinstance(kind, inspect.StructType):
        return next((field.type for field in kind.fields if field.encode_name == step), inspect.AnyType())
    if isinstance(kind, (inspect.VarTupleType, inspect.ListType)):
        return kind.item_type
    return inspect.AnyType()


def _value(raw: Any, steps: list[str | int]) -> Any:
    for step in steps:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _path(at: str, steps: list[str | int]) -> str:
    text = at
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
